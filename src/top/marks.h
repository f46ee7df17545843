#pragma once

#include <span>
#include <string>
#include <vector>

#include "gilspy/top/screen.h"
#include "gilspy/top/state.h"

/// Bars, sparklines and strips: figures as glyphs.
namespace gilspy::top {

[[nodiscard]] Ink ink_of(Activity activity);
/// One character that says it without a colour.
[[nodiscard]] char letter_of(Activity activity);

/// A share as a bar of `width` columns.
void put_bar(Screen& screen, int row, int column, int width, double share, Ink ink, Look look);

/// The last `width` shares, the newest at the right.
void put_sparkline(Screen& screen, int row, int column, int width, std::span<const double> shares,
                   Ink ink, Look look);

/// The last `width` slots of a thread, the newest at the right.
void put_strip(Screen& screen, int row, int column, int width, std::span<const Slot> slots,
               Look look);

}  // namespace gilspy::top

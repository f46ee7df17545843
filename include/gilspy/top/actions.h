#pragma once

#include "gilspy/top/keys.h"
#include "gilspy/top/screen.h"
#include "gilspy/top/state.h"

namespace gilspy::top {

/// What a key asks for beyond a change of the controls.
enum class Action : std::uint8_t { none, quit, reset, record };

/// Changes state.controls as the key says. `size`: how far a page is.
[[nodiscard]] Action press(State& state, const Key& key, Size size);

}  // namespace gilspy::top

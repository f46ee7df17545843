#include "marks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace gilspy::top {
namespace {

/// From one eighth to eight.
constexpr std::array<std::string_view, 8> lower_blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 8> left_blocks{"▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
/// The same heights for terminals that have no blocks.
constexpr std::string_view ascii_heights = "._-=+*#@";

int eighths_of(double share, int whole) {
  return std::clamp(static_cast<int>(std::lround(share * 8 * whole)), 0, 8 * whole);
}

template <class T>
std::span<const T> last_of(std::span<const T> list, int count) {
  return list.last(std::min(list.size(), static_cast<std::size_t>(std::max(count, 0))));
}

struct Mark {
  std::string text;
  Style style;
};

/// Two states share a cell in two colours, always in the same order from below: holding, waiting,
/// running. Being blocked is the quiet background of all others.
Mark mark_of(const Slot& slot, Look look) {
  if (!look.color || !look.unicode) return {{letter_of(slot.most)}, {.ink = ink_of(slot.most)}};
  const auto height = [](Activity activity) {
    return activity == Activity::blocked ? activity_count : static_cast<std::size_t>(activity);
  };
  const bool swapped = height(slot.next) < height(slot.most);
  const Activity lower = swapped ? slot.next : slot.most;
  const Activity upper = swapped ? slot.most : slot.next;
  const unsigned eighths = swapped ? 8U - slot.eighths : slot.eighths;
  if (eighths == 0 || eighths >= 8) {
    if (slot.most == Activity::blocked) return {"·", {.ink = Ink::blocked}};
    return {"█", {.ink = ink_of(slot.most)}};
  }
  Style style{.ink = ink_of(lower)};
  if (upper != Activity::blocked) style.paper = ink_of(upper);
  return {std::string(lower_blocks[eighths - 1]), style};
}

}  // namespace

Ink ink_of(Activity activity) {
  switch (activity) {
    case Activity::holding_running: return Ink::holding;
    case Activity::holding_blocked: return Ink::holding_blocked;
    case Activity::waiting: return Ink::waiting;
    case Activity::running: return Ink::running;
    case Activity::blocked: return Ink::blocked;
    case Activity::runnable: return Ink::runnable;
    case Activity::unknown: break;
  }
  return Ink::unknown;
}

char letter_of(Activity activity) {
  switch (activity) {
    case Activity::holding_running: return 'H';
    case Activity::holding_blocked: return 'B';
    case Activity::waiting: return 'w';
    case Activity::running: return 'r';
    case Activity::blocked: return '.';
    case Activity::runnable: return 'q';
    case Activity::unknown: break;
  }
  return '?';
}

void put_bar(Screen& screen, int row, int column, int width, double share, Ink ink, Look look) {
  if (width < 3) return;
  const int inside = width - 2;
  screen.put(row, column, "[", {.dim = true});
  screen.put(row, column + width - 1, "]", {.dim = true});
  const int eighths = eighths_of(share, inside);
  for (int i = 0; i < inside; ++i) {
    const int here = std::clamp(eighths - 8 * i, 0, 8);
    const int x = column + 1 + i;
    if (!look.unicode) {
      screen.put(row, x, here >= 4 ? "#" : " ", {.ink = ink});
    } else if (here > 0) {
      screen.put(row, x, left_blocks[static_cast<std::size_t>(here - 1)], {.ink = ink});
    }
  }
}

void put_sparkline(Screen& screen, int row, int column, int width, std::span<const double> shares,
                   Ink ink, Look look) {
  const auto shown = last_of(shares, width);
  int x = column + width - static_cast<int>(shown.size());
  for (const double share : shown) {
    const int eighths = std::max(eighths_of(share, 1), share > 0.005 ? 1 : 0);
    const auto index = static_cast<std::size_t>(std::max(eighths - 1, 0));
    if (eighths > 0) {
      screen.put(row, x, look.unicode ? lower_blocks[index] : ascii_heights.substr(index, 1),
                 {.ink = ink});
    }
    ++x;
  }
}

void put_strip(Screen& screen, int row, int column, int width, std::span<const Slot> slots,
               Look look) {
  const auto shown = last_of(slots, width);
  int x = column + width - static_cast<int>(shown.size());
  for (const Slot& slot : shown) {
    if (slot.seen) {
      const auto [text, style] = mark_of(slot, look);
      screen.put(row, x, text, style);
    }
    ++x;
  }
}

}  // namespace gilspy::top

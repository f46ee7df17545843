#include <algorithm>

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "marks.h"
#include "panes.h"

namespace gilspy::top {
namespace {

constexpr int short_state = 8;
constexpr int long_state = 22;
constexpr int share_width = 5;
/// The last of the four has a heading of six.
constexpr int shares_width = 4 * (1 + share_width) + 1;
constexpr int least_name = 10;
constexpr int least_strip = 6;
constexpr int most_strip = 240;

/// Widths of the columns; 0: left out. Each but the first has a space before it.
struct Widths {
  int name = 0;
  int tid = 0;
  int state = short_state;
  int ready = 0;
  int blocked_in = 0;
  int longest = 0;
  int handoffs = 0;
  int strip = 0;
};

/// Shares out the columns: first what always is there, then what there is room for, in the order of
/// its worth.
Widths widths_for(int columns, int longest_name) {
  Widths widths;
  widths.name = std::min(least_name, longest_name);
  // The mark before the name, the state, and four shares.
  int left = columns - 1 - widths.name - (1 + short_state) - shares_width - 1;
  const auto take = [&](int& width, int more, int keep) {
    if (left - more < keep) return;
    width += more;
    left -= more;
  };
  take(widths.strip, least_strip + 1, 0);
  take(widths.name, std::clamp(longest_name - widths.name, 0, std::clamp(left, 0, 6)), 0);
  take(widths.tid, 8, 0);
  take(widths.longest, 8, 0);
  take(widths.handoffs, 7, 0);
  take(widths.strip, 8, 0);
  take(widths.state, long_state - short_state, 0);
  take(widths.ready, 7, 0);
  take(widths.blocked_in, 16, 16);
  take(widths.name, std::clamp(longest_name - widths.name, 0, std::max(left / 3, 0)), 0);
  const int strip = std::clamp(left, 0, most_strip - widths.strip);
  if (widths.strip > 0) widths.strip += strip;
  return widths;
}

/// A short length of time in seven columns.
std::string short_time(Duration time) { return time > Duration{} ? human(time) : "-"; }

/// Puts headings and cells at the same places.
class Table {
 public:
  Table(Screen& screen, const State& state, const Widths& widths)
      : screen_(screen), state_(state), widths_(widths) {}

  void put_headings(int row) {
    screen_.put(row, 0, std::string(static_cast<std::size_t>(screen_.size().columns), ' '),
                {.reverse = true});
    column_ = 1;
    heading(row, Column::name, widths_.name, false);
    if (widths_.tid > 0) heading(row, Column::tid, widths_.tid - 1, true);
    heading(row, Column::state, widths_.state, false);
    for (const Column column : {Column::hold, Column::wait, Column::run}) {
      heading(row, column, share_width, true);
    }
    heading(row, Column::blocked, share_width + 1, true);
    if (widths_.ready > 0) heading(row, Column::ready, widths_.ready - 1, true);
    if (widths_.blocked_in > 0) {
      screen_.put(row, column_, "blocked in", {.reverse = true}, widths_.blocked_in - 1);
      column_ += widths_.blocked_in;
    }
    if (widths_.longest > 0) heading(row, Column::longest_wait, 7, true);
    if (widths_.handoffs > 0) heading(row, Column::handoffs, 6, true);
    if (widths_.strip > 0) {
      const int slots = widths_.strip - 1;
      const auto seconds = to_seconds(slots * slot_length);
      constexpr int room_for_words = 9;
      screen_.put(row, column_,
                  fmt::format("{}{:.0f} s", slots >= room_for_words ? "last " : "", seconds),
                  {.reverse = true}, slots);
    }
  }

  void put_row(int row, const ThreadRow& thread, bool selected) {
    column_ = 1;
    const bool gone = thread.now == nullptr;
    const Style plain{.dim = gone};
    screen_.put(row, 0, selected ? mark() : " ", {.bold = true});
    text(row, shortened_inside(thread.name, widths_.name), widths_.name,
         {.bold = selected, .dim = gone});
    if (widths_.tid > 0) number(row, std::to_string(thread.tid.value), widths_.tid - 1, plain);
    const Ink ink = gone ? Ink::plain : ink_of(thread.activity);
    text(row, state_words(thread, widths_.state > short_state), widths_.state,
         {.ink = ink, .dim = gone});
    share(row, thread.hold, share_width, Ink::holding, gone);
    share(row, thread.wait, share_width, Ink::waiting, gone);
    share(row, thread.run, share_width, Ink::running, gone);
    share(row, thread.blocked, share_width + 1, Ink::plain, gone);
    if (widths_.ready > 0) share(row, thread.ready, widths_.ready - 1, Ink::runnable, gone);
    if (widths_.blocked_in > 0) {
      const bool blocks = !gone && thread.blocked >= 0.0005;
      text(row, blocks ? syscall_name(thread.now->blocked_in) : "", widths_.blocked_in - 1,
           {.dim = true});
    }
    if (widths_.longest > 0) number(row, short_time(thread.longest_wait), 7, plain);
    if (widths_.handoffs > 0) number(row, std::to_string(thread.handoffs), 6, plain);
    if (widths_.strip > 0 && !gone) {
      put_strip(screen_, row, column_, widths_.strip - 1, thread.now->strip, state_.look);
    }
  }

 private:
  [[nodiscard]] std::string_view mark() const { return state_.look.unicode ? "▶" : ">"; }

  void heading(int row, Column column, int width, bool right) {
    const std::string_view text = heading_of(column);
    const bool sorted = state_.controls.sort == column;
    const int at = right ? column_ + width - static_cast<int>(text.size()) : column_;
    screen_.put(row, at, text, {.bold = sorted, .reverse = !sorted});
    column_ += width + 1;
  }
  void text(int row, const std::string& text, int width, Style style) {
    screen_.put_short(row, column_, text, width, style);
    column_ += width + 1;
  }
  void share(int row, double share, int width, Ink ink, bool gone) {
    const bool quiet = gone || share < 0.0005;
    number(row, fmt::format("{:.1f}", 100 * share), width,
           {.ink = quiet ? Ink::plain : ink, .dim = quiet});
  }
  void number(int row, const std::string& text, int width, Style style) {
    screen_.put_right(row, column_ + width, text, style);
    column_ += width + 1;
  }

  Screen& screen_;
  const State& state_;
  const Widths& widths_;
  int column_ = 0;
};

}  // namespace

void put_threads(Screen& screen, Area area, const State& state,
                 const std::vector<ThreadRow>& rows) {
  if (area.rows <= 0) return;
  std::size_t longest = heading_of(Column::name).size();
  for (const ThreadRow& row : rows) longest = std::max(longest, display_width(row.name));
  const Widths widths =
      widths_for(screen.size().columns, static_cast<int>(std::min<std::size_t>(longest, 200)));
  Table table{screen, state, widths};
  table.put_headings(area.top);
  const auto visible = static_cast<std::size_t>(area.rows - 1);
  const std::size_t selected = selected_row(rows, state.controls.selected);
  // The selected one stays in sight: a page begins so that it is on it.
  const std::size_t first = visible > 0 ? selected / visible * visible : 0;
  const std::size_t last_start = rows.size() > visible ? rows.size() - visible : 0;
  const std::size_t start = std::min(first, last_start);
  for (std::size_t i = 0; i < visible && start + i < rows.size(); ++i) {
    table.put_row(area.top + 1 + static_cast<int>(i), rows[start + i], start + i == selected);
  }
  if (rows.empty() && visible > 0) {
    screen.put(area.top + 1, 1,
               state.controls.filter.empty() ? "no threads yet" : "no thread has that in its name",
               {.dim = true});
  }
}

}  // namespace gilspy::top

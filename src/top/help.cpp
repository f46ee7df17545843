#include <array>
#include <utility>

#include "marks.h"
#include "panes.h"

namespace gilspy::top {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> keys{{
    {"q", "quit"},
    {"Up Down PgUp PgDn", "choose a thread"},
    {"Enter", "the chosen thread's stack, and back"},
    {"1 2 3, Tab, Left Right", "functions, blame, stack in the lower pane"},
    {"[ ]", "scroll the lower pane"},
    {"< > or s", "sort by the column to the left or right"},
    {"i", "the other way round"},
    {"/", "only threads with this in their name; Esc ends it"},
    {"w", "the last seconds, or everything since the start"},
    {"r", "begin the window anew"},
    {"Space", "pause and go on; sampling never pauses"},
    {"p", "write the window as a .gilspy recording"},
    {"h or ?", "this help; any key ends it"},
    {"Ctrl-Z", "suspend; fg brings it back"},
}};

constexpr std::array<Activity, activity_count> activities{
    Activity::holding_running, Activity::holding_blocked, Activity::waiting, Activity::running,
    Activity::blocked,         Activity::runnable,        Activity::unknown};

}  // namespace

void put_help(Screen& screen, Area area, Look look) {
  int row = area.top;
  const int end = area.top + area.rows;
  constexpr int meaning = 25;
  for (const auto& [key, what] : keys) {
    if (row >= end) return;
    screen.put(row, 1, key, {.bold = true});
    screen.put(row++, meaning, what);
  }
  ++row;
  for (const Activity activity : activities) {
    if (row >= end) return;
    const char letter = letter_of(activity);
    const bool blocks = look.color && look.unicode;
    screen.put(row, 1, blocks ? "█" : std::string_view{&letter, 1}, {.ink = ink_of(activity)});
    screen.put(row++, 3, name_of(activity));
  }
}

}  // namespace gilspy::top

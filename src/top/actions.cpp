#include "gilspy/top/actions.h"

#include <algorithm>

#include "gilspy/base/text.h"
#include "gilspy/top/render.h"

namespace gilspy::top {
namespace {

void turn_pane(Controls& controls, int by) {
  const int pane = static_cast<int>(controls.pane) + by + static_cast<int>(pane_count);
  controls.pane = static_cast<Pane>(pane % static_cast<int>(pane_count));
  controls.scrolled = 0;
}

void turn_column(Controls& controls, int by) {
  const int column = static_cast<int>(controls.sort) + by + static_cast<int>(column_count);
  controls.sort = static_cast<Column>(column % static_cast<int>(column_count));
}

/// Chooses the thread so many lines away from the one that is chosen now.
void move(State& state, int by) {
  const std::vector<Tid> threads = listed_threads(state);
  if (threads.empty()) return;
  const auto found = std::ranges::find(threads, state.controls.selected);
  const int now = found != threads.end() ? static_cast<int>(found - threads.begin()) : 0;
  const int last = static_cast<int>(threads.size()) - 1;
  state.controls.selected = threads[static_cast<std::size_t>(std::clamp(now + by, 0, last))];
  state.controls.scrolled = 0;
}

void show_stack(Controls& controls) {
  controls.pane = controls.pane == Pane::stack ? Pane::functions : Pane::stack;
  controls.scrolled = 0;
}

/// The last whole character goes.
void erase_last(std::string& text) {
  std::size_t last = 0;
  for (std::size_t at = 0; at < text.size();) {
    last = at;
    at += first_glyph(std::string_view{text}.substr(at)).bytes.size();
  }
  text.resize(last);
}

void type_filter(Controls& controls, const Key& key) {
  switch (key.name) {
    case KeyName::text: controls.filter += key.text; break;
    case KeyName::backspace: erase_last(controls.filter); break;
    case KeyName::enter: controls.filtering = false; break;
    case KeyName::escape:
      controls.filtering = false;
      controls.filter.clear();
      break;
    default: break;
  }
}

Action press_character(State& state, char c) {
  Controls& controls = state.controls;
  switch (c) {
    case 'q': return Action::quit;
    case 'r': return Action::reset;
    case 'p': return Action::record;
    case ' ': controls.paused = !controls.paused; break;
    case 'h':
    case '?': controls.help = true; break;
    case 'w':
      controls.reach = controls.reach == Reach::window ? Reach::whole : Reach::window;
      break;
    case '/': controls.filtering = true; break;
    case 's':
    case '>': turn_column(controls, +1); break;
    case '<': turn_column(controls, -1); break;
    case 'i': controls.reversed = !controls.reversed; break;
    case '1':
    case '2':
    case '3':
      controls.pane = static_cast<Pane>(c - '1');
      controls.scrolled = 0;
      break;
    case '[': controls.scrolled = std::max(controls.scrolled - 1, 0); break;
    case ']': ++controls.scrolled; break;
    default: break;
  }
  return Action::none;
}

}  // namespace

Action press(State& state, const Key& key, Size size) {
  Controls& controls = state.controls;
  if (controls.help) {
    controls.help = false;
    return key.text == "q" ? Action::quit : Action::none;
  }
  if (controls.filtering) {
    type_filter(controls, key);
    return Action::none;
  }
  const int page = std::max(size.rows / 3, 1);
  constexpr int far = 1'000'000;
  switch (key.name) {
    case KeyName::text:
      return key.text.size() == 1 ? press_character(state, key.text[0]) : Action::none;
    case KeyName::up: move(state, -1); break;
    case KeyName::down: move(state, +1); break;
    case KeyName::page_up: move(state, -page); break;
    case KeyName::page_down: move(state, +page); break;
    case KeyName::home: move(state, -far); break;
    case KeyName::end: move(state, +far); break;
    case KeyName::tab:
    case KeyName::right: turn_pane(controls, +1); break;
    case KeyName::back_tab:
    case KeyName::left: turn_pane(controls, -1); break;
    case KeyName::enter: show_stack(controls); break;
    case KeyName::escape: controls.filter.clear(); break;
    case KeyName::backspace: break;
  }
  return Action::none;
}

}  // namespace gilspy::top

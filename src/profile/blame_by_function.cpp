#include <algorithm>
#include <compare>
#include <map>

#include <fmt/format.h>

#include "duration_math.h"
#include "gilspy/profile/blame.h"

namespace gilspy {
namespace {

struct Key {
  Tid holder;
  Tid waiter;
  bool named = false;  ///< false: no stack, and then the ids below mean nothing
  StringId function;
  StringId file;

  friend auto operator<=>(const Key&, const Key&) = default;
};

/// Adds up the blame of rows that come to the same key, and keeps apart the lines it fell on.
class ByFunction {
 public:
  explicit ByFunction(const Tables& tables) : tables_(tables) {}

  void add(Tid holder, Tid waiter, const Blame& row) {
    Key key{holder, waiter, false, {}, {}};
    const auto top = tables_.stack(row.stack);
    if (row.stack != empty_stack) {
      const auto code = tables_.code(top.code);
      key = Key{holder, waiter, true, code.function, code.file};
    }
    add_to(lines_[key][top.line], row.time);
  }

  [[nodiscard]] std::vector<FunctionBlame> rows() const {
    std::vector<FunctionBlame> rows;
    for (const auto& [key, lines] : lines_) {
      FunctionBlame row{key.holder, key.waiter, {}, {}, 0, {}};
      if (key.named) {
        row.function = tables_.string(key.function);
        row.file = tables_.string(key.file);
      }
      Duration most{};
      for (const auto& [line, time] : lines) {
        add_to(row.time, time);
        if (time <= most) continue;
        most = time;
        row.line = line;
      }
      rows.push_back(std::move(row));
    }
    std::ranges::stable_sort(rows, std::ranges::greater{}, &FunctionBlame::time);
    return rows;
  }

 private:
  const Tables& tables_;
  std::map<Key, std::map<std::uint32_t, Duration>> lines_;
};

}  // namespace

std::vector<FunctionBlame> blame_by_function(const Profile& profile) {
  ByFunction sums{*profile.tables};
  for (const Blame& row : profile.blame) sums.add(row.holder, row.waiter, row);
  return sums.rows();
}

std::vector<FunctionBlame> worst_blockers(const Profile& profile) {
  ByFunction sums{*profile.tables};
  for (const Blame& row : profile.blame) {
    if (row.holder != no_thread) sums.add(no_thread, no_thread, row);
  }
  return sums.rows();
}

Duration hand_over_wait(const Profile& profile) {
  Duration sum{};
  for (const Blame& row : profile.blame) {
    if (row.holder == no_thread) add_to(sum, row.time);
  }
  return sum;
}

std::string label_of(const Profile& profile, Tid tid) {
  if (tid == no_thread) return "(hand-over)";
  const ThreadProfile* thread = profile.thread(tid);
  if (thread != nullptr && !thread->name.empty()) return thread->name;
  return fmt::format("thread {}", tid.value);
}

}  // namespace gilspy

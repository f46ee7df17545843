#include <algorithm>
#include <compare>
#include <map>
#include <optional>
#include <span>
#include <utility>

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

/// Adds up the blame of rows that come to the same key, and keeps apart what in it it fell on.
class ByFunction {
 public:
  explicit ByFunction(const Tables& tables) : tables_(tables) {}

  void add(Tid holder, Tid waiter, const Blame& row) {
    Key key{holder, waiter, false, {}, {}};
    const auto top = tables_.stack(row.stack);
    const auto named = tables_.python_top(row.stack).value_or(top);
    if (row.stack != empty_stack) {
      const auto code = tables_.code(named.code);
      key = Key{holder, waiter, true, code.function, code.file};
    }
    Parts& parts = parts_[key];
    add_to(parts.lines[named.line], row.time);
    if (row.stack != empty_stack && !tables_.is_native(named)) {
      const auto code = tables_.is_native(top) ? std::optional{top.code} : std::nullopt;
      add_to(parts.natives[code], row.time);
    }
  }

  [[nodiscard]] std::vector<FunctionBlame> rows() const {
    std::vector<FunctionBlame> rows;
    for (const auto& [key, parts] : parts_) {
      FunctionBlame row;
      row.holder = key.holder;
      row.waiter = key.waiter;
      if (key.named) {
        row.function = tables_.string(key.function);
        row.file = tables_.string(key.file);
      }
      for (const auto& [line, time] : parts.lines) add_to(row.time, time);
      row.line = largest(parts.lines)->first;
      const auto native = largest(parts.natives);
      if (const auto code = native != parts.natives.end() ? native->first : std::nullopt) {
        const auto native_code = tables_.code(*code);
        row.native = tables_.string(native_code.function);
        row.library = tables_.string(native_code.library);
        if (native_code.file != native_code.library) {
          row.native_file = tables_.string(native_code.file);
          row.native_line = native_code.first_line;
        }
      }
      rows.push_back(std::move(row));
    }
    std::ranges::stable_sort(rows, std::ranges::greater{}, &FunctionBlame::time);
    return rows;
  }

 private:
  /// What the time of a row fell on.
  struct Parts {
    std::map<std::uint32_t, Duration> lines;
    std::map<std::optional<CodeId>, Duration> natives;  ///< nothing: the Python function itself
  };

  template <class Map>
  static typename Map::const_iterator largest(const Map& map) {
    return std::ranges::max_element(map, {}, [](const auto& entry) { return entry.second; });
  }

  const Tables& tables_;
  std::map<Key, Parts> parts_;
};

}  // namespace

std::vector<FunctionBlame> blame_by_function(const Profile& profile) {
  ByFunction sums{*profile.tables};
  for (const Blame& row : profile.blame) sums.add(row.holder, row.waiter, row);
  return sums.rows();
}

std::vector<FunctionBlame> largest_blame(const Profile& profile, std::size_t most) {
  std::vector<FunctionBlame> rows = blame_by_function(profile);
  if (rows.size() <= most) return rows;
  std::map<std::pair<Tid, Tid>, FunctionBlame> others;
  for (FunctionBlame& row : std::span{rows}.subspan(most)) {
    const auto [other, fresh] = others.try_emplace({row.holder, row.waiter}, row);
    if (fresh) continue;
    FunctionBlame& sum = other->second;
    const std::size_t before = std::max<std::size_t>(sum.rows, 1);
    Duration time = sum.time;
    add_to(time, row.time);
    sum = FunctionBlame{};
    sum.holder = row.holder;
    sum.waiter = row.waiter;
    sum.time = time;
    sum.rows = before + 1;
  }
  rows.resize(most);
  for (auto& [pair, row] : others) rows.push_back(std::move(row));
  std::ranges::stable_sort(rows, std::ranges::greater{}, &FunctionBlame::time);
  return rows;
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

#include "functions.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace gilspy::top {
namespace {

/// One weight's two figures in a row.
struct Figures {
  Duration FunctionFigures::* own;
  Duration FunctionFigures::* total;
};

class ByCode {
 public:
  explicit ByCode(const Tables& tables) : tables_(tables) {}

  void add(const std::vector<StackWeight>& rows, Figures figures) {
    for (const StackWeight& row : rows) {
      if (row.stack == empty_stack || row.time == Duration{}) continue;
      bool top = true;
      ++walk_;
      // Parents are older than their children, so this ends.
      for (StackId id = row.stack; id != empty_stack;) {
        const auto node = tables_.stack(id);
        Entry& entry = entries_[node.code];
        if (top) entry.sums.*figures.own += row.time;
        // A function that calls itself is in the stack more than once, but its time counts once.
        if (std::exchange(entry.seen_in, walk_) != walk_) entry.sums.*figures.total += row.time;
        top = false;
        id = node.parent;
      }
    }
  }

  [[nodiscard]] std::vector<FunctionFigures> rows() {
    std::vector<FunctionFigures> rows;
    rows.reserve(entries_.size());
    for (auto& [id, entry] : entries_) {
      const auto code = tables_.code(id);
      entry.sums.function = tables_.string(code.function);
      entry.sums.file = tables_.string(code.file);
      entry.sums.line = code.first_line;
      rows.push_back(std::move(entry.sums));
    }
    return rows;
  }

 private:
  struct Entry {
    FunctionFigures sums;
    std::uint64_t seen_in = 0;  ///< the walk that met it last
  };

  const Tables& tables_;
  std::unordered_map<CodeId, Entry> entries_;
  std::uint64_t walk_ = 0;
};

}  // namespace

std::vector<FunctionFigures> function_figures(const Profile& profile) {
  if (profile.tables == nullptr) return {};
  ByCode sums{*profile.tables};
  using F = FunctionFigures;
  sums.add(profile.stacks_by(Weight::hold), {&F::own_hold, &F::total_hold});
  sums.add(profile.stacks_by(Weight::blame), {&F::own_blame, &F::total_blame});
  sums.add(profile.stacks_by(Weight::cpu), {&F::own_cpu, &F::total_cpu});
  auto rows = sums.rows();
  std::ranges::sort(rows, [](const F& a, const F& b) {
    const auto key = [](const F& f) {
      return std::tie(f.own_blame, f.own_hold, f.own_cpu, f.total_blame, f.total_hold, f.total_cpu);
    };
    if (key(a) != key(b)) return key(a) > key(b);
    return std::tie(a.function, a.file, a.line) < std::tie(b.function, b.file, b.line);
  });
  return rows;
}

}  // namespace gilspy::top

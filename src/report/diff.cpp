#include "gilspy/report/diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "diff_limits.h"
#include "gilspy/base/text.h"

namespace gilspy {
namespace {

/// Seconds in a second of the run.
double share(const Profile& profile, Duration time) {
  const double wall = to_seconds(profile.wall());
  return wall > 0 ? to_seconds(time) / wall : 0;
}

/// A figure that both may have; `comparable` false leaves it out on both sides.
class Figures {
 public:
  Figures(const Profile& a, const Profile& b) : a_(a), b_(b) {}

  template <class Of>
  void add(std::string_view key, std::string_view label, FigureUnit unit, bool comparable, Of of) {
    Change change;
    if (comparable && !a_.gils.empty()) change.a = of(a_, a_.gils.front());
    if (comparable && !b_.gils.empty()) change.b = of(b_, b_.gils.front());
    rows_.push_back({key, label, unit, change});
  }

  [[nodiscard]] std::vector<FigureChange> rows() && { return std::move(rows_); }

 private:
  const Profile& a_;
  const Profile& b_;
  std::vector<FigureChange> rows_;
};

std::vector<FigureChange> figures_of(const Profile& a, const Profile& b) {
  using Value = std::optional<double>;
  Figures figures{a, b};
  const auto rate = [](const Profile& run, std::uint64_t count) -> Value {
    const double wall = to_seconds(run.wall());
    return wall > 0 ? static_cast<double>(count) / wall : 0;
  };
  const bool same_interval = a.process.switch_interval == b.process.switch_interval &&
                             a.process.switch_interval > Duration{};
  figures.add(
      "held_share", "GIL held", FigureUnit::share, true,
      [](const Profile& run, const GilProfile& gil) -> Value { return share(run, gil.held); });
  figures.add(
      "contended_share", "contended", FigureUnit::share, true,
      [](const Profile& run, const GilProfile& gil) -> Value { return share(run, gil.contended); });
  figures.add(
      "wait_per_second", "threads waiting", FigureUnit::times, true,
      [](const Profile& run, const GilProfile& gil) -> Value { return share(run, gil.wait); });
  figures.add("handoffs_per_second", "hand-offs", FigureUnit::per_second, true,
              [&](const Profile& run, const GilProfile& gil) { return rate(run, gil.handoffs); });
  figures.add(
      "forced_handoffs_per_second", "forced hand-offs", FigureUnit::per_second, same_interval,
      [&](const Profile& run, const GilProfile& gil) { return rate(run, gil.forced_handoffs); });
  figures.add(
      "longest_hold_seconds", "longest hold", FigureUnit::seconds, same_rates(a, b),
      [](const Profile&, const GilProfile& gil) -> Value { return to_seconds(gil.longest_hold); });
  figures.add(
      "longest_wait_seconds", "longest wait", FigureUnit::seconds, same_rates(a, b),
      [](const Profile&, const GilProfile& gil) -> Value { return to_seconds(gil.longest_wait); });
  figures.add("potential", "potential without it", FigureUnit::times,
              a.process.cores == b.process.cores,
              [](const Profile& run, const GilProfile&) { return run.potential; });
  return std::move(figures).rows();
}

/// Threads of a pool get other numbers in every run, but people name theirs alike.
void add_threads(const Profile& run, std::map<std::string, ThreadChange>& rows,
                 std::size_t ThreadChange::* count, std::optional<double> Change::* side) {
  for (const ThreadProfile& thread : run.threads) {
    ThreadChange& row = rows[thread.name];
    row.name = thread.name;
    ++(row.*count);
    for (std::size_t i = 0; i < activity_count; ++i) {
      auto& value = row.shares.at(i).*side;
      value = value.value_or(0) + share(run, thread.times.at(i));
    }
  }
}

void add_functions(const Profile& run, std::map<FunctionName, FunctionChange>& rows,
                   std::optional<double> Change::* side) {
  for (std::size_t i = 0; i < weight_count; ++i) {
    for (const StackWeight& stack : run.stacks_by(static_cast<Weight>(i))) {
      const auto frames = run.tables->frames(stack.stack);
      std::set<FunctionName> seen;  // a recursion counts once
      for (std::size_t depth = 0; depth < frames.size(); ++depth) {
        const FunctionName name = name_of_code(*run.tables, frames[depth].code);
        FunctionChange& row = rows[name];
        row.function = name.first;
        row.file = name.second;
        const auto add = [&](Change& change) {
          change.*side = (change.*side).value_or(0) + share(run, stack.time);
        };
        if (depth + 1 == frames.size()) add(row.self.at(i));
        if (seen.insert(name).second) add(row.total.at(i));
      }
    }
  }
}

/// A side on which nothing was seen of a thread or function that the other has: that is 0, not
/// unknown.
void fill(Change& change) {
  change.a = change.a.value_or(0);
  change.b = change.b.value_or(0);
}

template <class Rows>
auto values_of(Rows rows) {
  std::vector<typename Rows::mapped_type> values;
  values.reserve(rows.size());
  for (auto& [key, row] : rows) values.push_back(std::move(row));
  return values;
}

}  // namespace

std::optional<double> Change::difference() const {
  if (!a || !b) return std::nullopt;
  return *b - *a;
}

Comparison compare(const Profile& a, const Profile& b) {
  Comparison result;
  result.notes = notes_on(a, b);
  result.figures = figures_of(a, b);
  std::map<std::string, ThreadChange> threads;
  add_threads(a, threads, &ThreadChange::threads_a, &Change::a);
  add_threads(b, threads, &ThreadChange::threads_b, &Change::b);
  for (auto& [name, row] : threads) std::ranges::for_each(row.shares, fill);
  result.threads = values_of(std::move(threads));
  if (a.progress.stacks == 0 || b.progress.stacks == 0) return result;
  std::map<FunctionName, FunctionChange> functions;
  add_functions(a, functions, &Change::a);
  add_functions(b, functions, &Change::b);
  for (auto& [name, row] : functions) {
    std::ranges::for_each(row.self, fill);
    std::ranges::for_each(row.total, fill);
  }
  result.functions = values_of(std::move(functions));
  return result;
}

}  // namespace gilspy

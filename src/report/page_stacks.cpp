#include "page_stacks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gilspy/base/text.h"

namespace gilspy {
namespace {

/// Stacks beyond so many are cut down to callers that are there already.
constexpr std::size_t most_stacks = 200'000;
/// In columns; nobody reads more of a name.
constexpr std::size_t longest_text = 300;

bool is_hold(Activity activity) {
  return activity == Activity::holding_running || activity == Activity::holding_blocked;
}

/// Looks at a thread's samples from the last to the first.
class BackwardsFilter {
 public:
  /// Whether this sample says something that those after it do not.
  bool takes(Activity activity, StackId stack) {
    std::optional<StackId>& next = next_[static_cast<std::size_t>(activity)];
    // Blame goes by the next sample of holding, in whichever way.
    const bool same = next == stack && (!is_hold(activity) || next_hold_ == stack);
    next = stack;
    if (is_hold(activity)) next_hold_ = stack;
    return !same;
  }

 private:
  std::array<std::optional<StackId>, activity_count> next_;
  std::optional<StackId> next_hold_;
};

/// The part of a tid's samples that lies in one thread's life.
std::vector<PageSample> thread_samples(const ThreadProfile& thread,
                                       const std::vector<Interval>& intervals,
                                       const std::vector<StackMoment>& moments,
                                       const PageClock& clock) {
  std::vector<PageSample> samples;
  const auto begin = std::ranges::lower_bound(moments, thread.first, {}, &StackMoment::at);
  const auto end = std::ranges::upper_bound(moments, thread.last, {}, &StackMoment::at);
  BackwardsFilter filter;
  for (const StackMoment& moment : std::ranges::subrange(begin, end) | std::views::reverse) {
    // A state that began at this very moment is the one that the sample saw.
    const auto after = std::ranges::upper_bound(intervals, moment.at, {}, &Interval::begin);
    if (after == intervals.begin()) continue;
    const Activity activity = activity_of((after - 1)->state);
    if (!filter.takes(activity, moment.stack)) continue;
    samples.push_back({clock.units(moment.at), activity, moment.stack});
  }
  std::ranges::reverse(samples);
  return samples;
}

/// Gives out numbers from 0 on in the order in which things come.
template <class Value>
class Numbers {
 public:
  std::uint32_t of(Value value) {
    const auto [entry, fresh] =
        numbers_.try_emplace(value, static_cast<std::uint32_t>(values_.size()));
    if (fresh) values_.push_back(value);
    return entry->second;
  }
  [[nodiscard]] bool has(Value value) const { return numbers_.contains(value); }
  [[nodiscard]] const std::vector<Value>& values() const { return values_; }

 private:
  std::unordered_map<Value, std::uint32_t> numbers_;
  std::vector<Value> values_;
};

/// The stacks that samples need, callers before what they call; number 0 is the empty stack.
class StackNumbers {
 public:
  explicit StackNumbers(const Tables& tables) : tables_(tables) { numbers_.of(empty_stack); }

  /// Of the stack, or of the nearest caller for which there is room.
  std::uint32_t of(StackId stack) {
    std::vector<StackId> missing;
    StackId known = stack;
    for (; !numbers_.has(known); known = tables_.stack(known).parent) missing.push_back(known);
    for (const StackId id : missing | std::views::reverse) {
      if (numbers_.values().size() >= most_stacks) break;
      numbers_.of(id);
      known = id;
    }
    return numbers_.of(known);
  }
  [[nodiscard]] const std::vector<StackId>& values() const { return numbers_.values(); }

 private:
  const Tables& tables_;
  Numbers<StackId> numbers_;
};

void pack_stacks(StackNumbers& stacks, const Tables& tables, Packer& packer) {
  Numbers<CodeId> codes;
  Numbers<StringId> strings;
  const std::vector<StackId> ids = stacks.values();
  packer.number(ids.size());
  for (const StackId stack : ids) packer.number(stacks.of(tables.stack(stack).parent));
  for (const StackId stack : ids) packer.number(codes.of(tables.stack(stack).code));
  for (const StackId stack : ids) packer.number(tables.stack(stack).line);

  packer.number(codes.values().size());
  for (const CodeId code : codes.values()) packer.number(strings.of(tables.code(code).function));
  for (const CodeId code : codes.values()) packer.number(strings.of(tables.code(code).file));
  for (const CodeId code : codes.values()) packer.byte(tables.code(code).native ? 1 : 0);
  packer.number(strings.values().size());
  for (const StringId string : strings.values()) {
    packer.text(shortened(terminal_text(tables.string(string)), longest_text));
  }
}

}  // namespace

std::vector<std::vector<PageSample>> samples_of(const Profile& profile, const PageClock& clock) {
  std::vector<std::vector<PageSample>> samples;
  samples.reserve(profile.threads.size());
  for (const ThreadProfile& thread : profile.threads) {
    samples.emplace_back();
    const auto intervals = profile.timeline.threads.find(thread.tid);
    const auto moments = profile.timeline.stacks.find(thread.tid);
    if (intervals == profile.timeline.threads.end() || moments == profile.timeline.stacks.end()) {
      continue;
    }
    samples.back() = thread_samples(thread, intervals->second, moments->second, clock);
  }
  return samples;
}

std::vector<std::vector<PageSample>> thinned(const std::vector<std::vector<PageSample>>& samples,
                                             std::size_t every) {
  std::vector<std::vector<PageSample>> result;
  result.reserve(samples.size());
  for (const auto& thread : samples) {
    std::array<std::size_t, activity_count> seen{};
    std::vector<PageSample> kept;
    for (const PageSample& sample : thread) {
      std::size_t& count = seen[static_cast<std::size_t>(sample.activity)];
      if (count++ % every == 0) kept.push_back(sample);
    }
    result.push_back(std::move(kept));
  }
  return result;
}

void pack(const std::vector<std::vector<PageSample>>& samples, const Tables& tables,
          Packer& packer) {
  StackNumbers stacks{tables};
  for (const auto& thread : samples) {
    packer.number(thread.size());
    std::uint32_t before = 0;
    for (const PageSample& sample : thread) {
      packer.number(sample.at - before);
      before = sample.at;
    }
    for (const PageSample& sample : thread) {
      packer.byte(static_cast<std::uint8_t>(sample.activity));
    }
    for (const PageSample& sample : thread) packer.number(stacks.of(sample.stack));
  }
  pack_stacks(stacks, tables, packer);
}

}  // namespace gilspy

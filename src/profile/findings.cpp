#include "gilspy/profile/findings.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <tuple>

#include "duration_math.h"
#include "waiting_time.h"

namespace gilspy {
namespace {

/// sys.getswitchinterval() unless a program changes it (CPython's DEFAULT_INTERVAL, ceval_gil.c).
constexpr Duration usual_switch_interval = std::chrono::milliseconds{5};
/// A holder asked to let go still finishes its bytecode, needs a CPU for that, and is seen at the
/// next tick: holds of up to twice the interval are everyday life.
constexpr int long_hold_intervals = 3;
constexpr Duration hold_allowance = std::chrono::milliseconds{10};
/// Shorter ones are counted when they come to this share of the run.
constexpr double call_share = 0.01;
/// Fewer waits are start-up and shutdown.
constexpr std::uint64_t fewest_waits = 20;
constexpr double convoy_share = 0.02;
/// In a queue of fair turns nobody comes by a second time; a scheduler's whim lets one slip in.
constexpr std::uint64_t often_overtaken = 4;
constexpr int starving_intervals = 10;
constexpr std::size_t most_findings = 40;

/// A hold without a break.
struct Hold {
  Time begin;
  Time end;
  Tid holder;
};

/// A GIL's holds: its intervals cut where hand-offs show that one was interrupted.
std::vector<Hold> holds_of(const Timeline& timeline, GilId gil) {
  std::vector<Hold> holds;
  const auto intervals = timeline.gils.find(gil);
  if (intervals == timeline.gils.end()) return holds;
  static const std::vector<Handoffs> none;
  const auto found = timeline.handoffs.find(gil);
  const auto& handoffs = found == timeline.handoffs.end() ? none : found->second;
  auto cut = handoffs.begin();
  for (const HolderInterval& interval : intervals->second) {
    if (interval.holder == no_thread) continue;
    Time begin = interval.begin;
    while (cut != handoffs.end() && cut->at <= begin) ++cut;
    for (; cut != handoffs.end() && cut->at < interval.end; ++cut) {
      if (cut->at > begin) holds.push_back(Hold{begin, cut->at, interval.holder});
      begin = cut->at;
    }
    holds.push_back(Hold{begin, interval.end, interval.holder});
  }
  return holds;
}

class Search {
 public:
  explicit Search(const Profile& profile)
      : profile_(profile),
        interval_(profile.process.switch_interval > Duration{} ? profile.process.switch_interval
                                                               : usual_switch_interval) {}

  std::vector<Finding> run() {
    for (const GilProfile& gil : profile_.gils) search(gil.id);
    give_away_nameless();
    std::vector<Finding> findings;
    findings.reserve(found_.size());
    for (const auto& [key, group] : found_) {
      if (!is_worth_it(group.sum)) continue;
      findings.push_back(group.sum);
      const auto most = std::ranges::max_element(
          group.natives, {}, &std::pair<const std::optional<CodeId>, Duration>::second);
      if (most != group.natives.end()) findings.back().native = most->first;
      findings.back().threads = group.threads.size();
      name_engine(findings.back(), group);
    }
    std::ranges::stable_sort(findings, std::ranges::greater{}, &Finding::waited);
    if (findings.size() > most_findings) findings.resize(most_findings);
    return findings;
  }

 private:
  /// What makes occurrences one finding: kind, system call, code, and where that is not known,
  /// thread.
  using Key = std::tuple<FindingKind, std::int16_t, bool, CodeId, Tid>;
  struct Group {
    Finding sum;
    std::set<Tid> threads;
    std::map<std::optional<CodeId>, Duration> natives;  ///< on top; nothing: Python's own code
    std::map<Tid, std::uint64_t> behind;  ///< under convoy: how many of the waits, by who held it
    [[nodiscard]] bool has_code() const { return sum.stack != empty_stack; }
  };

  void search(GilId gil) {
    std::vector<Tid> threads;
    std::vector<std::vector<Span>> waits;
    for (const auto& [tid, intervals] : profile_.timeline.threads) {
      const ThreadProfile* thread = profile_.thread(tid);
      if (thread == nullptr || thread->gil != gil) continue;
      threads.push_back(tid);
      waits.push_back(waits_among(intervals));
    }
    const std::vector<Hold> holds = holds_of(profile_.timeline, gil);
    const WaitingTime waiting{waits};
    find_long_holds(holds, waiting);
    for (std::size_t i = 0; i < threads.size(); ++i) {
      find_calls(threads[i], waiting);
      find_convoy(threads[i], waits[i], holds);
      find_starving(threads[i], waits[i], holds);
    }
  }

  void find_long_holds(const std::vector<Hold>& holds, const WaitingTime& waiting) {
    const Duration longest = std::max(long_hold_intervals * interval_, interval_ + hold_allowance);
    for (const Hold& hold : holds) {
      if (hold.end - hold.begin < longest) continue;
      const Duration waited = waiting.within(hold.begin, hold.end);
      // Somebody has to have asked for it; who holds undisturbed holds as long as it likes.
      if (waited < longest) continue;
      Finding finding = at(FindingKind::long_hold, hold.holder, hold.begin, hold.end);
      finding.waited = waited;
      finding.stack = stack_at(hold.holder, hold.begin, hold.end);
      add(finding);
    }
  }

  void find_calls(Tid tid, const WaitingTime& waiting) {
    for (const Interval& interval : profile_.timeline.threads.at(tid)) {
      if (activity_of(interval.state) != Activity::holding_blocked) continue;
      Finding finding = at(FindingKind::held_in_syscall, tid, interval.begin, interval.end);
      finding.waited = waiting.within(interval.begin, interval.end);
      finding.syscall = interval.state.syscall;
      finding.stack = stack_at(tid, interval.begin, interval.end);
      add(finding);
    }
  }

  void find_convoy(Tid tid, const std::vector<Span>& waits, const std::vector<Hold>& holds) {
    const ThreadProfile& thread = *profile_.thread(tid);
    if (waits.size() < fewest_waits) return;
    const auto count = static_cast<std::int64_t>(waits.size());
    Duration held = time_in(thread.times, Activity::holding_running);
    add_to(held, time_in(thread.times, Activity::holding_blocked));
    const Duration waited = time_in(thread.times, Activity::waiting);
    // One that computes uses its whole interval, and is the convoy's engine.
    if (held / count > interval_ / 2 || waited / count < interval_ / 2) return;
    for (const Span& wait : waits) {
      Finding finding = at(FindingKind::convoy, tid, wait.begin, wait.end);
      finding.other = most_in(wait, tid, holds);
      add(finding);
    }
  }

  /// Who held the GIL for most of a wait; no_thread when nobody is known to have.
  static Tid most_in(const Span& wait, Tid waiter, const std::vector<Hold>& holds) {
    std::map<Tid, Duration> times;
    auto hold = std::ranges::upper_bound(holds, wait.begin, {}, &Hold::end);
    for (; hold != holds.end() && hold->begin < wait.end; ++hold) {
      if (hold->holder == waiter) continue;
      add_to(times[hold->holder],
             std::min(hold->end, wait.end) - std::max(hold->begin, wait.begin));
    }
    const auto most = std::ranges::max_element(times, {}, &std::pair<const Tid, Duration>::second);
    return most == times.end() ? no_thread : most->first;
  }

  /// A convoy has an engine: who held the GIL in most of its waits.
  static void name_engine(Finding& finding, const Group& group) {
    if (finding.kind != FindingKind::convoy) return;
    const auto most =
        std::ranges::max_element(group.behind, {}, &std::pair<const Tid, std::uint64_t>::second);
    finding.other = most == group.behind.end() ? no_thread : most->first;
    finding.overtaken = most == group.behind.end() ? 0 : most->second;
  }

  void find_starving(Tid tid, const std::vector<Span>& waits, const std::vector<Hold>& holds) {
    for (const Span& wait : waits) {
      if (wait.length() < starving_intervals * interval_) continue;
      std::map<Tid, std::uint64_t> turns;
      auto hold = std::ranges::lower_bound(holds, wait.begin, {}, &Hold::begin);
      for (; hold != holds.end() && hold->begin < wait.end; ++hold) {
        if (hold->holder != tid) ++turns[hold->holder];
      }
      const auto most =
          std::ranges::max_element(turns, {}, &std::pair<const Tid, std::uint64_t>::second);
      if (most == turns.end() || most->second < often_overtaken) continue;
      Finding finding = at(FindingKind::starving, tid, wait.begin, wait.end);
      finding.other = most->first;
      finding.overtaken = most->second;
      add(finding);
    }
  }

  static Finding at(FindingKind kind, Tid thread, Time begin, Time end) {
    Finding finding;
    finding.kind = kind;
    finding.thread = thread;
    finding.begin = begin;
    finding.end = end;
    finding.count = 1;
    finding.total = end - begin;
    finding.waited = end - begin;
    return finding;
  }

  /// Adds an occurrence to its finding, of which the longest one stays the example.
  void add(const Finding& one) {
    const bool has_code = one.stack != empty_stack;
    const bool by_thread = !has_code && (one.kind == FindingKind::long_hold ||
                                         one.kind == FindingKind::held_in_syscall);
    const Key key{one.kind, one.syscall, has_code, code_of(one.stack),
                  by_thread ? one.thread : no_thread};
    Group group{one, {one.thread}, {}, {}};
    if (has_code) group.natives[native_of(one.stack)] = one.total;
    if (one.kind == FindingKind::convoy && one.other != no_thread) group.behind[one.other] = 1;
    const auto [entry, fresh] = found_.try_emplace(key, group);
    if (!fresh) join(entry->second, group);
  }

  static void join(Group& group, const Group& other) {
    group.threads.insert(other.threads.begin(), other.threads.end());
    for (const auto& [code, time] : other.natives) add_to(group.natives[code], time);
    for (const auto& [holder, waits] : other.behind) group.behind[holder] += waits;
    const Finding before = group.sum;
    const bool better_example = other.sum.longest() > before.longest() &&
                                (other.sum.stack != empty_stack || before.stack == empty_stack);
    if (better_example) group.sum = other.sum;
    group.sum.count = before.count + other.sum.count;
    group.sum.total = before.total;
    add_to(group.sum.total, other.sum.total);
    group.sum.waited = before.waited;
    add_to(group.sum.waited, other.sum.waited);
  }

  /// Where no sample fell into an occurrence, it is most likely that of the same thread's others.
  void give_away_nameless() {
    for (auto& [key, group] : found_) {
      if (!group.has_code()) continue;
      const std::set<Tid> threads = group.threads;
      for (const Tid thread : threads) {
        const auto nameless =
            found_.find(Key{group.sum.kind, group.sum.syscall, false, CodeId{}, thread});
        if (nameless == found_.end()) continue;
        join(group, nameless->second);
        found_.erase(nameless);
      }
    }
  }

  [[nodiscard]] CodeId code_of(StackId stack) const {
    if (stack == empty_stack) return CodeId{};
    const Tables& tables = *profile_.tables;
    return tables.python_top(stack).value_or(tables.stack(stack)).code;
  }

  [[nodiscard]] std::optional<CodeId> native_of(StackId stack) const {
    const auto top = profile_.tables->stack(stack);
    return profile_.tables->is_native(top) ? std::optional{top.code} : std::nullopt;
  }

  [[nodiscard]] bool is_worth_it(const Finding& finding) const {
    const double share = share_of(finding.total, profile_.wall());
    switch (finding.kind) {
      case FindingKind::held_in_syscall:
        return share >= call_share || finding.longest() >= interval_;
      case FindingKind::convoy: return share >= convoy_share;
      case FindingKind::long_hold:
      case FindingKind::starving: return true;
    }
    return true;
  }

  /// What the thread did then, by its first sample in that time.
  [[nodiscard]] StackId stack_at(Tid tid, Time begin, Time end) const {
    const auto moments = profile_.timeline.stacks.find(tid);
    if (moments == profile_.timeline.stacks.end()) return empty_stack;
    const auto next = std::ranges::lower_bound(moments->second, begin, {}, &StackMoment::at);
    return next == moments->second.end() || next->at > end ? empty_stack : next->stack;
  }

  const Profile& profile_;
  Duration interval_;
  std::map<Key, Group> found_;
};

}  // namespace

std::string_view name_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::long_hold: return "long hold";
    case FindingKind::held_in_syscall: return "held across a system call";
    case FindingKind::convoy: return "convoy";
    case FindingKind::starving: return "starving";
  }
  return "";
}

std::vector<Finding> findings_of(const Profile& profile) { return Search(profile).run(); }

}  // namespace gilspy

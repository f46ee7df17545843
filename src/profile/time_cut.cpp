#include "gilspy/profile/time_cut.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <type_traits>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace gilspy {
namespace {

/// The share `passed` has of `whole`, of a count that grew meanwhile.
std::uint64_t part_of(std::uint64_t from, std::uint64_t to, double share) {
  if (to < from) return from;
  return from + static_cast<std::uint64_t>(std::llround(static_cast<double>(to - from) * share));
}

/// The totals at a moment between two Progress events.
Progress between(const Progress& a, const Progress& b, Time at) {
  if (b.at <= a.at) return b;
  const double share = std::clamp(to_seconds(at - a.at) / to_seconds(b.at - a.at), 0.0, 1.0);
  Progress result;
  result.at = at;
  result.ticks = part_of(a.ticks, b.ticks, share);
  result.missed = part_of(a.missed, b.missed, share);
  result.unstable = part_of(a.unstable, b.unstable, share);
  result.during_handoff = part_of(a.during_handoff, b.during_handoff, share);
  result.stacks = part_of(a.stacks, b.stacks, share);
  result.stacks_dropped = part_of(a.stacks_dropped, b.stacks_dropped, share);
  result.trouble.retried = part_of(a.trouble.retried, b.trouble.retried, share);
  result.trouble.retries = part_of(a.trouble.retries, b.trouble.retries, share);
  for (std::size_t i = 0; i < stack_drop_count; ++i) {
    result.trouble.dropped.at(i) = part_of(a.trouble.dropped.at(i), b.trouble.dropped.at(i), share);
  }
  result.cpu =
      a.cpu +
      Duration{static_cast<std::int64_t>(static_cast<double>((b.cpu - a.cpu).count()) * share)};
  return result;
}

/// What came since `base`.
Progress since(const Progress& base, Progress progress) {
  const auto less = [](std::uint64_t& value, std::uint64_t by) { value -= std::min(value, by); };
  less(progress.ticks, base.ticks);
  less(progress.missed, base.missed);
  less(progress.unstable, base.unstable);
  less(progress.during_handoff, base.during_handoff);
  less(progress.stacks, base.stacks);
  less(progress.stacks_dropped, base.stacks_dropped);
  less(progress.trouble.retried, base.trouble.retried);
  less(progress.trouble.retries, base.trouble.retries);
  for (std::size_t i = 0; i < stack_drop_count; ++i) {
    less(progress.trouble.dropped.at(i), base.trouble.dropped.at(i));
  }
  progress.cpu -= base.cpu;
  return progress;
}

}  // namespace

class TimeCut::State {
 public:
  State(TimeRange range, SampleSink& next) : range_(range), next_(next) {}

  void accept(const Event& event) {
    const auto at = time_of(event);
    if (!at) {
      const auto* gil = std::get_if<GilDefined>(&event);
      if (gil != nullptr) gils_[gil->id].defined = *gil;
      // Ids are needed whenever they were defined; but a GIL comes after its process.
      if (gil == nullptr || began_) next_.accept(event);
      return;
    }
    now_ = std::max(now_, *at);
    if (!start_) {
      start_ = now_;
      last_progress_.at = now_;
      begin_ = *start_ + range_.from;
      if (range_.to) end_ = *start_ + *range_.to;
    }
    if (!began_ && now_ >= begin_) begin();
    if (const auto* progress = std::get_if<Progress>(&event)) {
      count(*progress);
      return;
    }
    if (now_ > end_) return;
    if (began_) {
      next_.accept(event);
      follow_processes(event);
      say_what_it_is();
    } else {
      std::visit([this](const auto& e) { remember(e); }, event);
    }
  }

  void finish() {
    if (!began_ || ended_) return;
    if (now_ > end_) close(last_progress_);
  }

  [[nodiscard]] Duration length() const { return start_ ? now_ - *start_ : Duration{}; }

 private:
  struct Thread {
    ThreadSeen seen;
    std::optional<StateChanged> state;
    std::optional<StackSampled> stack;  ///< as long as the state is the one it was sampled in
  };

  struct Gil {
    std::optional<GilDefined> defined;
    std::optional<GilChanged> changed;
  };

  // What holds at a moment, before the part begins.
  void remember(const ProcessStarted& event) {
    processes_.insert_or_assign(event.pid, event);
    forget_threads(event.pid);
  }
  void remember(const ProcessEnded& event) {
    processes_.erase(event.pid);
    forget_threads(event.pid);
  }
  void remember(const ThreadSeen& event) {
    threads_.try_emplace(event.tid, Thread{event, {}, {}}).first->second.seen = event;
  }
  void remember(const ThreadGone& event) { threads_.erase(event.tid); }
  void remember(const StateChanged& event) {
    const auto thread = threads_.find(event.tid);
    if (thread == threads_.end()) return;
    thread->second.state = event;
    thread->second.stack.reset();
  }
  void remember(const StackSampled& event) {
    const auto thread = threads_.find(event.tid);
    if (thread != threads_.end()) thread->second.stack = event;
  }
  void remember(const Traced& event) { traced_ = event; }
  void remember(const GilChanged& event) { gils_[event.gil].changed = event; }
  template <class Other>
  void remember(const Other&) {}  // notes of another time, and definitions, which went through

  void forget_threads(Pid pid) {
    std::erase_if(threads_, [&](const auto& entry) { return entry.second.seen.pid == pid; });
    std::erase_if(gils_, [&](const auto& entry) {
      return entry.second.defined && entry.second.defined->pid == pid;
    });
  }

  /// Tells what holds when the part begins.
  void begin() {
    began_ = true;
    for (auto& [pid, process] : processes_) {
      if (process.unix_ns != 0) process.unix_ns += (begin_ - process.at).count();
      process.at = begin_;
      next_.accept(process);
    }
    if (traced_) {
      traced_->at = begin_;
      next_.accept(*traced_);
    }
    for (const auto& [id, gil] : gils_) {
      if (gil.defined) next_.accept(*gil.defined);
    }
    for (auto& [tid, thread] : threads_) {
      thread.seen.at = begin_;
      next_.accept(thread.seen);
    }
    for (auto& [id, gil] : gils_) {
      if (!gil.changed) continue;
      gil.changed->at = begin_;
      gil.changed->handoffs = 0;
      next_.accept(*gil.changed);
    }
    for (auto& [tid, thread] : threads_) {
      if (!thread.state) continue;
      thread.state->at = begin_;
      next_.accept(*thread.state);
      if (!thread.stack) continue;
      thread.stack->at = begin_;
      next_.accept(*thread.stack);
    }
    say_what_it_is();
  }

  /// Once there is a process to say it of.
  void say_what_it_is() {
    if (said_ || processes_.empty()) return;
    said_ = true;
    const std::string until = range_.to ? fmt::format("{:g} s", to_seconds(*range_.to)) : "the end";
    next_.accept(Noted{
        begin_, processes_.begin()->first,
        fmt::format("only a part of the recording: {:g} s to {}", to_seconds(range_.from), until)});
  }

  void follow_processes(const Event& event) {
    if (const auto* process = std::get_if<ProcessStarted>(&event)) {
      processes_.insert_or_assign(process->pid, *process);
    } else if (const auto* ended = std::get_if<ProcessEnded>(&event)) {
      processes_.erase(ended->pid);
    }
  }

  void count(const Progress& progress) {
    if (ended_) return;
    if (began_ && !base_) base_ = between(last_progress_, progress, begin_);
    if (now_ > end_) {
      close(between(last_progress_, progress, end_));
    } else if (began_) {
      next_.accept(since(*base_, progress));
    }
    last_progress_ = progress;
  }

  /// Ends the stream at the end of the part.
  void close(Progress progress) {
    ended_ = true;
    progress.at = end_;
    next_.accept(since(base_.value_or(last_progress_), progress));
    for (const auto& [pid, process] : processes_) {
      next_.accept(ProcessEnded{end_, pid, EndReason::requested});
    }
  }

  TimeRange range_;
  SampleSink& next_;
  std::optional<Time> start_;
  Time begin_;
  Time end_ = Time::max();
  Time now_;
  bool began_ = false;
  bool ended_ = false;
  bool said_ = false;
  std::map<Pid, ProcessStarted> processes_;  ///< those that live
  std::map<Tid, Thread> threads_;
  std::map<GilId, Gil> gils_;
  std::optional<Traced> traced_;
  Progress last_progress_;
  std::optional<Progress> base_;  ///< the totals at the beginning of the part
};

TimeCut::TimeCut(TimeRange range, SampleSink& next)
    : state_(std::make_unique<State>(range, next)) {}
TimeCut::~TimeCut() = default;

void TimeCut::accept(const Event& event) { state_->accept(event); }
void TimeCut::finish() { state_->finish(); }
Duration TimeCut::length() const { return state_->length(); }

}  // namespace gilspy

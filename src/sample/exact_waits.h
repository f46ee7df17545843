#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gilspy/base/time.h"
#include "gilspy/model/ids.h"
#include "gilspy/python/gil.h"
#include "trace_records.h"

namespace gilspy {

/// What a thread did, as it follows from the kernel's records.
struct Transition {
  enum class Kind : std::uint8_t {
    given_cpu,
    preempted,
    blocked,
    wait_began,  ///< for `gil`
    wait_ended,  ///< by taking `gil`, or without it: see `takes`
    took,        ///< without having waited, while the holder before waits for that
    gave_up,     ///< let go of `gil`, for which others wait
  } kind = Kind::given_cpu;
  /// Whether a wait ended by taking the GIL. `unless_held`: only a mutex was waited for, at the
  /// beginning of take_gil or of drop_gil; it took the GIL unless it held it before.
  enum class Takes : std::uint8_t { no, yes, unless_held } takes = Takes::no;
  Time at;
  Tid tid;
  RemoteAddress gil;

  friend bool operator==(const Transition&, const Transition&) = default;
};

/// Makes waits for the GIL out of the futex calls and context switches of threads. Pure: it knows
/// what it is told.
///
/// take_gil (Python/ceval_gil.c) waits on gil.cond until the GIL is free or the switch interval is
/// over, and again; drop_gil waits on gil.switch_cond until another thread has taken the GIL. A
/// wait begins with the first such call. Its end is where the thread got a CPU again after the last
/// one. Whether it was the last shows a moment later: a thread that looks at the GIL and waits on
/// needs a few microseconds of CPU for that, one that took it needs longer or does something else.
class ExactWaits {
 public:
  /// The GIL that a futex belongs to, and which of its parts it is; nothing for any other.
  using Locate = std::function<std::optional<std::pair<RemoteAddress, GilFutex>>(std::uint64_t)>;

  explicit ExactWaits(Locate locate) : locate_(std::move(locate)) {}

  /// Takes records in the order of time.
  void take(const TraceRecord& record);
  /// Decides what the time that has passed until `at` decides: nothing earlier will be taken.
  void settle(Time at);
  /// Nothing is known of the threads any more: records were lost.
  void forget();
  /// Tells how a thread stands of which nothing is known.
  void adopt(Tid tid, Time at, bool on_cpu, std::optional<RemoteAddress> waits_for);

  [[nodiscard]] bool knows(Tid tid) const { return threads_.contains(tid); }
  /// How a thread that is known stands now.
  struct Standing {
    bool on_cpu = true;
    bool waits = false;
  };
  [[nodiscard]] Standing standing(Tid tid) const;
  /// The transitions up to `at`, in the order of time. The end of a wait is told some microseconds
  /// late, and may be earlier than what was taken before.
  [[nodiscard]] std::vector<Transition> take_until(Time at);
  [[nodiscard]] std::vector<Transition> peek_until(Time at) const;

 private:
  enum class Stage : std::uint8_t {
    away,    ///< does not wait
    inside,  ///< a futex call
    back,    ///< from it
  };
  struct Thread {
    Stage stage = Stage::away;
    bool on_cpu = true;
    bool took = false;     ///< back, and has done what comes after the GIL is taken
    bool delayed = false;  ///< back, but lost its CPU on the way
    Time since;            ///< when it came back
    Duration used{};       ///< CPU time from there to its last preemption
    Time cpu_since;
    RemoteAddress gil;
    Transition::Takes takes = Transition::Takes::no;  ///< if it ended now

    [[nodiscard]] Duration cpu_used(Time at) const {
      return used + (on_cpu ? at - cpu_since : Duration{});
    }
  };

  Thread& thread(const TraceRecord& record);
  void take_call(const TraceRecord& record);
  void wait(Thread& thread, const TraceRecord& record, RemoteAddress gil, GilFutex part);
  void wake(Thread& thread, const TraceRecord& record, RemoteAddress gil, GilFutex part);
  void come_back(Thread& thread, const TraceRecord& record);
  void give_cpu(Thread& thread, const TraceRecord& record);
  void leave_cpu(Thread& thread, const TraceRecord& record);
  void end_wait(Thread& thread, Tid tid, Time at);
  void settle(Thread& thread, Tid tid, Time at);
  void tell(Transition::Kind kind, Time at, Tid tid, RemoteAddress gil = {},
            Transition::Takes takes = Transition::Takes::no);

  Locate locate_;
  std::unordered_map<Tid, Thread> threads_;
  /// Words of the GILs' cond on which threads wait: glibc's condition variables have others, on
  /// which those who signal wait and are woken.
  std::set<std::uint64_t> wait_words_;
  std::deque<Transition> told_;  // in the order of time
};

}  // namespace gilspy

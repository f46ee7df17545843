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
/// wait begins with the first such call. It is over where the thread wakes others after the last
/// one: whoever has slept for a mutex, or beside one, leaves it marked as wanted and calls futex to
/// unlock it (glibc, nptl/lowlevellock.c, lll_cond_lock). But a wait that goes on unlocks it as
/// well. Whether it was the last shows a moment later: a thread that waits on needs a few
/// microseconds of CPU for that, one that has the GIL needs longer or does something else.
class ExactWaits {
 public:
  /// The GIL that a futex belongs to, and which of its parts it is; nothing for any other.
  using Locate = std::function<std::optional<std::pair<RemoteAddress, GilFutex>>(std::uint64_t)>;

  explicit ExactWaits(Locate locate) : locate_(std::move(locate)) {}

  /// Takes records in the order of time.
  void take(const TraceRecord& record);
  /// Decides what the time that has passed until `at` decides: nothing earlier will be taken.
  void settle(Time at);
  /// The memory of the target says who has a GIL, as of `at` or later: if its wait may be over, it
  /// is.
  void settle_holder(RemoteAddress gil, Tid holder, Time at);
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
    RemoteAddress gil;
    Transition::Takes takes = Transition::Takes::no;  ///< if its wait ended now
    bool asleep = false;                              ///< inside, and has given its CPU up
    // Back from a wait:
    Time returned;             ///< when it has got a CPU
    std::optional<Time> woke;  ///< others: its wait is over, unless it waits again
    bool lost_cpu = false;     ///< since then
    Duration used{};           ///< CPU time since the last of these, up to its last preemption
    Time cpu_since;

    [[nodiscard]] Duration cpu_used(Time at) const {
      return used + (on_cpu ? at - cpu_since : Duration{});
    }
    void count_cpu_from(Time at) {
      used = {};
      cpu_since = at;
      lost_cpu = false;
    }
  };

  Thread& thread(const TraceRecord& record);
  void take_call(const TraceRecord& record);
  void wait(Thread& thread, const TraceRecord& record, RemoteAddress gil, GilFutex part);
  void begin_wait(Thread& thread, Tid tid, Time at, RemoteAddress gil, GilFutex part);
  void wake(Thread& thread, const TraceRecord& record, RemoteAddress gil, GilFutex part);
  void wake_in_wait(Thread& thread, const TraceRecord& record, GilFutex part, bool gives_up);
  static void come_back(Thread& thread, Time at);
  void give_cpu(Thread& thread, const TraceRecord& record);
  void leave_cpu(Thread& thread, const TraceRecord& record);
  void end_wait(Thread& thread, Tid tid);
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

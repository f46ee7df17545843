#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gilspy/locate/target.h"
#include "gilspy/model/tables.h"
#include "gilspy/os/thread_files.h"
#include "gilspy/python/gil.h"
#include "gilspy/python/interpreters.h"
#include "gilspy/python/pthread_ids.h"
#include "gilspy/python/pthread_waits.h"
#include "kernel_view.h"
#include "power_watch.h"
#include "rest.h"

namespace gilspy {

/// A Python thread state of a thread, and the GIL that it takes.
struct Standing {
  PythonThread python;
  std::size_t gil = 0;  ///< index into LaneTable::gils()
};

/// The stack of a thread that did not hold the GIL, and whose hold it was meanwhile.
struct StackRead {
  StackId stack;
  GilMoment hold;
};

/// What is kept about one thread of the target from tick to tick.
struct Lane {
  Lane(const ProcDir& process, Tid id, Time found) : tid(id), since(found), files(process, id) {}

  Tid tid;
  Time since;  ///< when it was found
  ThreadFiles files;
  /// The main interpreter's first. A thread that runs code in another interpreter has a thread
  /// state there as well, and leaves the first one waiting until it is back.
  std::vector<Standing> standings;
  std::size_t active = 0;      ///< index of the one it runs in now
  RemoteAddress active_state;  ///< its thread state: the index changes as states come and go

  Rest rest;
  std::optional<StackRead> stack_read;
  std::optional<StackId> rest_stack;  ///< as read during this rest
  std::optional<StackId> owed_stack;  ///< of time at rest that no sample speaks for yet

  ThreadState state;          ///< as last told to the sink
  bool told = false;          ///< the sink has seen a state of this lane
  KernelView kernel;          ///< what the kernel's records say of it, where there are any
  bool kernel_moves = false;  ///< they tell of changes within this tick's time
  /// At the last tick, when it was on a run queue and not the holder; else nothing.
  std::optional<SchedStat> sched;
  bool lacked_cpu = false;                     ///< at that tick
  PthreadPlace place = PthreadPlace::unknown;  ///< likewise
  bool handing_over = false;  ///< lost its CPU inside drop_gil and has not run since
  /// As of when it was seen waiting for the GIL last; nothing once it was seen elsewhere.
  std::optional<SchedStat> sched_waiting;

  /// Null for a native thread.
  [[nodiscard]] const Standing* standing() const {
    return active < standings.size() ? &standings[active] : nullptr;
  }
};

struct GilLane {
  GilLane(GilReader reads, GilId gil_id) : reader(reads), id(gil_id) {}

  GilReader reader;
  GilId id;
  bool defined = false;             ///< the sink knows of it: not before it is on
  std::vector<std::int64_t> users;  ///< ids of the interpreters that have shared it so far
  RemoteAddress interpreter;   ///< the first that uses it now; where the thread list is watched
  RemoteAddress threads_head;  ///< as of the last refresh
  CondWaiters cond_waiters;
  PowerWatch power;

  std::optional<GilMoment> last;   ///< as of the last tick
  Time held_since;                 ///< when the last change of holder was seen
  Duration last_hold{};            ///< how long the holder before this one had it
  std::optional<Tid> told_holder;  ///< as last told to the sink
  // With the kernel's records:
  std::optional<Tid> last_taker;    ///< the last holder told
  std::uint64_t told_handoffs = 0;  ///< hand-offs told that gil.switch_number has yet to show
  bool kernel_moves = false;        ///< as of a lane
};

/// Which threads and GILs there are, kept in step with the target; tells the sink of comings,
/// goings and names.
class LaneTable {
 public:
  LaneTable(const ProcDir& process, MemoryReader& memory, const Target& target, Interner& interner,
            SampleSink& sink);

  /// Looks at the process's threads and at Python's own lists anew. Returns false when the target
  /// is gone. A Python list that cannot be read now leaves things as they were.
  bool refresh(Time at);
  /// The same without the process's threads, for when they are known to be the same.
  bool refresh_python(Time at);
  /// Whether the last looks found what the ones before had found: nobody is on the way in or out.
  [[nodiscard]] bool is_settled(Time at) const {
    return interpreters_.size() == 1 && at - changed_at_ >= settling;
  }

  /// Whether a thread is about to begin whose thread state does not say yet that it is its own.
  [[nodiscard]] bool awaits_threads() const { return awaits_threads_; }

  [[nodiscard]] std::vector<Lane>& lanes() { return lanes_; }
  [[nodiscard]] const std::vector<Lane>& lanes() const { return lanes_; }
  [[nodiscard]] std::vector<GilLane>& gils() { return gils_; }
  [[nodiscard]] const std::vector<GilLane>& gils() const { return gils_; }
  /// The thread runs in that one of its standings now.
  void activate(Lane& lane, std::size_t standing, Time at);
  /// Tells the sink of a GIL, and of the threads that take it.
  void define(GilLane& gil, Time at);
  /// The thread that a Python thread state belongs to; no_thread when it is not known.
  [[nodiscard]] Tid tid_of(RemoteAddress thread_state) const;

 private:
  struct Identity {
    std::string name;
    bool threading_name = false;  ///< from `threading`, not from the kernel
    bool python = false;
    std::optional<GilId> gil;
    friend bool operator==(const Identity&, const Identity&) = default;
  };

  /// A thread has its native id, its thread state and its name one after the other.
  static constexpr Duration settling = std::chrono::milliseconds{250};

  void follow_tasks(Time at);
  void forget_gils(Time at, const std::vector<PythonInterpreter>& interpreters);
  void follow_python(Time at, const std::vector<PythonInterpreter>& interpreters);
  void find_newcomers(const PythonInterpreter& interpreter, Time at);
  [[nodiscard]] bool is_on_its_way(RemoteAddress thread_state, Time at) const;
  void join(GilLane& gil, const PythonInterpreter& interpreter, Time at);
  std::size_t gil_index(const PythonInterpreter& interpreter);
  void tell_thread(const Lane& lane, Time at);
  void follow_names(Time at, const std::vector<PythonInterpreter>& interpreters);
  void learn_tids(std::vector<PythonInterpreter>& interpreters);
  [[nodiscard]] Tid outside_tid(std::uint64_t native_id) const;
  [[nodiscard]] bool has_task(std::uint64_t native_id) const;

  const ProcDir& process_;
  MemoryReader& memory_;
  const Target& target_;
  Interner& interner_;
  SampleSink& sink_;
  std::vector<Lane> lanes_;
  std::vector<GilLane> gils_;
  std::uint32_t next_gil_ = 0;
  std::vector<PythonInterpreter> interpreters_;           // as read last
  std::unordered_map<RemoteAddress, Tid> tids_;           // by Python thread state
  std::unordered_map<RemoteAddress, Time> newcomers_;     // likewise: when they were seen first
  std::unordered_map<std::uint64_t, std::string> names_;  // by thread.ident
  std::map<Tid, Identity> told_;
  std::unordered_map<std::uint64_t, Tid> namespace_tids_;
  bool same_namespace_ = true;
  PthreadIds pthread_ids_;
  bool awaits_threads_ = false;
  Time names_read_at_;
  std::size_t next_named_ = 0;  ///< the lane whose name is read again next
  Time changed_at_;             ///< when a refresh found something new last
};

}  // namespace gilspy

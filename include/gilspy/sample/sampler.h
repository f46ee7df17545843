#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gilspy/base/memory_reader.h"
#include "gilspy/locate/target.h"
#include "gilspy/model/events.h"
#include "gilspy/model/tables.h"

namespace gilspy {

struct SamplerOptions {
  double state_hz = 1000;  ///< 0: as fast as it goes
  double stack_hz = 100;   ///< 0: at every tick
  /// Stop the thread that holds the GIL while its stack is read (ptrace): no stack is a guess then.
  bool consistent = false;
  /// Put the native functions between the Python ones, and read threads without Python as well.
  bool native = false;
  /// Take the kernel's own records of context switches and futex calls, where they may be had.
  bool exact = false;
};

/// Looks at one target, tick by tick, and tells a sink what changed.
class Sampler {
 public:
  enum class Outcome {
    alive,
    ended,   ///< the process has ended
    execed,  ///< the process has become another program
  };

  /// All four must outlive the sampler. The interner sends its definitions into the same sink; one
  /// sink has one interner, also for the program that the process becomes by exec.
  Sampler(const ProcDir& process, MemoryReader& memory, SampleSink& sink, Interner& interner,
          Target target, SamplerOptions options);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Tells of the process and its threads. Returns what tick() would.
  Outcome begin();
  /// Waits until the native functions' names have been read, so that the first stack has them:
  /// otherwise they come as they are read, within the first moments.
  void wait_for_names();
  /// One look at the GIL and every thread; with `stacks`, at their Python stacks as well.
  Outcome tick(bool stacks);
  /// Goes to the CPU of the thread that is likely to hold the GIL when a tick with stacks comes.
  void go_to_holder();
  /// Leaves that CPU to the thread when one without stacks comes: to look at states from elsewhere
  /// takes nothing away from it.
  void leave_holder();
  /// From now on there are so many ticks and looks at stacks a second, as SamplerOptions says, and
  /// the sink is told why.
  void change_rates(double state_hz, double stack_hz, const std::string& why);
  /// Tells the sink.
  void note(std::string text);
  /// Counts moments for which no tick was made.
  void missed(std::uint64_t ticks);
  /// Whether the sink can take what a tick tells.
  [[nodiscard]] bool has_room() const;
  /// Counts a moment for which no tick was made because it could not.
  void missed_for_room();
  /// Counts how late the next tick comes.
  void late(Duration by);
  /// Tells the totals and the end.
  void end(EndReason reason);

  /// Readable when much has been recorded since the last tick; -1 where nothing is recorded.
  [[nodiscard]] int records_fd() const;
  /// Keeps what has been recorded, so that no record gets lost before the next tick.
  void keep_records();

  [[nodiscard]] std::uint64_t ticks() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace gilspy

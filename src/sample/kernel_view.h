#pragma once

#include <optional>

#include "exact_waits.h"
#include "gilspy/model/thread_state.h"

namespace gilspy {

/// What the kernel's records say of one thread, and what ticks said of it before: together they
/// tell its state at moments at which nobody looked.
///
/// Between ticks a thread that comes to run, or to block, is told in the state in which the last
/// tick saw it do so: on the average over many ticks that is right in the share of them in which it
/// was.
class KernelView {
 public:
  explicit KernelView(bool knows_waits = false) : knows_waits_(knows_waits) {}

  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] bool waiting() const { return waiting_; }
  [[nodiscard]] CpuState cpu() const { return cpu_; }
  /// A tick of this moment is no evidence against that it has the GIL: it was taking it.
  [[nodiscard]] bool was_taking(Time at) const;

  void know(CpuState cpu, bool waiting);
  void forget() { known_ = false; }
  /// Takes one step of the thread's.
  void follow(const Transition& step);
  /// Whether it has the GIL once a wait of this kind is over.
  [[nodiscard]] bool takes(Transition::Takes takes) const;

  /// Whether the thread ran, or blocked, as a tick says it did.
  [[nodiscard]] bool agrees(ThreadState sampled) const { return sampled.cpu == cpu_; }
  /// Learns from a tick that saw the thread while it stood as this view says.
  void learn(ThreadState sampled);

  /// What a tick saw, where the kernel does not know better.
  [[nodiscard]] ThreadState agreed(ThreadState sampled) const;
  /// The state it is in after it has come to run, or to block, from `before`.
  /// `other_holds`: another thread has the GIL; `others_wait`: for the GIL that this one has.
  [[nodiscard]] ThreadState running(ThreadState before, bool other_holds) const;
  [[nodiscard]] ThreadState blocked(ThreadState before, bool others_wait) const;
  [[nodiscard]] ThreadState in_wait(ThreadState before) const;

  /// Whether the thread held the GIL when its wait began.
  void set_held(bool held) { held_ = held; }

 private:
  bool knows_waits_;
  bool known_ = false;
  bool waiting_ = false;
  bool held_ = false;
  CpuState cpu_ = CpuState::unknown;
  std::optional<Time> took_at_;
  std::optional<ThreadState> when_running_;
  std::optional<ThreadState> when_blocked_;
};

}  // namespace gilspy

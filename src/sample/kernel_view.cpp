#include "kernel_view.h"

#include <sys/syscall.h>

namespace gilspy {
namespace {

/// From the end of a wait, when the thread gets a CPU, to where gil.locked shows that it has taken
/// the GIL.
constexpr Duration longest_taking = std::chrono::microseconds{20};

/// Of a thread on a CPU, or without one: in no system call.
ThreadState outside_calls(ThreadState state, CpuState cpu) {
  state.cpu = cpu;
  state.kind = BlockKind::none;
  state.syscall = -1;
  return state;
}

GilState not_holding(GilState gil) { return gil == GilState::none ? gil : GilState::released; }

}  // namespace

bool KernelView::was_taking(Time at) const { return took_at_ && at - *took_at_ < longest_taking; }

void KernelView::know(CpuState cpu, bool waiting) {
  known_ = true;
  cpu_ = cpu;
  waiting_ = waiting;
}

bool KernelView::takes(Transition::Takes takes) const {
  return takes == Transition::Takes::yes || (takes == Transition::Takes::unless_held && !held_);
}

void KernelView::follow(const Transition& step) {
  using Kind = Transition::Kind;
  switch (step.kind) {
    case Kind::given_cpu: cpu_ = CpuState::running; return;
    case Kind::preempted: cpu_ = CpuState::runnable; return;
    case Kind::blocked: cpu_ = CpuState::blocked; return;
    case Kind::wait_began: waiting_ = true; return;
    case Kind::wait_ended:
      waiting_ = false;
      if (takes(step.takes)) took_at_ = step.at;
      return;
    case Kind::took: took_at_ = step.at; return;
    case Kind::gave_up: took_at_.reset(); return;
  }
}

void KernelView::learn(ThreadState sampled) {
  if (!known_ || waiting_ || sampled.gil == GilState::unknown) return;
  if (knows_waits_ && sampled.gil == GilState::waiting) return;
  if (sampled.cpu == cpu_ && cpu_ == CpuState::running) when_running_ = sampled;
  if (sampled.cpu == cpu_ && cpu_ == CpuState::blocked) when_blocked_ = sampled;
}

ThreadState KernelView::in_wait(ThreadState before) const {
  ThreadState state = outside_calls(before, cpu_);
  state.gil = GilState::waiting;
  if (cpu_ != CpuState::blocked) return state;
  state.syscall = SYS_futex;
  state.kind = BlockKind::lock;
  return state;
}

ThreadState KernelView::agreed(ThreadState sampled) const {
  if (!known_ || sampled.cpu == CpuState::stopped) return sampled;
  if (knows_waits_ && waiting_) return in_wait(sampled);
  ThreadState state = sampled;
  if (knows_waits_ && sampled.gil == GilState::waiting) state.gil = GilState::released;
  if (cpu_ != CpuState::blocked) return outside_calls(state, cpu_);
  // Woken since: the kernel records when it gets a CPU.
  if (sampled.cpu == CpuState::runnable) return state;
  if (sampled.cpu == CpuState::blocked && sampled.gil == state.gil) return state;
  return blocked(state, false);
}

ThreadState KernelView::running(ThreadState before, bool other_holds) const {
  ThreadState state = outside_calls(when_running_.value_or(before), CpuState::running);
  if (before.gil == GilState::holding) {
    state.gil = GilState::holding;
  } else if ((state.gil == GilState::holding && other_holds) ||
             (!when_running_ && before.gil == GilState::waiting)) {
    state.gil = GilState::released;
  }
  return state;
}

ThreadState KernelView::blocked(ThreadState before, bool others_wait) const {
  ThreadState state = before;
  const bool holds = before.gil == GilState::holding;
  // Nobody was woken: it has not given the GIL up.
  const bool keeps = knows_waits_ && holds && others_wait;
  const bool usual = when_blocked_ && (!keeps || when_blocked_->gil == GilState::holding);
  if (usual) {
    state = *when_blocked_;
  } else {
    state = outside_calls(before, CpuState::blocked);
    state.kind = BlockKind::other;
    if (!keeps) state.gil = not_holding(before.gil);
  }
  if (state.gil == GilState::holding && !holds) state.gil = GilState::released;
  state.cpu = CpuState::blocked;
  return state;
}

}  // namespace gilspy

#include "gilspy/os/thread_stop.h"

#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gilspy {
namespace {

/// Retries what a signal to gilspy interrupts.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Waits until the thread has stopped or ended, and leaves its end for those it concerns: the exit
/// status of a program that `record` launched must not be taken here.
bool wait_for_stop(pid_t tid) {
  siginfo_t info{};
  const int seen = uninterrupted([&] {
    return ::waitid(P_PID, static_cast<id_t>(tid), &info, WEXITED | WSTOPPED | WNOWAIT | __WALL);
  });
  return seen == 0 && info.si_pid == tid && info.si_code == CLD_TRAPPED;
}

}  // namespace

std::optional<ThreadStop> ThreadStop::stop(Tid tid) {
  if (::ptrace(PTRACE_SEIZE, tid.value, nullptr, nullptr) != 0) return std::nullopt;
  // From here on the thread has to be let go, however this goes on; without a stop there is no way.
  if (::ptrace(PTRACE_INTERRUPT, tid.value, nullptr, nullptr) != 0) return std::nullopt;
  if (!wait_for_stop(tid.value)) return std::nullopt;
  int status = 0;
  const pid_t stopped = uninterrupted([&] { return ::waitpid(tid.value, &status, __WALL); });
  if (stopped != tid.value || !WIFSTOPPED(status)) return std::nullopt;
  ThreadStop thread{tid};
  // Stopped by the interruption, or by a signal that came first and is still to be delivered.
  const bool interrupted = (static_cast<unsigned>(status) >> 16U) == PTRACE_EVENT_STOP;
  if (!interrupted) thread.signal_ = WSTOPSIG(status);
  return thread;
}

ThreadStop::ThreadStop(ThreadStop&& other) noexcept
    : tid_(std::exchange(other.tid_, no_thread)), signal_(std::exchange(other.signal_, 0)) {}

ThreadStop& ThreadStop::operator=(ThreadStop&& other) noexcept {
  if (this == &other) return *this;
  release();
  tid_ = std::exchange(other.tid_, no_thread);
  signal_ = std::exchange(other.signal_, 0);
  return *this;
}

ThreadStop::~ThreadStop() { release(); }

std::optional<Registers> ThreadStop::registers() const {
  user_regs_struct r{};
  if (::ptrace(PTRACE_GETREGS, tid_.value, nullptr, &r) != 0) return std::nullopt;
  // By DWARF number.
  const std::array values{r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8,
                          r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip};
  static_assert(values.size() == Registers::count);
  Registers registers;
  for (std::size_t i = 0; i < values.size(); ++i) registers.set(i, values[i]);
  return registers;
}

void ThreadStop::release() {
  if (tid_ == no_thread) return;
  // ptrace takes the signal's number in the place of a pointer.
  ::ptrace(PTRACE_DETACH, tid_.value, nullptr, static_cast<long>(signal_));
}

}  // namespace gilspy

#include "gilspy/model/thread_state.h"

#include <sys/syscall.h>
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gilspy {
namespace {

struct Syscall {
  std::int16_t number;
  std::string_view name;
  BlockKind kind;
};

/// The system calls a thread is seen blocked in, sorted by number; any other is `other`.
/// Numbers: arch/x86/entry/syscalls/syscall_64.tbl (kernel 6.x), through <sys/syscall.h>.
constexpr std::array syscalls{
    Syscall{SYS_read, "read", BlockKind::io},
    Syscall{SYS_write, "write", BlockKind::io},
    Syscall{SYS_open, "open", BlockKind::io},
    Syscall{SYS_close, "close", BlockKind::io},
    Syscall{SYS_stat, "stat", BlockKind::io},
    Syscall{SYS_fstat, "fstat", BlockKind::io},
    Syscall{SYS_poll, "poll", BlockKind::poll},
    Syscall{SYS_mmap, "mmap", BlockKind::other},
    Syscall{SYS_mprotect, "mprotect", BlockKind::other},
    Syscall{SYS_munmap, "munmap", BlockKind::other},
    Syscall{SYS_brk, "brk", BlockKind::other},
    Syscall{SYS_ioctl, "ioctl", BlockKind::io},
    Syscall{SYS_pread64, "pread64", BlockKind::io},
    Syscall{SYS_pwrite64, "pwrite64", BlockKind::io},
    Syscall{SYS_readv, "readv", BlockKind::io},
    Syscall{SYS_writev, "writev", BlockKind::io},
    Syscall{SYS_select, "select", BlockKind::poll},
    Syscall{SYS_sched_yield, "sched_yield", BlockKind::other},
    Syscall{SYS_madvise, "madvise", BlockKind::other},
    Syscall{SYS_pause, "pause", BlockKind::other},
    Syscall{SYS_nanosleep, "nanosleep", BlockKind::sleep},
    Syscall{SYS_sendfile, "sendfile", BlockKind::io},
    Syscall{SYS_connect, "connect", BlockKind::io},
    Syscall{SYS_accept, "accept", BlockKind::io},
    Syscall{SYS_sendto, "sendto", BlockKind::io},
    Syscall{SYS_recvfrom, "recvfrom", BlockKind::io},
    Syscall{SYS_sendmsg, "sendmsg", BlockKind::io},
    Syscall{SYS_recvmsg, "recvmsg", BlockKind::io},
    Syscall{SYS_shutdown, "shutdown", BlockKind::io},
    Syscall{SYS_clone, "clone", BlockKind::child},
    Syscall{SYS_fork, "fork", BlockKind::child},
    Syscall{SYS_vfork, "vfork", BlockKind::child},
    Syscall{SYS_execve, "execve", BlockKind::other},
    Syscall{SYS_wait4, "wait4", BlockKind::child},
    Syscall{SYS_semop, "semop", BlockKind::lock},
    Syscall{SYS_msgsnd, "msgsnd", BlockKind::io},
    Syscall{SYS_msgrcv, "msgrcv", BlockKind::io},
    Syscall{SYS_fcntl, "fcntl", BlockKind::lock},
    Syscall{SYS_flock, "flock", BlockKind::lock},
    Syscall{SYS_fsync, "fsync", BlockKind::io},
    Syscall{SYS_fdatasync, "fdatasync", BlockKind::io},
    Syscall{SYS_ftruncate, "ftruncate", BlockKind::io},
    Syscall{SYS_getdents, "getdents", BlockKind::io},
    Syscall{SYS_rename, "rename", BlockKind::io},
    Syscall{SYS_unlink, "unlink", BlockKind::io},
    Syscall{SYS_rt_sigtimedwait, "rt_sigtimedwait", BlockKind::other},
    Syscall{SYS_rt_sigsuspend, "rt_sigsuspend", BlockKind::other},
    Syscall{SYS_sync, "sync", BlockKind::io},
    Syscall{SYS_futex, "futex", BlockKind::lock},
    Syscall{SYS_io_getevents, "io_getevents", BlockKind::io},
    Syscall{SYS_getdents64, "getdents64", BlockKind::io},
    Syscall{SYS_restart_syscall, "restart_syscall", BlockKind::other},
    Syscall{SYS_semtimedop, "semtimedop", BlockKind::lock},
    Syscall{SYS_clock_nanosleep, "clock_nanosleep", BlockKind::sleep},
    Syscall{SYS_epoll_wait, "epoll_wait", BlockKind::poll},
    Syscall{SYS_mq_timedsend, "mq_timedsend", BlockKind::io},
    Syscall{SYS_mq_timedreceive, "mq_timedreceive", BlockKind::io},
    Syscall{SYS_waitid, "waitid", BlockKind::child},
    Syscall{SYS_openat, "openat", BlockKind::io},
    Syscall{SYS_newfstatat, "newfstatat", BlockKind::io},
    Syscall{SYS_unlinkat, "unlinkat", BlockKind::io},
    Syscall{SYS_pselect6, "pselect6", BlockKind::poll},
    Syscall{SYS_ppoll, "ppoll", BlockKind::poll},
    Syscall{SYS_splice, "splice", BlockKind::io},
    Syscall{SYS_sync_file_range, "sync_file_range", BlockKind::io},
    Syscall{SYS_epoll_pwait, "epoll_pwait", BlockKind::poll},
    Syscall{SYS_fallocate, "fallocate", BlockKind::io},
    Syscall{SYS_accept4, "accept4", BlockKind::io},
    Syscall{SYS_preadv, "preadv", BlockKind::io},
    Syscall{SYS_pwritev, "pwritev", BlockKind::io},
    Syscall{SYS_recvmmsg, "recvmmsg", BlockKind::io},
    Syscall{SYS_sendmmsg, "sendmmsg", BlockKind::io},
    Syscall{SYS_getrandom, "getrandom", BlockKind::io},
    Syscall{SYS_copy_file_range, "copy_file_range", BlockKind::io},
    Syscall{SYS_io_uring_enter, "io_uring_enter", BlockKind::io},
    Syscall{SYS_clone3, "clone3", BlockKind::child},
    Syscall{SYS_epoll_pwait2, "epoll_pwait2", BlockKind::poll},
    Syscall{SYS_futex_waitv, "futex_waitv", BlockKind::lock},
    // futex_wait, kernel 6.7 and later; glibc's headers of this age do not name it.
    Syscall{455, "futex_wait", BlockKind::lock},
};
static_assert(std::ranges::is_sorted(syscalls, {}, &Syscall::number));

const Syscall* find_syscall(std::int16_t number) {
  const auto* found = std::ranges::lower_bound(syscalls, number, {}, &Syscall::number);
  return found != syscalls.end() && found->number == number ? found : nullptr;
}

bool off_cpu(CpuState cpu) { return cpu == CpuState::blocked || cpu == CpuState::stopped; }

std::string in_syscall(ThreadState state) {
  if (state.cpu == CpuState::stopped) return "stopped";
  const std::string name = syscall_name(state.syscall);
  return name.empty() ? std::string(name_of(state.kind)) : name;
}

}  // namespace

Activity activity_of(ThreadState state) {
  switch (state.gil) {
    case GilState::unknown: return Activity::unknown;
    case GilState::waiting: return Activity::waiting;
    case GilState::holding:
      return off_cpu(state.cpu) ? Activity::holding_blocked : Activity::holding_running;
    case GilState::none:
    case GilState::released: break;
  }
  switch (state.cpu) {
    case CpuState::running: return Activity::running;
    case CpuState::runnable: return Activity::runnable;
    case CpuState::blocked:
    case CpuState::stopped: return Activity::blocked;
    case CpuState::unknown: break;
  }
  return Activity::unknown;
}

bool wants_cpu(ThreadState state) {
  switch (activity_of(state)) {
    case Activity::holding_running:
    case Activity::waiting:
    case Activity::running:
    case Activity::runnable: return state.cpu != CpuState::stopped;
    case Activity::holding_blocked:
    case Activity::blocked:
    case Activity::unknown: break;
  }
  return false;
}

std::string_view name_of(GilState state) {
  switch (state) {
    case GilState::unknown: return "unknown";
    case GilState::none: return "none";
    case GilState::released: return "released";
    case GilState::waiting: return "waiting";
    case GilState::holding: return "holding";
  }
  return "unknown";
}

std::string_view name_of(CpuState state) {
  switch (state) {
    case CpuState::unknown: return "unknown";
    case CpuState::running: return "running";
    case CpuState::runnable: return "runnable";
    case CpuState::blocked: return "blocked";
    case CpuState::stopped: return "stopped";
  }
  return "unknown";
}

std::string_view name_of(BlockKind kind) {
  switch (kind) {
    case BlockKind::none: return "none";
    case BlockKind::lock: return "lock";
    case BlockKind::io: return "io";
    case BlockKind::sleep: return "sleep";
    case BlockKind::child: return "child";
    case BlockKind::poll: return "poll";
    case BlockKind::other: return "other";
  }
  return "other";
}

std::string_view name_of(Attachment attachment) {
  switch (attachment) {
    case Attachment::none: return "none";
    case Attachment::detached: return "detached";
    case Attachment::attached: return "attached";
    case Attachment::suspended: return "suspended";
  }
  return "none";
}

std::string_view name_of(Activity activity) {
  switch (activity) {
    case Activity::holding_running: return "holding, running";
    case Activity::holding_blocked: return "holding, blocked";
    case Activity::waiting: return "waiting for the GIL";
    case Activity::running: return "running without the GIL";
    case Activity::blocked: return "blocked";
    case Activity::runnable: return "runnable";
    case Activity::unknown: return "unknown";
  }
  return "unknown";
}

std::string describe(ThreadState state) {
  if (state.attachment == Attachment::suspended) return "suspended (the world is stopped)";
  if (state.attachment != Attachment::none) {
    const auto attachment = std::exchange(state.attachment, Attachment::none);
    const bool runs = activity_of(state) == Activity::running;
    return fmt::format("{}, {}", name_of(attachment), runs ? "running" : describe(state));
  }
  switch (activity_of(state)) {
    case Activity::holding_blocked: return fmt::format("holding, blocked ({})", in_syscall(state));
    case Activity::blocked:
      if (state.cpu == CpuState::stopped) return "stopped";
      return fmt::format("blocked ({}: {})", name_of(state.kind), in_syscall(state));
    default: return std::string(name_of(activity_of(state)));
  }
}

std::string syscall_name(std::int16_t number) {
  if (number < 0) return "";
  const Syscall* call = find_syscall(number);
  return call != nullptr ? std::string(call->name) : fmt::format("syscall {}", number);
}

BlockKind block_kind_of(std::int16_t syscall) {
  const Syscall* call = find_syscall(syscall);
  return call != nullptr ? call->kind : BlockKind::other;
}

}  // namespace gilspy

#include "gilspy/os/access.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>

#include "gilspy/os/process_memory.h"
#include "gilspy/os/thread_files.h"

namespace gilspy {
namespace {

constexpr int cap_sys_ptrace = 19;  // include/uapi/linux/capability.h

bool have_ptrace_capability() {
  const auto self = ProcDir::open(Pid{::getpid()});
  const auto line = self ? self->status("CapEff") : std::nullopt;
  std::uint64_t set = 0;
  if (!line) return false;
  std::from_chars(line->data(), line->data() + line->size(), set, 16);
  return (set >> cap_sys_ptrace & 1) != 0;
}

int yama_scope() {
  std::ifstream file("/proc/sys/kernel/yama/ptrace_scope");
  int scope = 0;
  file >> scope;
  return file ? scope : 0;
}

AccessCheck check_system_call() {
  AccessCheck check{"process_vm_readv", true, "the system call works here", ""};
  const std::uint64_t secret = 42;
  std::uint64_t copy = 0;
  ProcessMemory self{Pid{::getpid()}};
  const std::array slot{ReadSlot{RemoteAddress{reinterpret_cast<std::uintptr_t>(&secret)},
                                 std::as_writable_bytes(std::span{&copy, 1})}};
  const auto done = self.read_batch(slot);
  if (done && *done == 1 && copy == secret) return check;
  check.good = false;
  check.finding = "a seccomp filter forbids process_vm_readv in here";
  check.fix =
      "start the container with --cap-add SYS_PTRACE (or --security-opt seccomp=unconfined)";
  return check;
}

AccessCheck check_capability() {
  if (have_ptrace_capability()) return {"CAP_SYS_PTRACE", true, "gilspy has it", ""};
  return {"CAP_SYS_PTRACE", true, "gilspy does not have it: only your own processes can be read",
          ""};
}

AccessCheck check_yama() {
  const int scope = yama_scope();
  const bool capable = have_ptrace_capability();
  if (scope == 0) return {"Yama ptrace_scope", true, "0 or absent: no restriction", ""};
  if (scope < 3 && capable) {
    return {"Yama ptrace_scope", true, fmt::format("{}, but CAP_SYS_PTRACE stands above it", scope),
            ""};
  }
  if (scope == 1) {
    return {"Yama ptrace_scope", false, "1: only a program's own parent may read it",
            "sudo gilspy ... , or: sudo sysctl kernel.yama.ptrace_scope=0 , or launch it with "
            "gilspy record"};
  }
  if (scope == 2) {
    return {"Yama ptrace_scope", false, "2: only with CAP_SYS_PTRACE", "sudo gilspy ..."};
  }
  return {"Yama ptrace_scope", false, "3: no process may read another until the next boot",
          "remove kernel.yama.ptrace_scope=3 from /etc/sysctl.d and reboot"};
}

AccessCheck check_user(const ProcDir& process) {
  const auto user = process.user();
  if (user && *user == ::geteuid()) return {"user", true, "it is yours", ""};
  const std::string whose =
      user ? fmt::format("it belongs to user id {}", *user) : "its user is not shown";
  if (have_ptrace_capability()) return {"user", true, whose + "; CAP_SYS_PTRACE allows it", ""};
  return {"user", false, whose, "sudo gilspy ... , or run gilspy as that user"};
}

/// The kernel gives /proc/PID of a process that may not be dumped to root (fs/proc/base.c,
/// task_dump_owner).
AccessCheck check_dumpable(const ProcDir& process) {
  struct stat info{};
  const auto user = process.user();
  const auto path = fmt::format("/proc/{}", process.pid().value);
  const bool off = user && *user != 0 && ::stat(path.c_str(), &info) == 0 && info.st_uid == 0;
  if (!off) return {"dumpable", true, "yes", ""};
  if (have_ptrace_capability())
    return {"dumpable", true, "off, but CAP_SYS_PTRACE stands above it", ""};
  return {"dumpable", false, "it is not dumpable (set-user-id, file capabilities or prctl)",
          "sudo gilspy ..."};
}

AccessCheck check_namespace(const ProcDir& process, const std::string& kind,
                            const std::string& note) {
  const auto self = ProcDir::open(Pid{::getpid()});
  const auto ours = self ? self->link("ns/" + kind) : std::nullopt;
  const auto theirs = process.link("ns/" + kind);
  const std::string name = kind + " namespace";
  if (!theirs) return {name, true, "not shown", ""};
  if (ours == theirs) return {name, true, "the same as gilspy's", ""};
  return {name, true, note, ""};
}

AccessCheck check_read(const ProcDir& process) {
  switch (read_access(process)) {
    case Access::allowed: return {"reading its memory", true, "tried, works", ""};
    case Access::gone:
      return {"reading its memory", false, "it has ended",
              "find the process again: pgrep -a python"};
    case Access::denied: break;
  }
  if (have_ptrace_capability()) {
    // CAP_SYS_PTRACE counts in the target's user namespace; kernel threads have no memory at all.
    return {"reading its memory", false,
            "refused although gilspy has CAP_SYS_PTRACE: a kernel thread, or a process of another "
            "user namespace",
            "run gilspy on the host, or in the process's own container"};
  }
  return {"reading its memory", false, "tried, refused by the kernel", "sudo gilspy ..."};
}

}  // namespace

Access read_access(const ProcDir& process) {
  int error = 0;
  const auto text = process.read("maps", error);
  if (!text) return error == ESRCH || error == ENOENT ? Access::gone : Access::denied;
  const auto maps = parse_maps(*text);
  const auto readable =
      std::ranges::find_if(maps, [](const Mapping& m) { return m.readable && m.inode != 0; });
  if (readable == maps.end()) return process.alive() ? Access::denied : Access::gone;
  ProcessMemory memory{process.pid()};
  if (!memory.read_value<std::uint8_t>(readable->range.begin)) {
    return process.alive() ? Access::denied : Access::gone;
  }
  const ThreadFiles files{process, Tid{process.pid().value}};
  const auto call = files.syscall();
  if (call.kind == SyscallNow::Kind::unreadable) return Access::denied;
  return Access::allowed;
}

std::vector<AccessCheck> check_machine() {
  return {check_system_call(), check_capability(), check_yama()};
}

std::vector<AccessCheck> check_process(const ProcDir& process) {
  return {check_user(process),
          check_dumpable(process),
          check_namespace(process, "pid", "another one: thread ids are translated"),
          check_namespace(process, "mnt", "another one: its files are read through /proc/PID/root"),
          check_namespace(process, "user",
                          "another one: root outside of it, or its own user, may read it"),
          check_read(process)};
}

std::string why_denied(const ProcDir& process) {
  std::vector<AccessCheck> checks = check_process(process);
  // Yama only matters once user and dumpable are right, and the plain refusal says the least.
  const std::vector<AccessCheck> machine = check_machine();
  checks.insert(checks.end() - 1, machine.begin(), machine.end());
  for (const AccessCheck& check : checks) {
    if (!check.good) return fmt::format("{}; fix: {}", check.finding, check.fix);
  }
  return "the kernel refuses; see gilspy doctor --pid " + std::to_string(process.pid().value);
}

}  // namespace gilspy

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/base/address.h"
#include "gilspy/base/unique_fd.h"
#include "gilspy/model/ids.h"

/// What /proc says about a process. Everything may vanish at any moment: absent means gone or
/// denied.
namespace gilspy {

/// One line of /proc/PID/maps.
struct Mapping {
  RemoteRange range;
  std::uint64_t offset = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  std::uint64_t inode = 0;
  std::string path;  ///< as the target sees it; may end in " (deleted)"
};

/// Parses the text of a maps file; lines that make no sense are left out.
[[nodiscard]] std::vector<Mapping> parse_maps(std::string_view text);

/// The fields of /proc/PID/stat that gilspy needs.
struct ProcStat {
  char state = '?';  ///< R S D T t Z X
  Pid parent;
  bool exiting = false;           ///< on its way out: PF_EXITING of include/linux/sched.h
  std::uint64_t threads = 0;      ///< how many there are
  std::uint64_t start_ticks = 0;  ///< clock ticks after boot: tells a reused pid apart
  std::uint64_t start_stack = 0;  ///< 0 while it ends, and in the middle of an exec
  int cpu = 0;                    ///< that it runs on, or ran on last
};
[[nodiscard]] std::optional<ProcStat> parse_stat(std::string_view text);

/// A process's /proc folder, opened once: a reused pid cannot slip in afterwards.
class ProcDir {
 public:
  /// Nothing when there is no such process.
  [[nodiscard]] static std::optional<ProcDir> open(Pid pid);

  [[nodiscard]] Pid pid() const { return pid_; }
  [[nodiscard]] bool alive() const;

  /// A file below the folder, whole (bounded). `path` like "maps" or "task/12/stat".
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const;
  /// Like read(), with the errno of the failure in `error`.
  [[nodiscard]] std::optional<std::string> read(const std::string& path, int& error) const;
  [[nodiscard]] UniqueFd open_file(const std::string& path) const;
  /// A handle that stands for the file without opening it (O_PATH).
  [[nodiscard]] UniqueFd open_handle(const std::string& path) const;
  [[nodiscard]] std::optional<std::string> link(const std::string& path) const;

  [[nodiscard]] std::vector<Mapping> maps() const;
  [[nodiscard]] std::optional<ProcStat> stat() const;
  /// Arguments joined with spaces, or the comm in brackets.
  [[nodiscard]] std::string command_line() const;
  [[nodiscard]] std::string thread_name(Tid tid) const;
  [[nodiscard]] std::vector<Tid> threads() const;
  [[nodiscard]] std::vector<Pid> children() const;
  /// Effective user id; nothing when it cannot be read.
  [[nodiscard]] std::optional<uid_t> user() const;
  /// A "Key:\tvalue" line of /proc/PID/status, without the key.
  [[nodiscard]] std::optional<std::string> status(std::string_view key) const;
  /// How many CPUs it may run on.
  [[nodiscard]] std::uint32_t cores() const;

  /// The target's idea of a thread id, and ours: pid namespaces number differently (NSpid).
  [[nodiscard]] std::optional<std::int32_t> id_inside(Tid tid) const;

 private:
  ProcDir(Pid pid, UniqueFd folder) : pid_(pid), folder_(std::move(folder)) {}
  Pid pid_;
  UniqueFd folder_;
};

/// Finds a process's descendants, nearest first.
[[nodiscard]] std::vector<Pid> descendants_of(Pid pid);

}  // namespace gilspy

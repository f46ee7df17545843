#include "gilspy/os/target_root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace gilspy {
namespace {

/// Turns a path handle into a descriptor to read from.
UniqueFd open_regular(const UniqueFd& handle) {
  struct stat info{};
  if (!handle || ::fstat(handle.get(), &info) != 0 || !S_ISREG(info.st_mode)) return UniqueFd{};
  return UniqueFd{
      ::open(fmt::format("/proc/self/fd/{}", handle.get()).c_str(), O_RDONLY | O_CLOEXEC)};
}

UniqueFd handle_in_root(const ProcDir& process, const std::string& path, std::uint64_t flags) {
  const UniqueFd root = process.open_handle("root");
  if (!root) return UniqueFd{};
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | flags;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  // No wrapper in glibc 2.36.
  const long handle = ::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how));
  return UniqueFd{static_cast<int>(handle)};
}

}  // namespace

UniqueFd open_mapped_file(const ProcDir& process, const std::string& path) {
  return open_regular(process.open_handle(path));
}

UniqueFd open_in_root(const ProcDir& process, const std::string& path) {
  return open_regular(handle_in_root(process, path, 0));
}

UniqueFd open_own_in_root(const ProcDir& process, const std::string& path) {
  UniqueFd file = open_regular(handle_in_root(process, path, O_NOFOLLOW));
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0) return UniqueFd{};
  return info.st_uid == 0 || info.st_uid == process.user() ? std::move(file) : UniqueFd{};
}

}  // namespace gilspy

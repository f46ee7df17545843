#include "gilspy/os/open_files.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

#include "gilspy/base/unique_fd.h"

namespace gilspy {
namespace {

/// Two for each of 2,000 threads. The table takes up 32 kB.
constexpr rlim_t many = 4096;

}  // namespace

void make_room_for_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == 0) return;
  const UniqueFd any{::open("/", O_PATH | O_CLOEXEC)};
  const auto last = static_cast<int>(std::min(limit.rlim_cur, many)) - 1;
  // There is room for all below one that is in use.
  const UniqueFd highest{::fcntl(any.get(), F_DUPFD_CLOEXEC, last)};
}

void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace gilspy

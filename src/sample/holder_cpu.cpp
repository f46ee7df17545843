#include "holder_cpu.h"

#include <sched.h>

#include <utility>

#include "gilspy/os/move_to_cpu.h"

namespace gilspy {

void HolderCpu::go_to(const Lane& holder) {
  const bool known = holder.tid == whose_ && ::sched_getcpu() == cpu_ && looks_ < most_looks;
  ++looks_;
  if (known) return;
  whose_ = holder.tid;
  cpu_ = holder.files.cpu().value_or(-1);
  looks_ = 0;
  static_cast<void>(move_to_cpu(cpu_));
}

void HolderCpu::leave() {
  if (std::exchange(whose_, no_thread) == no_thread) return;
  if (::sched_getcpu() == cpu_) static_cast<void>(leave_cpu());
}

}  // namespace gilspy

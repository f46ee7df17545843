#pragma once

#include <sys/uio.h>

#include <array>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/model/ids.h"

namespace gilspy {

/// A live process's memory, read with process_vm_readv(2): the target neither stops nor notices.
class ProcessMemory : public MemoryReader {
 public:
  explicit ProcessMemory(Pid pid) : pid_(pid) {}

  [[nodiscard]] Result<std::size_t> read_batch(std::span<const ReadSlot> slots) override;

 private:
  void add(const ReadSlot* before, const ReadSlot& slot);

  Pid pid_;
  std::vector<iovec> local_;
  std::vector<iovec> remote_;
  std::array<std::byte, 8192> unwanted_{};  // what lies between pieces that are read as one
};

}  // namespace gilspy

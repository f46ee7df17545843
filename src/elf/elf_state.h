#pragma once

#include <libelf.h>

#include <utility>
#include <vector>

#include "gilspy/elf/elf_file.h"

namespace gilspy {

class ElfFile::State {
 public:
  State(UniqueFd file, Elf* elf) : file_(std::move(file)), elf_(elf) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { elf_end(elf_); }

  [[nodiscard]] Elf* elf() const { return elf_; }
  [[nodiscard]] int fd() const { return file_.get(); }
  std::vector<ElfSegment> segments;

 private:
  UniqueFd file_;
  Elf* elf_;
};

}  // namespace gilspy

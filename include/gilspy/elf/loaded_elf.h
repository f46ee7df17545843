#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/base/memory_reader.h"

namespace gilspy {

/// An ELF file as the dynamic loader has left it in a process's memory: what there is of it when
/// the file itself is gone. It has the exported names, but neither sections nor .symtab.
class LoadedElf {
 public:
  /// `begin`: where the file's first byte is mapped. Nothing when no ELF program lies there.
  [[nodiscard]] static std::optional<LoadedElf> read(MemoryReader& memory, RemoteAddress begin);

  /// Where an exported symbol lies in the process.
  [[nodiscard]] std::optional<RemoteAddress> symbol(std::string_view name) const;
  /// Lower-case hex; empty when there is none.
  [[nodiscard]] const std::string& build_id() const { return build_id_; }

 private:
  LoadedElf() = default;
  void read_notes(MemoryReader& memory, RemoteAddress at, std::uint64_t size);
  void read_dynamic(MemoryReader& memory, RemoteAddress at, std::uint64_t size);

  std::uint64_t bias_ = 0;
  std::uint64_t extent_ = 0;  // highest linked address
  std::string build_id_;
  std::vector<std::byte> symbols_;  // .dynsym
  std::vector<std::byte> names_;    // .dynstr
};

}  // namespace gilspy

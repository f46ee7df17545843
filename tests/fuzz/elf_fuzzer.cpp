#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "gilspy/elf/elf_file.h"
#include "gilspy/elf/function_names.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gilspy::UniqueFd file{::memfd_create("elf", MFD_CLOEXEC)};
  if (::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  const auto elf = gilspy::ElfFile::open(std::move(file));
  if (!elf) return 0;
  for (const char* name : {"_PyRuntime", "Py_Version", ""}) {
    if (const auto symbol = elf->symbol(name)) (void)elf->value_at(symbol->address, 8);
  }
  (void)elf->section(".PyRuntime");
  if (elf->section_bytes(".PyRuntime").size() > size) std::abort();
  gilspy::FunctionNames names;
  names.add(*elf);
  for (const std::uint64_t at : {0UL, 0x1000UL, 0x2000UL, ~0UL}) {
    (void)gilspy::readable_name(names.at(at).name);
  }
  (void)elf->build_id();
  (void)elf->debug_link();
  (void)elf->stripped();
  (void)elf->checksum();
  for (const gilspy::ElfSegment& segment : elf->segments()) (void)elf->value_at(segment.address, 4);
  return 0;
}

#include "gilspy/elf/elf_file.h"

#include <elf.h>
#include <elfutils/libdwelf.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "elf_state.h"
#include "gilspy/base/bytes.h"

namespace gilspy {

namespace {

constexpr std::uint64_t max_section = 64U << 20;
constexpr std::uint64_t max_checksummed = 1U << 30;

bool is_x86_64_program(Elf* elf) {
  GElf_Ehdr header;
  return elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) != nullptr &&
         header.e_machine == EM_X86_64 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         (header.e_type == ET_EXEC || header.e_type == ET_DYN);
}

std::vector<ElfSegment> load_segments(Elf* elf) {
  std::vector<ElfSegment> segments;
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) return segments;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr) break;
    if (header.p_type != PT_LOAD) continue;
    segments.push_back({header.p_vaddr, header.p_offset, header.p_filesz, header.p_memsz});
  }
  return segments;
}

std::optional<ElfSymbol> find_in_table(Elf* elf, Elf_Scn* section, const GElf_Shdr& header,
                                       std::string_view name) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return std::nullopt;
  const std::size_t count = data->d_size / sizeof(Elf64_Sym);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
    if (symbol.st_shndx == SHN_UNDEF) continue;
    const char* symbol_name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (symbol_name != nullptr && name == symbol_name) {
      return ElfSymbol{symbol.st_value, symbol.st_size};
    }
  }
  return std::nullopt;
}

Elf_Scn* find_section(Elf* elf, std::string_view name, GElf_Shdr& header) {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return nullptr;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    if (gelf_getshdr(section, &header) == nullptr) continue;
    const char* section_name = elf_strptr(elf, names, header.sh_name);
    if (section_name != nullptr && name == section_name) return section;
  }
  return nullptr;
}

}  // namespace

ElfFile::ElfFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
ElfFile::ElfFile(ElfFile&&) noexcept = default;
ElfFile& ElfFile::operator=(ElfFile&&) noexcept = default;
ElfFile::~ElfFile() = default;

std::optional<ElfFile> ElfFile::open(UniqueFd file) {
  elf_version(EV_CURRENT);
  // ELF_C_READ, not mmap: a file truncated while we look must not kill us with SIGBUS.
  Elf* elf = elf_begin(file.get(), ELF_C_READ, nullptr);
  if (elf == nullptr) return std::nullopt;
  auto state = std::make_unique<State>(std::move(file), elf);
  if (!is_x86_64_program(elf)) return std::nullopt;
  state->segments = load_segments(elf);
  return ElfFile{std::move(state)};
}

const std::vector<ElfSegment>& ElfFile::segments() const { return state_->segments; }

std::optional<ElfSymbol> ElfFile::symbol(std::string_view name) const {
  // .dynsym is small and has the exported names; .symtab may be gone or long.
  for (const GElf_Word kind : {SHT_DYNSYM, SHT_SYMTAB}) {
    Elf_Scn* section = nullptr;
    while ((section = elf_nextscn(state_->elf(), section)) != nullptr) {
      GElf_Shdr header;
      if (gelf_getshdr(section, &header) == nullptr || header.sh_type != kind) continue;
      if (auto found = find_in_table(state_->elf(), section, header, name)) return found;
    }
  }
  return std::nullopt;
}

void ElfFile::visit_functions(
    const std::function<void(std::string_view, const ElfSymbol&, bool)>& visit) const {
  const GElf_Word kind = stripped() ? SHT_DYNSYM : SHT_SYMTAB;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(state_->elf(), section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != kind) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    const std::size_t count = data != nullptr ? data->d_size / sizeof(Elf64_Sym) : 0;
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      const auto type = GELF_ST_TYPE(symbol.st_info);
      if (symbol.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC)) continue;
      const char* name = elf_strptr(state_->elf(), header.sh_link, symbol.st_name);
      const bool global = GELF_ST_BIND(symbol.st_info) != STB_LOCAL;
      if (name != nullptr) visit(name, {symbol.st_value, symbol.st_size}, global);
    }
  }
}

std::optional<ElfSection> ElfFile::section(std::string_view name) const {
  GElf_Shdr header;
  if (find_section(state_->elf(), name, header) == nullptr) return std::nullopt;
  return ElfSection{header.sh_addr, header.sh_size};
}

std::vector<std::byte> ElfFile::section_bytes(std::string_view name) const {
  GElf_Shdr header;
  Elf_Scn* section = find_section(state_->elf(), name, header);
  if (section == nullptr || header.sh_type == SHT_NOBITS || header.sh_size > max_section) return {};
  const Elf_Data* data = elf_rawdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  const auto* begin = static_cast<const std::byte*>(data->d_buf);
  return {begin, begin + data->d_size};
}

std::optional<std::uint64_t> ElfFile::value_at(std::uint64_t address, std::size_t size) const {
  std::uint64_t value = 0;
  if (size > sizeof(value)) return std::nullopt;
  for (const ElfSegment& segment : state_->segments) {
    if (address < segment.address || address - segment.address >= segment.memory_size) continue;
    const auto offset = static_cast<off_t>(segment.offset + (address - segment.address));
    if (::pread(state_->fd(), &value, size, offset) == static_cast<ssize_t>(size)) return value;
  }
  return std::nullopt;
}

std::string ElfFile::build_id() const {
  const void* bytes = nullptr;
  const ssize_t size = dwelf_elf_gnu_build_id(state_->elf(), &bytes);
  std::string text;
  for (ssize_t i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", static_cast<const unsigned char*>(bytes)[i]);
  }
  return text;
}

std::optional<DebugLink> ElfFile::debug_link() const {
  // A name that ends with a zero, padding up to four bytes, and the checksum.
  const std::vector<std::byte> bytes = section_bytes(".gnu_debuglink");
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  const auto end = text.find('\0');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const auto checksum = load<std::uint32_t>(bytes, (end + 4) & ~std::size_t{3});
  if (!checksum) return std::nullopt;
  return DebugLink{std::string{text.substr(0, end)}, *checksum};
}

bool ElfFile::stripped() const {
  GElf_Shdr header;
  return find_section(state_->elf(), ".symtab", header) == nullptr;
}

bool ElfFile::fixed_address() const {
  GElf_Ehdr header;
  return gelf_getehdr(state_->elf(), &header) != nullptr && header.e_type == ET_EXEC;
}

std::optional<std::uint32_t> ElfFile::checksum() const {
  std::array<unsigned char, 65536> chunk;
  uLong sum = ::crc32(0, nullptr, 0);
  for (std::uint64_t at = 0; at < max_checksummed;) {
    const ssize_t got = ::pread(state_->fd(), chunk.data(), chunk.size(), static_cast<off_t>(at));
    if (got < 0) return std::nullopt;
    if (got == 0) return static_cast<std::uint32_t>(sum);
    sum = ::crc32(sum, chunk.data(), static_cast<uInt>(got));
    at += static_cast<std::uint64_t>(got);
  }
  return std::nullopt;
}

}  // namespace gilspy

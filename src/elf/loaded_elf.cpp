#include "gilspy/elf/loaded_elf.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "gilspy/base/bytes.h"

namespace gilspy {
namespace {

// More than any real file has; what claims more is cut there.
constexpr std::uint64_t max_headers = 256;
constexpr std::uint64_t max_notes = 64U << 10;
constexpr std::uint64_t max_dynamic = 64U << 10;
constexpr std::uint64_t max_table = 16U << 20;

constexpr std::uint64_t page_mask = ~std::uint64_t{4095};

std::vector<std::byte> read_bytes(MemoryReader& memory, RemoteAddress at, std::uint64_t size,
                                  std::uint64_t limit) {
  std::vector<std::byte> bytes(std::min(size, limit));
  if (!memory.read(at, bytes)) bytes.clear();
  return bytes;
}

bool is_x86_64_program(const Elf64_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64 &&
         (header.e_type == ET_EXEC || header.e_type == ET_DYN) &&
         header.e_phentsize == sizeof(Elf64_Phdr);
}

/// Elf64_Dyn, whose two members of a union are the same.
struct DynamicEntry {
  std::int64_t tag;
  std::uint64_t value;
};
static_assert(sizeof(DynamicEntry) == sizeof(Elf64_Dyn));

/// The string at `offset`; empty when it has no end.
std::string_view string_at(std::span<const std::byte> names, std::uint64_t offset) {
  if (offset >= names.size()) return {};
  const std::string_view rest{reinterpret_cast<const char*>(names.data()) + offset,
                              names.size() - offset};
  const auto end = rest.find('\0');
  return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

}  // namespace

std::optional<LoadedElf> LoadedElf::read(MemoryReader& memory, RemoteAddress begin) {
  const auto header = memory.read_value<Elf64_Ehdr>(begin);
  if (!header || !is_x86_64_program(*header)) return std::nullopt;
  const auto count = std::min<std::uint64_t>(header->e_phnum, max_headers);
  std::vector<Elf64_Phdr> headers(count);
  if (!memory.read(begin + header->e_phoff, std::as_writable_bytes(std::span{headers}))) {
    return std::nullopt;
  }
  LoadedElf elf;
  bool based = false;
  for (const Elf64_Phdr& part : headers) {
    if (part.p_type != PT_LOAD) continue;
    if (!based && (part.p_offset & page_mask) == 0) {
      elf.bias_ = begin.value() - (part.p_vaddr & page_mask);
      based = true;
    }
    elf.extent_ = std::max(elf.extent_, part.p_vaddr + part.p_memsz);
  }
  if (!based) return std::nullopt;
  for (const Elf64_Phdr& part : headers) {
    const RemoteAddress at{part.p_vaddr + elf.bias_};
    if (part.p_type == PT_NOTE && elf.build_id_.empty()) elf.read_notes(memory, at, part.p_memsz);
    if (part.p_type == PT_DYNAMIC) elf.read_dynamic(memory, at, part.p_memsz);
  }
  return elf;
}

void LoadedElf::read_notes(MemoryReader& memory, RemoteAddress at, std::uint64_t size) {
  const auto bytes = read_bytes(memory, at, size, max_notes);
  const auto padded = [](std::uint64_t length) { return (length + 3) & ~std::uint64_t{3}; };
  for (std::uint64_t offset = 0;;) {
    const auto note = load<Elf64_Nhdr>(bytes, offset);
    if (!note) return;
    const std::uint64_t name_at = offset + sizeof(Elf64_Nhdr);
    const std::uint64_t content_at = name_at + padded(note->n_namesz);
    const auto name = slice(bytes, name_at, note->n_namesz);
    const auto content = slice(bytes, content_at, note->n_descsz);
    if (!name || !content) return;
    if (note->n_type == NT_GNU_BUILD_ID && name->size() == 4 &&
        std::memcmp(name->data(), "GNU", 4) == 0) {
      for (const std::byte byte : *content) {
        build_id_ += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
      }
      return;
    }
    offset = content_at + padded(note->n_descsz);
  }
}

void LoadedElf::read_dynamic(MemoryReader& memory, RemoteAddress at, std::uint64_t size) {
  const auto bytes = read_bytes(memory, at, size, max_dynamic);
  // glibc writes the addresses it loaded to over the linked ones (elf/get-dynamic-info.h), musl
  // leaves them.
  const auto address = [this](std::uint64_t value) {
    return RemoteAddress{value < extent_ ? value + bias_ : value};
  };
  RemoteAddress symbols;
  RemoteAddress names;
  std::uint64_t names_size = 0;
  for (std::uint64_t offset = 0;; offset += sizeof(DynamicEntry)) {
    const auto entry = load<DynamicEntry>(bytes, offset);
    if (!entry || entry->tag == DT_NULL) break;
    if (entry->tag == DT_SYMTAB) symbols = address(entry->value);
    if (entry->tag == DT_STRTAB) names = address(entry->value);
    if (entry->tag == DT_STRSZ) names_size = entry->value;
  }
  if (symbols.is_null() || names <= symbols) return;
  // Nothing says how long .dynsym is, but linkers put .dynstr behind it. What may lie in between
  // makes symbols of no use: what a symbol leads to is checked by whoever asks.
  symbols_ = read_bytes(memory, symbols, names - symbols, max_table);
  names_ = read_bytes(memory, names, names_size, max_table);
}

std::optional<RemoteAddress> LoadedElf::symbol(std::string_view name) const {
  for (std::uint64_t offset = 0;; offset += sizeof(Elf64_Sym)) {
    const auto symbol = load<Elf64_Sym>(symbols_, offset);
    if (!symbol) return std::nullopt;
    if (symbol->st_shndx == SHN_UNDEF || string_at(names_, symbol->st_name) != name) continue;
    return RemoteAddress{symbol->st_value + bias_};
  }
}

}  // namespace gilspy

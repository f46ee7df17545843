#include "gilspy/native/code_map.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "gilspy/base/bytes.h"

namespace gilspy {
namespace {

constexpr std::uint64_t page_size = 4096;
/// Frame descriptions and code that were looked at: some megabytes for a large program.
constexpr std::size_t max_pages = (std::size_t{64} << 20) / page_size;
constexpr std::size_t max_headers = 256;
constexpr std::size_t max_modules = 4096;

// DW_EH_PE_*, the encodings of pointers (Linux Standard Base Core, 10.5.1).
constexpr std::uint8_t encoded_udata4 = 0x03;
constexpr std::uint8_t encoded_datarel_sdata4 = 0x3b;
constexpr std::uint8_t encoded_omit = 0xff;
constexpr std::uint8_t encoded_size_mask = 0x0f;
constexpr std::uint64_t row_size = 8;

bool is_same_code(const std::vector<Mapping>& a, const std::vector<Mapping>& b) {
  const auto code_of = [](const std::vector<Mapping>& maps) {
    std::vector<const Mapping*> code;
    for (const Mapping& mapping : maps) {
      if (mapping.executable) code.push_back(&mapping);
    }
    return code;
  };
  return std::ranges::equal(code_of(a), code_of(b), [](const Mapping* x, const Mapping* y) {
    return x->range.begin == y->range.begin && x->range.end == y->range.end &&
           x->inode == y->inode && x->path == y->path;
  });
}

/// Size of a pointer in this encoding; nothing for one whose size depends on its value.
std::optional<std::uint64_t> encoded_size(std::uint8_t encoding) {
  switch (encoding & encoded_size_mask) {
    case 0x02:
    case 0x0a: return 2;
    case 0x03:
    case 0x0b: return 4;
    case 0x00:
    case 0x04:
    case 0x0c: return 8;
    default: return std::nullopt;
  }
}

}  // namespace

bool Module::is_generated() const {
  if (file.path.starts_with("/memfd:") || file.path.starts_with("/dev/zero")) return true;
  return file.first.inode == 0 && file.path != "[vdso]" && file.path != "[vsyscall]";
}

bool CodeMap::update(std::vector<Mapping> maps) {
  std::ranges::sort(maps, {}, [](const Mapping& mapping) { return mapping.range.begin; });
  const bool same = is_same_code(maps_, maps);
  maps_ = std::move(maps);
  if (same) return false;
  pages_.clear();
  find_modules();
  return true;
}

/// A file's parts lie one after the other, that of its lowest offset first.
void CodeMap::find_modules() {
  modules_.clear();
  code_.clear();
  const Mapping* first = nullptr;
  bool made = false;  // the last module is this file's
  for (const Mapping& mapping : maps_) {
    if (mapping.path.empty() && !mapping.executable) continue;  // .bss, or a heap in between
    const bool goes_on = first != nullptr && first->path == mapping.path &&
                         first->inode == mapping.inode && first->offset < mapping.offset;
    if (!goes_on) {
      first = &mapping;
      made = false;
    }
    if (!mapping.executable) continue;
    if (!made) {
      if (modules_.size() == max_modules) break;
      modules_.push_back({{first->path, false, *first}, {}, {}});
      made = true;
    }
    modules_.back().code.push_back(mapping.range);
    code_.emplace_back(mapping.range, modules_.size() - 1);
  }
  for (Module& found : modules_) found.frames = frame_table_of(found.file);
}

/// From the program headers, as the dynamic loader finds it for exceptions.
std::optional<FrameTable> CodeMap::frame_table_of(const Binary& file) {
  const RemoteAddress begin = file.first.range.begin;
  const auto header = memory_.read_value<Elf64_Ehdr>(begin);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_phentsize != sizeof(Elf64_Phdr)) {
    return std::nullopt;
  }
  std::vector<Elf64_Phdr> parts(std::min<std::size_t>(header->e_phnum, max_headers));
  if (!memory_.read(begin + header->e_phoff, std::as_writable_bytes(std::span{parts}))) {
    return std::nullopt;
  }
  const auto load = std::ranges::find(parts, std::uint32_t{PT_LOAD}, &Elf64_Phdr::p_type);
  const auto frames = std::ranges::find(parts, std::uint32_t{PT_GNU_EH_FRAME}, &Elf64_Phdr::p_type);
  if (load == parts.end() || frames == parts.end()) return std::nullopt;
  const RemoteAddress bias = begin - (load->p_vaddr & ~(page_size - 1));
  const RemoteAddress at = bias + frames->p_vaddr;
  const auto head = memory_.read_value<std::array<std::uint8_t, 4>>(at);
  if (!head || (*head)[0] != 1 || (*head)[3] != encoded_datarel_sdata4) return std::nullopt;
  const auto pointer_size = encoded_size((*head)[1]);
  if (!pointer_size || (*head)[1] == encoded_omit || (*head)[2] != encoded_udata4) {
    return std::nullopt;
  }
  const RemoteAddress count_at = at + head->size() + *pointer_size;
  const auto count = memory_.read_value<std::uint32_t>(count_at);
  const std::uint64_t most = frames->p_memsz / row_size;
  if (!count || *count == 0 || *count > most) return std::nullopt;
  return FrameTable{at, count_at + sizeof(*count), *count};
}

const Module* CodeMap::module_at(RemoteAddress code) const {
  const auto after =
      std::ranges::upper_bound(code_, code, {}, [](const auto& part) { return part.first.begin; });
  if (after == code_.begin()) return nullptr;
  const auto& [range, module] = *std::prev(after);
  return range.contains(code) ? &modules_[module] : nullptr;
}

const Mapping* CodeMap::mapping_at(RemoteAddress at) const {
  const auto after = std::ranges::upper_bound(
      maps_, at, {}, [](const Mapping& mapping) { return mapping.range.begin; });
  if (after == maps_.begin()) return nullptr;
  const Mapping& mapping = *std::prev(after);
  return mapping.range.contains(at) ? &mapping : nullptr;
}

std::optional<RemoteAddress> CodeMap::function_begin(const Module& module, RemoteAddress code) {
  if (!module.frames) return std::nullopt;
  const FrameTable& table = *module.frames;
  const auto begin_of = [&](std::uint64_t row) -> std::optional<RemoteAddress> {
    const auto word = word_at(table.rows + row * row_size);
    if (!word) return std::nullopt;
    const auto offset = static_cast<std::int32_t>(static_cast<std::uint32_t>(*word));
    return table.header + static_cast<std::uint64_t>(std::int64_t{offset});
  };
  // The last row that does not begin after it.
  std::uint64_t low = 0;
  std::uint64_t high = table.count;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto begin = begin_of(middle);
    if (!begin) return std::nullopt;
    (*begin <= code ? low : high) = middle;
  }
  const auto begin = begin_of(low);
  return begin && *begin <= code ? begin : std::nullopt;
}

std::optional<std::uint64_t> CodeMap::word_at(RemoteAddress at) {
  const Mapping* mapping = mapping_at(at);
  if (mapping == nullptr) return std::nullopt;
  if (mapping->writable) {
    // A description may lead through a library's data to its language's exception handler.
    if (mapping->inode == 0) return std::nullopt;
    const auto word = memory_.read_value<std::uint64_t>(at);
    return word ? std::optional{*word} : std::nullopt;
  }
  const std::uint64_t number = at.value() / page_size;
  const std::uint64_t offset = at.value() % page_size;
  const Page* page = page_at(number);
  if (page == nullptr) return std::nullopt;
  if (offset <= page_size - sizeof(std::uint64_t)) return load<std::uint64_t>(*page, offset);
  std::array<std::byte, 2 * sizeof(std::uint64_t)> bytes{};
  const std::uint64_t here = page_size - offset;
  std::memcpy(bytes.data(), page->data() + offset, here);
  // At the end of what is mapped the rest is as good as zero.
  if (const Page* next = page_at(number + 1)) {
    std::memcpy(bytes.data() + here, next->data(), sizeof(std::uint64_t) - here);
  }
  return load<std::uint64_t>(bytes, 0);
}

const CodeMap::Page* CodeMap::page_at(std::uint64_t number) {
  const auto known = pages_.find(number);
  if (known != pages_.end()) return known->second.empty() ? nullptr : &known->second;
  const RemoteAddress at{number * page_size};
  const Mapping* mapping = mapping_at(at);
  if (mapping == nullptr || mapping->writable || !mapping->readable) return nullptr;
  if (pages_.size() >= max_pages) pages_.clear();
  Page& page = pages_[number];
  page.resize(page_size);
  if (!memory_.read(at, page)) page.clear();
  return page.empty() ? nullptr : &page;
}

}  // namespace gilspy

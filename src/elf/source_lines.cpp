#include "gilspy/elf/source_lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "elf_state.h"

namespace gilspy {
namespace {

/// A large program has some hundred thousand; its debug information then has gigabytes.
constexpr std::size_t max_ranges = 1'000'000;
constexpr std::uint64_t max_size = std::uint64_t{1} << 30;
constexpr std::size_t longest_name = 4096;
constexpr std::size_t max_rows = 100'000;

/// The code of a compilation unit.
struct UnitRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Dwarf_Off unit = 0;  ///< of its DIE
};

std::vector<UnitRange> unit_ranges(Dwarf* dwarf) {
  std::vector<UnitRange> ranges;
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0;) {
      if (ranges.size() == max_ranges) break;
      // What the linker has left out is said to be at 0.
      if (begin != 0 && begin < end) ranges.push_back({begin, end, dwarf_dieoffset(&die)});
    }
  }
  std::ranges::sort(ranges, {}, &UnitRange::begin);
  return ranges;
}

std::uint32_t number_of(Dwarf_Die& die, unsigned int attribute) {
  Dwarf_Attribute found;
  Dwarf_Word value = 0;
  if (dwarf_attr_integrate(&die, attribute, &found) == nullptr) return 0;
  if (dwarf_formudata(&found, &value) != 0) return 0;
  return static_cast<std::uint32_t>(std::min<Dwarf_Word>(value, UINT32_MAX));
}

/// The path as it stands there, or below the folder in which the compiler ran.
std::string file_of(Dwarf_Die& function, Dwarf_Die& unit) {
  const char* name = dwarf_decl_file(&function);
  if (name == nullptr) return {};
  std::string file{name};
  if (!file.starts_with('/')) {
    Dwarf_Attribute attribute;
    const char* folder = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
    if (folder != nullptr) file = std::string{folder} + "/" + file;
  }
  return file.size() <= longest_name ? file : std::string{};
}

/// Goes from a unit to what is around an address, level by level: functions, blocks, functions that
/// were put in place. Not by dwarf_getscopes(), which follows whatever a file says without end.
class Descent {
 public:
  explicit Descent(std::uint64_t address) : address_(address) {}

  /// Makes `scope` the one inside of it that is around the address; false when there is none.
  bool step(Dwarf_Die& scope) {
    return ++levels_ <= max_levels && step_through_namespaces(scope, max_namespaces);
  }

 private:
  static constexpr int max_levels = 64;
  static constexpr int max_namespaces = 16;
  static constexpr std::uint64_t max_entries = 1'000'000;

  // NOLINTNEXTLINE(misc-no-recursion): as deep as namespaces are, at most
  bool step_through_namespaces(Dwarf_Die& scope, int depth) {
    Dwarf_Die child;
    for (int more = dwarf_child(&scope, &child); more == 0 && ++entries_ < max_entries;
         more = dwarf_siblingof(&child, &child)) {
      Dwarf_Die inner = child;
      const bool inside = dwarf_tag(&child) == DW_TAG_namespace
                              ? depth > 0 && step_through_namespaces(inner, depth - 1)
                              : dwarf_haspc(&child, address_) > 0;
      if (!inside) continue;
      scope = inner;
      return true;
    }
    return false;
  }

  std::uint64_t address_;
  std::uint64_t entries_ = 0;
  int levels_ = 0;
};

/// Of a part of a function that was put in place, the line that calls it; else 0.
std::uint32_t call_line_at(Dwarf_Die function, std::uint64_t address) {
  for (Descent descent{address}; descent.step(function);) {
    if (dwarf_tag(&function) == DW_TAG_inlined_subroutine) {
      return number_of(function, DW_AT_call_line);
    }
  }
  return 0;
}

/// The part of the function that is around the address: the rest of it may lie elsewhere.
bool set_range(SourceFunction& into, Dwarf_Die& function, std::uint64_t address) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&function, at, &base, &begin, &end)) > 0;) {
    if (address < begin || address >= end) continue;
    into.begin = begin;
    into.end = end;
    return true;
  }
  return false;
}

void set_rows(SourceFunction& into, Dwarf_Die& unit, Dwarf_Die& function) {
  Dwarf_Lines* lines = nullptr;
  std::size_t count = 0;
  if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
  for (std::size_t i = 0; i < count && into.rows.size() < max_rows; ++i) {
    Dwarf_Line* row = dwarf_onesrcline(lines, i);
    Dwarf_Addr address = 0;
    int number = 0;
    if (dwarf_lineaddr(row, &address) != 0 || dwarf_lineno(row, &number) != 0) continue;
    if (address < into.begin || address >= into.end) continue;
    const std::uint32_t call = call_line_at(function, address);
    const std::uint32_t line = call != 0 ? call : static_cast<std::uint32_t>(std::max(number, 0));
    // What the compiler made of no line in particular counts to the one before.
    if (line != 0) into.rows.push_back({address, line});
  }
  std::ranges::stable_sort(into.rows, {}, &SourceFunction::Row::begin);
}

/// Whether the last string of a section ends in it: libdw 0.188 takes the length of those that a
/// line table names without looking where the section ends (read_srclines). To be asked after it
/// has decompressed them.
bool ends_its_strings(Elf* elf, const char* section) {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return false;
  for (Elf_Scn* part = nullptr; (part = elf_nextscn(elf, part)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(part, &header) == nullptr) continue;
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (name == nullptr || std::string_view{name} != section) continue;
    const Elf_Data* data = elf_getdata(part, nullptr);
    if (data == nullptr || data->d_size == 0 || data->d_buf == nullptr) continue;
    if (static_cast<const char*>(data->d_buf)[data->d_size - 1] != '\0') return false;
  }
  return true;
}

}  // namespace

std::uint32_t SourceFunction::line_at(std::uint64_t address) const {
  const auto after = std::ranges::upper_bound(rows, address, {}, &Row::begin);
  return after == rows.begin() ? 0 : std::prev(after)->line;
}

class SourceLines::State {
 public:
  State(ElfFile elf, Dwarf* dwarf) : elf_(std::move(elf)), dwarf_(dwarf) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { dwarf_end(dwarf_); }

  [[nodiscard]] std::optional<SourceFunction> function_at(std::uint64_t address) {
    Dwarf_Die unit;
    if (!find_unit(address, unit)) return std::nullopt;
    Dwarf_Die scope = unit;
    Descent descent{address};
    do {
      if (!descent.step(scope)) return std::nullopt;
    } while (dwarf_tag(&scope) != DW_TAG_subprogram);
    SourceFunction function;
    function.file = file_of(scope, unit);
    function.first_line = number_of(scope, DW_AT_decl_line);
    if (function.file.empty() || !set_range(function, scope, address)) return std::nullopt;
    set_rows(function, unit, scope);
    return function;
  }

 private:
  [[nodiscard]] bool find_unit(std::uint64_t address, Dwarf_Die& unit) {
    if (!std::exchange(looked_for_units_, true)) units_ = unit_ranges(dwarf_);
    const auto after = std::ranges::upper_bound(units_, address, {}, &UnitRange::begin);
    if (after == units_.begin() || address >= std::prev(after)->end) return false;
    return dwarf_offdie(dwarf_, std::prev(after)->unit, &unit) != nullptr;
  }

  ElfFile elf_;
  Dwarf* dwarf_;  // of elf_
  bool looked_for_units_ = false;
  std::vector<UnitRange> units_;
};

SourceLines::SourceLines(std::unique_ptr<State> state) : state_(std::move(state)) {}
SourceLines::SourceLines(SourceLines&&) noexcept = default;
SourceLines& SourceLines::operator=(SourceLines&&) noexcept = default;
SourceLines::~SourceLines() = default;

std::optional<SourceLines> SourceLines::open(ElfFile elf) {
  std::uint64_t size = 0;
  for (const char* name : {".debug_info", ".debug_line", ".debug_str", ".debug_abbrev"}) {
    size += elf.section(name).value_or(ElfSection{}).size;
  }
  if (!elf.section(".debug_info") || size > max_size) return std::nullopt;
  // libdw would open whatever file this names (libdw/dwarf_getalt.c): a FIFO, for example.
  if (elf.section(".gnu_debugaltlink")) return std::nullopt;
  Dwarf* dwarf = dwarf_begin_elf(elf.state_->elf(), DWARF_C_READ, nullptr);
  if (dwarf == nullptr) return std::nullopt;
  Elf* const file = elf.state_->elf();
  SourceLines lines{std::make_unique<State>(std::move(elf), dwarf)};
  for (const char* name : {".debug_str", ".debug_line_str"}) {
    if (!ends_its_strings(file, name)) return std::nullopt;
  }
  return lines;
}

std::optional<SourceFunction> SourceLines::function_at(std::uint64_t address) {
  return state_->function_at(address);
}

}  // namespace gilspy

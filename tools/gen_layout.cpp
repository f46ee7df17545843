// Writes the offsets table of one CPython from its debug info, or compares a committed one with it.
//
//   gen_layout LIBPYTHON LABEL > python_offsets/tables/cpython_LABEL.inc
//   gen_layout --check LIBPYTHON LABEL python_offsets/tables/cpython_LABEL.inc
//
// LIBPYTHON: a libpythonX.Y.so or python executable that has .debug_info. LABEL: 3_12, 3_13t, ...
// The list of what to write is gilspy/python_offsets/fields.h, the same that everything else uses.

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/base/unique_fd.h"
#include "gilspy/python_offsets/debug_fields.h"
#include "gilspy/python_offsets/fields.h"

namespace {

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(by);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint64_t> number(Dwarf_Die* die, unsigned int name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr_integrate(die, name, &attribute), &value) != 0)
    return std::nullopt;
  return value;
}

/// The type behind typedefs, const, volatile and _Atomic.
std::optional<Dwarf_Die> type_of(Dwarf_Die* die) {
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  Dwarf_Die peeled;
  if (dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &type) == nullptr ||
      dwarf_peel_type(&type, &peeled) != 0) {
    return std::nullopt;
  }
  return peeled;
}

bool is_aggregate(Dwarf_Die* die) {
  return dwarf_tag(die) == DW_TAG_structure_type || dwarf_tag(die) == DW_TAG_union_type;
}

/// Offset of a member, looked for in anonymous structs and unions as well, as C does.
std::optional<std::uint64_t> member_offset(Dwarf_Die aggregate, const std::string& name,
                                           Dwarf_Die& member) {
  Dwarf_Die child;
  if (dwarf_child(&aggregate, &child) != 0) return std::nullopt;
  do {
    if (dwarf_tag(&child) != DW_TAG_member) continue;
    const std::uint64_t at = number(&child, DW_AT_data_member_location).value_or(0);
    const char* child_name = dwarf_diename(&child);
    if (child_name != nullptr && name == child_name) {
      member = child;
      return at;
    }
    if (child_name != nullptr) continue;
    if (auto inner = type_of(&child); inner && is_aggregate(&*inner)) {
      if (const auto found = member_offset(*inner, name, member)) return at + *found;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
  return std::nullopt;
}

std::optional<std::uint64_t> path_offset(Dwarf_Die aggregate, std::string_view path) {
  std::uint64_t offset = 0;
  for (const std::string& part : split(path, '.')) {
    if (!is_aggregate(&aggregate)) return std::nullopt;
    Dwarf_Die member;
    const auto at = member_offset(aggregate, part, member);
    if (!at) return std::nullopt;
    offset += *at;
    if (auto type = type_of(&member)) aggregate = *type;
  }
  return offset;
}

/// All complete structs of the debug info, by struct tag and by typedef name.
std::map<std::string, Dwarf_Die> find_structs(Dwarf* debug_info) {
  std::map<std::string, Dwarf_Die> structs;
  Dwarf_CU* unit = nullptr;
  Dwarf_Die unit_die;
  while (dwarf_get_units(debug_info, unit, &unit, nullptr, nullptr, &unit_die, nullptr) == 0) {
    Dwarf_Die child;
    if (dwarf_child(&unit_die, &child) != 0) continue;
    do {
      const char* name = dwarf_diename(&child);
      if (name == nullptr) continue;
      std::optional<Dwarf_Die> type;
      if (dwarf_tag(&child) == DW_TAG_structure_type) type = child;
      if (dwarf_tag(&child) == DW_TAG_typedef) type = type_of(&child);
      if (type && dwarf_tag(&*type) == DW_TAG_structure_type && dwarf_bytesize(&*type) > 0) {
        structs.try_emplace(name, *type);
      }
    } while (dwarf_siblingof(&child, &child) == 0);
  }
  return structs;
}

struct FieldSpec {
  std::string name;
  std::string paths;
};
struct StructSpec {
  std::string name;
  std::vector<FieldSpec> fields;
  std::string c_names;
};

std::vector<StructSpec> wanted() {
  return {
#define GILSPY_FIELD(name, type, path) {#name, path},
#define GILSPY_STRUCT(name, fields, c_name) StructSpec{#name, {fields(GILSPY_FIELD)}, c_name},
      GILSPY_STRUCTS(GILSPY_STRUCT)
#undef GILSPY_STRUCT
#undef GILSPY_FIELD
  };
}

std::string struct_initialiser(const StructSpec& spec,
                               const std::map<std::string, Dwarf_Die>& structs) {
  for (const std::string& c_name : split(spec.c_names, '|')) {
    const auto found = structs.find(c_name);
    if (found == structs.end()) continue;
    Dwarf_Die die = found->second;
    std::string text =
        fmt::format("    .{} = {{.struct_size = {}", spec.name, dwarf_bytesize(&die));
    for (const FieldSpec& field : spec.fields) {
      for (const std::string& path : split(field.paths, '|')) {
        if (const auto offset = path_offset(die, path)) {
          text += fmt::format(",\n        .{} = {{{}}}", field.name, *offset);
          break;
        }
      }
    }
    return text + "},\n";
  }
  return fmt::format("    // no {} in this version\n", spec.name);
}

/// Where _Py_DebugOffsets keeps what it says of each field, for versions that have it.
std::string debug_places(const std::string& label,
                         const std::map<std::string, Dwarf_Die>& structs) {
  std::string text = fmt::format("inline constexpr DebugPlaces debug_places_{}{{\n", label);
  const auto found = structs.find("_Py_DebugOffsets");
  if (found == structs.end()) return text + "    // no _Py_DebugOffsets in this version\n};\n";
  Dwarf_Die die = found->second;
  text += fmt::format("    .size = {},\n", dwarf_bytesize(&die));
  const auto add = [&](std::string_view place, std::string_view member) {
    if (const auto offset = path_offset(die, member)) {
      text += fmt::format("    .{} = {},\n", place, *offset);
    }
  };
  add("gil_base", "interpreter_state.gil_runtime_state");
#define GILSPY_DEBUG_FIELD(structure, field, path) add(#structure "_" #field, path);
#define GILSPY_DEBUG_SIZE(structure, path) add(#structure "_struct_size", path);
  GILSPY_DEBUG_SIZES(GILSPY_DEBUG_SIZE)
  GILSPY_DEBUG_FIELDS(GILSPY_DEBUG_FIELD)
  GILSPY_DEBUG_GIL_FIELDS(GILSPY_DEBUG_FIELD)
#undef GILSPY_DEBUG_SIZE
#undef GILSPY_DEBUG_FIELD
  return text + "};\n";
}

std::string table(const char* path, const std::string& label) {
  const gilspy::UniqueFd file{::open(path, O_RDONLY | O_CLOEXEC)};
  if (!file) throw std::runtime_error(fmt::format("cannot open {}", path));
  Dwarf* debug_info = dwarf_begin(file.get(), DWARF_C_READ);
  if (debug_info == nullptr) throw std::runtime_error(fmt::format("{} has no debug info", path));
  const auto structs = find_structs(debug_info);
  std::string text = fmt::format(
      "// Generated by tools/gen_layout from the debug info of a CPython {} (x86-64). Not edited "
      "by hand.\n"
      "inline constexpr Offsets offsets_{}{{\n",
      label, label);
  for (const StructSpec& spec : wanted()) text += struct_initialiser(spec, structs);
  text += "};\n" + debug_places(label, structs);
  dwarf_end(debug_info);
  return text;
}

int check(const char* library, const std::string& label, const char* committed_path) {
  const std::ifstream committed(committed_path);
  std::stringstream text;
  text << committed.rdbuf();
  if (!committed) throw std::runtime_error(fmt::format("cannot read {}", committed_path));
  if (text.str() == table(library, label)) return 0;
  std::cerr << fmt::format("gen_layout: {} differs from what {} says\n", committed_path, library);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() == 4 && arguments[0] == "--check") return check(argv[2], argv[3], argv[4]);
    if (arguments.size() == 2) {
      std::cout << table(argv[1], argv[2]);
      return 0;
    }
    std::cerr << "usage: gen_layout LIBPYTHON LABEL | gen_layout --check LIBPYTHON LABEL TABLE\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "gen_layout: " << error.what() << '\n';
    return 1;
  }
}

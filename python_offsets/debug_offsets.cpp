#include "gilspy/python_offsets/debug_offsets.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "debug_places.h"

namespace gilspy {
namespace {

/// A patch release adds some fields to a struct; it does not double it.
constexpr std::int64_t max_growth = 2;

/// One field of a struct: what the table says, and what the target says, if it does.
struct Entry {
  std::string_view name;
  std::int32_t* offset = nullptr;
  std::int32_t table = -1;
  std::int64_t width = 1;  ///< 1 for what is embedded, too: its first byte has to be inside
  std::int64_t alignment = 1;
  std::int64_t told = -1;  ///< -1: the target does not tell
};

struct Struct {
  std::string_view name;
  std::uint32_t* size = nullptr;
  std::int64_t table_size = 0;
  std::int64_t told_size = -1;
  std::vector<Entry> fields;
};

template <class T>
Entry entry_of(std::string_view name, Field<T>& field) {
  Entry entry{.name = name, .offset = &field.offset, .table = field.offset};
  if constexpr (!std::is_same_v<T, Embedded>) {
    entry.width = sizeof(T);
    entry.alignment = alignof(T);
  }
  return entry;
}

/// The list of fields over one set of offsets; absent structs and fields are left out.
std::vector<Struct> structs_of(Offsets& at) {
  std::vector<Struct> structs;
  const auto add = [&](std::string_view name, std::uint32_t& size, std::vector<Entry> fields) {
    if (size == 0) return;
    std::erase_if(fields, [](const Entry& entry) { return entry.table < 0; });
    std::ranges::sort(fields, {}, &Entry::table);
    structs.push_back({name, &size, size, -1, std::move(fields)});
  };
#define GILSPY_FIELD(name, type, path) entry_of(#name, part.name),
#define GILSPY_STRUCT(name, fields, c_name)               \
  {                                                       \
    auto& part = at.name;                                 \
    add(#name, part.struct_size, {fields(GILSPY_FIELD)}); \
  }
  GILSPY_STRUCTS(GILSPY_STRUCT)
#undef GILSPY_STRUCT
#undef GILSPY_FIELD
  return structs;
}

class Teller {
 public:
  Teller(std::span<const std::byte> bytes, std::vector<Struct>& structs)
      : bytes_(bytes), structs_(structs) {}

  void size(std::string_view structure, std::int32_t place) {
    if (Struct* found = find(structure); found != nullptr && place >= 0) {
      found->told_size = number(place);
    }
  }
  void field(std::string_view structure, std::string_view name, std::int32_t place,
             std::int64_t base = 0) {
    Struct* found = find(structure);
    if (found == nullptr || place < 0) return;
    const auto entry = std::ranges::find(found->fields, name, &Entry::name);
    if (entry == found->fields.end()) return;
    entry->told = number(place) - base;
    // Below the base, or beyond what a struct can be: any negative number would read as "not told".
    if (entry->told < 0) impossible_ = true;
  }
  /// Beyond 32 bits everything is as impossible as the largest number.
  [[nodiscard]] std::int64_t number(std::int32_t place) const {
    const auto value =
        load<std::uint64_t>(bytes_, static_cast<std::uint64_t>(place)).value_or(~0ULL);
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT32_MAX));
  }
  [[nodiscard]] bool impossible() const { return impossible_; }

 private:
  Struct* find(std::string_view structure) {
    const auto found = std::ranges::find(structs_, structure, &Struct::name);
    return found != structs_.end() ? &*found : nullptr;
  }

  std::span<const std::byte> bytes_;
  std::vector<Struct>& structs_;
  bool impossible_ = false;
};

void tell(Teller& teller, const DebugPlaces& places){
#define GILSPY_DEBUG_SIZE(structure, path) teller.size(#structure, places.structure##_struct_size);
#define GILSPY_DEBUG_FIELD(structure, name, path) \
  teller.field(#structure, #name, places.structure##_##name);
#define GILSPY_DEBUG_GIL_FIELD(structure, name, path) \
  teller.field(#structure, #name, places.structure##_##name, teller.number(places.gil_base));
    GILSPY_DEBUG_SIZES(GILSPY_DEBUG_SIZE) GILSPY_DEBUG_FIELDS(GILSPY_DEBUG_FIELD)
        GILSPY_DEBUG_GIL_FIELDS(GILSPY_DEBUG_GIL_FIELD)
#undef GILSPY_DEBUG_GIL_FIELD
#undef GILSPY_DEBUG_FIELD
#undef GILSPY_DEBUG_SIZE
}

/// Sets one struct's size and fields. Returns what is impossible about them, or "".
std::string settle(Struct& part) {
  const std::int64_t size = part.told_size >= 0 ? part.told_size : part.table_size;
  if (size == 0 || size > max_growth * part.table_size) {
    return fmt::format("{} would have {} bytes", part.name, size);
  }
  std::int64_t moved = 0;
  for (Entry& field : part.fields) {
    if (field.told >= 0) moved = field.told - field.table;
    const std::int64_t offset = field.table + moved;
    if (offset % field.alignment != 0) {
      return fmt::format("{}.{} would lie at {}, not aligned", part.name, field.name, offset);
    }
    if (offset < 0 || (part.told_size >= 0 && offset + field.width > size)) {
      return fmt::format("{}.{} would lie at {}, outside of {} bytes", part.name, field.name,
                         offset, size);
    }
    if (offset > max_growth * part.table_size) {
      return fmt::format("{}.{} would lie at {}", part.name, field.name, offset);
    }
    *field.offset = static_cast<std::int32_t>(offset);
  }
  // A struct whose size is not told grows with the last of its fields.
  *part.size = static_cast<std::uint32_t>(part.told_size >= 0 ? size : size + moved);
  return {};
}

}  // namespace

std::size_t debug_offsets_size(const Layout& table) {
  return static_cast<std::size_t>(debug_places_of(table).size);
}

tl::expected<Layout, std::string> apply_debug_offsets(const Layout& table,
                                                      std::span<const std::byte> bytes) {
  const DebugPlaces& places = debug_places_of(table);
  if (places.size == 0 || bytes.size() < static_cast<std::size_t>(places.size)) {
    return tl::make_unexpected("this version has no debug offsets, or they cannot be read");
  }
  Layout layout = table;
  std::vector<Struct> structs = structs_of(layout.at);
  Teller teller{bytes, structs};
  tell(teller, places);
  if (teller.impossible()) return tl::make_unexpected("the GIL would begin behind its own fields");
  for (Struct& part : structs) {
    if (const std::string wrong = settle(part); !wrong.empty()) return tl::make_unexpected(wrong);
  }
  return layout;
}

std::vector<LayoutRow> layout_rows(const Layout& layout) {
  const auto width = []<class T>(const Field<T>&) -> std::size_t {
    if constexpr (std::is_same_v<T, Embedded>) return 0;
    return sizeof(T);
  };
  std::vector<LayoutRow> rows;
#define GILSPY_FIELD(name, type, path) \
  rows.push_back({structure, #name, part.name.offset, width(part.name)});
#define GILSPY_STRUCT(name, fields, c_name)                                              \
  {                                                                                      \
    const auto& part = layout.at.name;                                                   \
    constexpr std::string_view structure = #name;                                        \
    const bool present = part.struct_size > 0;                                           \
    rows.push_back(                                                                      \
        {structure, "", present ? static_cast<std::int32_t>(part.struct_size) : -1, 0}); \
    fields(GILSPY_FIELD)                                                                 \
  }
  GILSPY_STRUCTS(GILSPY_STRUCT)
#undef GILSPY_STRUCT
#undef GILSPY_FIELD
  return rows;
}

}  // namespace gilspy

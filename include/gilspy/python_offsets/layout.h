#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gilspy/base/address.h"
#include "gilspy/base/bytes.h"
#include "gilspy/python_offsets/fields.h"
#include "gilspy/python_offsets/opcodes.h"
#include "gilspy/python_offsets/traits.h"
#include "gilspy/python_offsets/version.h"

namespace gilspy {

/// Marks a struct or array that lies inside its parent: it has an address, not a value.
struct Embedded {};

/// Where a field lies in its struct, and the type it is read as.
template <class T>
struct Field {
  std::int32_t offset = -1;  ///< -1: this version has no such field

  [[nodiscard]] constexpr bool present() const { return offset >= 0; }
  /// Its address, given its struct's. Only for present fields.
  [[nodiscard]] constexpr RemoteAddress in(RemoteAddress object) const {
    return object + static_cast<std::uint64_t>(offset);
  }
  friend constexpr bool operator==(const Field&, const Field&) = default;
};

/// Where everything lies in one version of CPython. Generated, or read from _Py_DebugOffsets.
struct Offsets {
#define GILSPY_FIELD(name, type, path) Field<type> name{};
#define GILSPY_STRUCT(name, fields, c_name)                                 \
  struct {                                                                  \
    std::uint32_t struct_size = 0; /* 0: this version has no such struct */ \
    fields(GILSPY_FIELD)                                                    \
  } name{};
  GILSPY_STRUCTS(GILSPY_STRUCT)
#undef GILSPY_STRUCT
#undef GILSPY_FIELD
};

/// All that is known about reading one build of CPython. Only made by layout_for().
struct Layout {
  Version version;
  bool free_threaded = false;
  Traits traits;
  Offsets at;
  Opcodes opcodes;
};

/// The bytes of one struct, read from the target; a call site reads like the struct:
/// `view.get(layout.at.thread.next)`.
class StructView {
 public:
  explicit StructView(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// Nothing when the field is absent or lies outside the bytes at hand.
  template <class T>
  [[nodiscard]] std::optional<T> get(Field<T> field) const {
    if (!field.present()) return std::nullopt;
    return load<T>(bytes_, static_cast<std::uint64_t>(field.offset));
  }

 private:
  std::span<const std::byte> bytes_;
};

/// The layout of a CPython, or nothing for a version outside the supported range.
[[nodiscard]] const Layout* layout_for(Version version, bool free_threaded);

/// "3.7 to 3.15", for error messages.
[[nodiscard]] std::string_view supported_versions();

}  // namespace gilspy

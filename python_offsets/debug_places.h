#pragma once

#include <cstdint>

#include "gilspy/python_offsets/debug_fields.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// Where each number stands in one version's _Py_DebugOffsets; -1: it is not told. Generated.
struct DebugPlaces {
  std::int32_t size = 0;  ///< of the whole; 0: this version has none
  std::int32_t gil_base = -1;
#define GILSPY_DEBUG_SIZE(structure, path) std::int32_t structure##_struct_size = -1;
#define GILSPY_DEBUG_FIELD(structure, name, path) std::int32_t structure##_##name = -1;
  GILSPY_DEBUG_SIZES(GILSPY_DEBUG_SIZE)
  GILSPY_DEBUG_FIELDS(GILSPY_DEBUG_FIELD)
  GILSPY_DEBUG_GIL_FIELDS(GILSPY_DEBUG_FIELD)
#undef GILSPY_DEBUG_FIELD
#undef GILSPY_DEBUG_SIZE
};

/// Those of the version that a layout of all_layouts() is for.
[[nodiscard]] const DebugPlaces& debug_places_of(const Layout& table);

}  // namespace gilspy

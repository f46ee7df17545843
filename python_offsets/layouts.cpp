#include <array>

#include "debug_places.h"
#include "gilspy/python_offsets/debug_offsets.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {
namespace {

// One generated table per minor: CPython keeps its structs still within a minor release.
#include "tables/cpython_3_10.inc"
#include "tables/cpython_3_11.inc"
#include "tables/cpython_3_12.inc"
#include "tables/cpython_3_13.inc"
#include "tables/cpython_3_13t.inc"
#include "tables/cpython_3_14.inc"
#include "tables/cpython_3_15.inc"
#include "tables/cpython_3_7.inc"
#include "tables/cpython_3_8.inc"
#include "tables/cpython_3_9.inc"
// Likewise its bytecode.
#include "tables/opcodes_3_10.inc"
#include "tables/opcodes_3_11.inc"
#include "tables/opcodes_3_12.inc"
#include "tables/opcodes_3_13.inc"
#include "tables/opcodes_3_14.inc"
#include "tables/opcodes_3_15.inc"
#include "tables/opcodes_3_7.inc"
#include "tables/opcodes_3_8.inc"
#include "tables/opcodes_3_9.inc"

/// 3.7 to 3.9: Include/frameobject.h, Objects/lnotab_notes.txt, Objects/dict-common.h.
constexpr Traits traits_3_7{
    .gil_place = Traits::GilPlace::runtime,
    .frame_head = Traits::FrameHead::frame_object,
    .instruction = Traits::Instruction::index_bytes,
    .line_table = Traits::LineTable::lnotab,
    .thread_id = Traits::ThreadId::pthread_only,
    .dict_keys = Traits::DictKeys::size,
    .instance_dict = Traits::InstanceDict::dictoffset,
};

/// 3.10: f_lasti counts code units, line numbers after PEP 626.
constexpr Traits traits_3_10 = [] {
  Traits traits = traits_3_7;
  traits.instruction = Traits::Instruction::index_units;
  traits.executing = 0;
  traits.line_table = Traits::LineTable::ranges;
  return traits;
}();

/// Objects/codeobject.c, Python/ceval_gil.c, Include/internal/pycore_frame.h of 3.11.
constexpr Traits traits_3_11{
    .gil_place = Traits::GilPlace::runtime,
    .frame_head = Traits::FrameHead::cframe,
    .instruction = Traits::Instruction::last,
    .line_table = Traits::LineTable::locations,
    .thread_id = Traits::ThreadId::native,
    .dict_keys = Traits::DictKeys::log2_kind,
    .instance_dict = Traits::InstanceDict::before_object,
    .managed_dict_flag = 1U << 4,
};

/// 3.12: a GIL per interpreter (PEP 684), entry frames on the C stack (FRAME_OWNED_BY_CSTACK = 3).
constexpr Traits traits_3_12 = [] {
  Traits traits = traits_3_11;
  traits.gil_place = Traits::GilPlace::interpreter;
  traits.first_entry_owner = 3;
  traits.instance_dict = Traits::InstanceDict::tagged_before;
  traits.long_tag = Traits::LongTag::sign_bits;
  return traits;
}();

/// 3.13: no _PyCFrame, instr_ptr instead of prev_instr, inline values (Py_TPFLAGS_INLINE_VALUES).
constexpr Traits traits_3_13 = [] {
  Traits traits = traits_3_12;
  traits.frame_head = Traits::FrameHead::thread;
  traits.instruction = Traits::Instruction::current;
  traits.instance_dict = Traits::InstanceDict::inline_values;
  traits.inline_values_flag = 1U << 2;
  return traits;
}();

/// 3.14: _PyStackRef's tag bits, and two kinds of frames that are no Python functions: those of the
/// interpreter (3) and of the C stack (4) (Include/internal/pycore_interpframe_structs.h).
constexpr Traits traits_3_14 = [] {
  Traits traits = traits_3_13;
  traits.reference_tag_mask = 3;
  return traits;
}();

/// Free-threaded builds have no words for the garbage collector in front of an object, so its
/// managed dict comes first there (MANAGED_DICT_OFFSET, Include/internal/pycore_object.h).
constexpr Traits traits_3_13t = [] {
  Traits traits = traits_3_13;
  traits.managed_dict_words = 1;
  return traits;
}();

constexpr std::array layouts{
    Layout{{3, 7, 0}, false, traits_3_7, offsets_3_7, opcodes_3_7},
    Layout{{3, 8, 0}, false, traits_3_7, offsets_3_8, opcodes_3_8},
    Layout{{3, 9, 0}, false, traits_3_7, offsets_3_9, opcodes_3_9},
    Layout{{3, 10, 0}, false, traits_3_10, offsets_3_10, opcodes_3_10},
    Layout{{3, 11, 0}, false, traits_3_11, offsets_3_11, opcodes_3_11},
    Layout{{3, 12, 0}, false, traits_3_12, offsets_3_12, opcodes_3_12},
    Layout{{3, 13, 0}, false, traits_3_13, offsets_3_13, opcodes_3_13},
    Layout{{3, 14, 0}, false, traits_3_14, offsets_3_14, opcodes_3_14},
    Layout{{3, 15, 0}, false, traits_3_14, offsets_3_15, opcodes_3_15},
    Layout{{3, 13, 0}, true, traits_3_13t, offsets_3_13t, opcodes_3_13},
};

/// In the order of `layouts`.
constexpr std::array debug_places{
    debug_places_3_7,  debug_places_3_8,  debug_places_3_9,  debug_places_3_10, debug_places_3_11,
    debug_places_3_12, debug_places_3_13, debug_places_3_14, debug_places_3_15, debug_places_3_13t,
};
static_assert(debug_places.size() == layouts.size());

}  // namespace

const Layout* layout_for(Version version, bool free_threaded) {
  for (const Layout& layout : layouts) {
    if (layout.version.major == version.major && layout.version.minor == version.minor &&
        layout.free_threaded == free_threaded) {
      return &layout;
    }
  }
  return nullptr;
}

std::span<const Layout> all_layouts() { return layouts; }

const DebugPlaces& debug_places_of(const Layout& table) {
  static constexpr DebugPlaces none;
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    if (layouts[i].version == table.version && layouts[i].free_threaded == table.free_threaded) {
      return debug_places[i];
    }
  }
  return none;
}

std::string_view supported_versions() { return "3.7 to 3.15, free-threaded 3.13"; }

}  // namespace gilspy

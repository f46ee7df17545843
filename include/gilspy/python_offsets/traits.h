#pragma once

#include <cstdint>
#include <limits>

namespace gilspy {

/// What differs between versions beyond offsets. Code outside python_offsets/ asks these, and never
/// compares version numbers.
struct Traits {
  enum class GilPlace : std::uint8_t {
    runtime,      ///< one, embedded in _PyRuntime
    interpreter,  ///< each interpreter points at one
  } gil_place = GilPlace::runtime;

  enum class FrameHead : std::uint8_t {
    frame_object,  ///< thread.frame, PyFrameObjects linked by f_back
    cframe,        ///< thread.cframe -> current_frame
    thread,        ///< thread.current_frame
  } frame_head = FrameHead::frame_object;

  enum class Instruction : std::uint8_t {
    index_bytes,  ///< f_lasti counts bytes
    index_units,  ///< f_lasti counts code units of two bytes
    last,         ///< pointer to the instruction executed last
    current,      ///< pointer to the instruction being executed
  } instruction = Instruction::index_bytes;

  /// What frame.executing is while a frame object's function is on the stack: f_executing up
  /// to 3.9, f_state (FRAME_EXECUTING) in 3.10.
  std::int8_t executing = 1;

  /// Frames whose owner is this or above are not Python functions but mark an entry from C into the
  /// eval loop. Before 3.12 there are none.
  std::int8_t first_entry_owner = std::numeric_limits<std::int8_t>::max();

  /// Bits of frame.code and the like that are no part of the pointer (3.14's _PyStackRef).
  std::uint8_t reference_tag_mask = 0;

  enum class LineTable : std::uint8_t {
    lnotab,     ///< up to 3.9: Objects/lnotab_notes.txt
    ranges,     ///< 3.10: PEP 626
    locations,  ///< 3.11 on: Objects/locations.md
  } line_table = LineTable::lnotab;

  enum class ThreadId : std::uint8_t {
    pthread_only,  ///< only pthread_self() is kept
    native,        ///< thread.native_thread_id
  } thread_id = ThreadId::pthread_only;

  enum class DictKeys : std::uint8_t {
    size,       ///< dk_size, index width follows from it; entries are (hash, key, value)
    log2_kind,  ///< dk_log2_size and dk_kind; string-keyed tables have entries (key, value)
  } dict_keys = DictKeys::size;

  /// Where an instance of a Python class keeps its attributes.
  enum class InstanceDict : std::uint8_t {
    dictoffset,     ///< a dict at tp_dictoffset
    before_object,  ///< 3.11: values at -4 words, dict at -3 words
    tagged_before,  ///< 3.12: one word at -3: dict, or values when its low bit is set
    inline_values,  ///< 3.13 on: dict at -3 words; else values follow the object's basic size
  } instance_dict = InstanceDict::dictoffset;

  /// Where the word in front of an object that leads to its managed dict lies, in words
  /// (MANAGED_DICT_OFFSET; 1 in free-threaded builds).
  std::uint8_t managed_dict_words = 3;

  /// What long_object.tag says beside the number of digits, each of 30 bits.
  enum class LongTag : std::uint8_t {
    signed_size,  ///< ob_size: the count, negative for negative numbers
    sign_bits,    ///< lv_tag, 3.12 on: the count above three bits; the lower two: 0 is positive
  } long_tag = LongTag::signed_size;

  /// The bit of tp_flags that says values live in the object (Py_TPFLAGS_INLINE_VALUES, 3.13).
  std::uint64_t inline_values_flag = 0;
  /// The bit of tp_flags that says there is a managed dict (Py_TPFLAGS_MANAGED_DICT, 3.11 on).
  std::uint64_t managed_dict_flag = 0;

  /// Bits of PyASCIIObject.state.
  std::uint8_t unicode_kind_shift = 2;
  std::uint8_t unicode_compact_shift = 5;
  std::uint8_t unicode_ascii_shift = 6;
};

}  // namespace gilspy

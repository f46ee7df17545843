#pragma once

/// The one list of everything gilspy reads out of CPython's structs. The tables, their validation,
/// the generator (tools/gen_layout) and the layout dump are all derived from it.
///
///   X(name here, type it is read as, "member path in C"[ or paths by age, newest first, split by
///   |])
///
/// A field that a version does not have stays absent in its table. A path may go through embedded
/// structs. Where a struct's C name changed, the names are listed newest first as well.
/// Sources: Include/internal/pycore_runtime.h, pycore_interp.h, pycore_gil.h, pycore_frame.h,
/// pycore_dict.h, Include/cpython/{pystate,code,unicodeobject,dictobject}.h of CPython 3.7 to 3.13.

// _PyRuntime itself.
#define GILSPY_RUNTIME_FIELDS(X)                                    \
  X(interpreters_head, RemoteAddress, "interpreters.head")          \
  X(interpreters_main, RemoteAddress, "interpreters.main")          \
  /* Embedded here up to 3.11; from 3.12 on see interpreter.gil. */ \
  X(gil, Embedded, "ceval.gil")

#define GILSPY_INTERPRETER_FIELDS(X)                                     \
  X(next, RemoteAddress, "next")                                         \
  X(id, std::int64_t, "id")                                              \
  X(threads_head, RemoteAddress, "threads.head|tstate_head")             \
  /* A pointer from 3.12 on: interpreters may share a GIL or own one. */ \
  X(gil, RemoteAddress, "ceval.gil")                                     \
  X(modules, RemoteAddress, "imports.modules|modules")

// struct _gil_runtime_state
#define GILSPY_GIL_FIELDS(X)                       \
  X(enabled, std::int32_t, "enabled")              \
  X(interval, std::uint64_t, "interval")           \
  X(last_holder, RemoteAddress, "last_holder")     \
  X(locked, std::int32_t, "locked")                \
  X(switch_number, std::uint64_t, "switch_number") \
  X(cond, Embedded, "cond")                        \
  X(mutex, Embedded, "mutex")                      \
  X(switch_cond, Embedded, "switch_cond")          \
  X(switch_mutex, Embedded, "switch_mutex")

// PyThreadState
#define GILSPY_THREAD_FIELDS(X)                          \
  X(prev, RemoteAddress, "prev")                         \
  X(next, RemoteAddress, "next")                         \
  X(interp, RemoteAddress, "interp")                     \
  X(thread_id, std::uint64_t, "thread_id")               \
  X(native_thread_id, std::uint64_t, "native_thread_id") \
  X(frame, RemoteAddress, "frame")                       \
  X(cframe, RemoteAddress, "cframe")                     \
  X(current_frame, RemoteAddress, "current_frame")       \
  X(datastack_chunk, RemoteAddress, "datastack_chunk")   \
  X(datastack_top, RemoteAddress, "datastack_top")       \
  X(state, std::int32_t, "state")

// _PyCFrame: 3.11 and 3.12 have the current frame one step away.
#define GILSPY_CFRAME_FIELDS(X) X(current_frame, RemoteAddress, "current_frame")

// PyFrameObject up to 3.10, _PyInterpreterFrame after.
#define GILSPY_FRAME_FIELDS(X)                                              \
  X(previous, RemoteAddress, "previous|f_back")                             \
  X(code, RemoteAddress, "f_executable|f_code")                             \
  /* Up to 3.10 an index, see Traits::instruction; after that a pointer. */ \
  X(lasti, std::int32_t, "f_lasti")                                         \
  X(instruction, RemoteAddress, "instr_ptr|prev_instr")                     \
  X(owner, std::int8_t, "owner")                                            \
  /* 3.11 only: called from C, not by the frame below it. */                \
  X(is_entry, std::int8_t, "is_entry")                                      \
  X(stacktop, std::int32_t, "stacktop")                                     \
  X(executing, std::int8_t, "f_state|f_executing")                          \
  X(locals, Embedded, "localsplus|f_localsplus")

#define GILSPY_CODE_FIELDS(X)                             \
  X(name, RemoteAddress, "co_name")                       \
  X(qualname, RemoteAddress, "co_qualname")               \
  X(filename, RemoteAddress, "co_filename")               \
  X(first_line, std::int32_t, "co_firstlineno")           \
  X(line_table, RemoteAddress, "co_linetable|co_lnotab")  \
  /* A bytes object up to 3.10, embedded from 3.11 on. */ \
  X(code_object, RemoteAddress, "co_code")                \
  X(bytecode, Embedded, "co_code_adaptive")               \
  X(framesize, std::int32_t, "co_framesize")              \
  X(nlocalsplus, std::int32_t, "co_nlocalsplus")          \
  X(stacksize, std::int32_t, "co_stacksize")

// One chunk of a thread's data stack, 3.11 on.
#define GILSPY_CHUNK_FIELDS(X)           \
  X(previous, RemoteAddress, "previous") \
  X(size, std::uint64_t, "size")         \
  X(top, std::uint64_t, "top")           \
  X(data, Embedded, "data")

#define GILSPY_OBJECT_FIELDS(X) X(type, RemoteAddress, "ob_type")
#define GILSPY_VAR_OBJECT_FIELDS(X) X(size, std::int64_t, "ob_size")
#define GILSPY_BYTES_FIELDS(X) X(data, Embedded, "ob_sval")

#define GILSPY_ASCII_FIELDS(X)      \
  X(length, std::int64_t, "length") \
  X(state, std::uint32_t, "state")
// Only its size matters: the characters of a compact non-ASCII string follow it.
#define GILSPY_COMPACT_FIELDS(X) X(utf8_length, std::int64_t, "utf8_length")

#define GILSPY_LONG_FIELDS(X)                                \
  X(tag, std::uint64_t, "long_value.lv_tag|ob_base.ob_size") \
  X(digits, Embedded, "long_value.ob_digit|ob_digit")

#define GILSPY_TYPE_FIELDS(X)                  \
  X(name, RemoteAddress, "tp_name")            \
  X(basicsize, std::int64_t, "tp_basicsize")   \
  X(dictoffset, std::int64_t, "tp_dictoffset") \
  X(flags, std::uint64_t, "tp_flags")
#define GILSPY_HEAP_TYPE_FIELDS(X) X(cached_keys, RemoteAddress, "ht_cached_keys")

#define GILSPY_MODULE_FIELDS(X) X(dict, RemoteAddress, "md_dict")

#define GILSPY_DICT_FIELDS(X)       \
  X(used, std::int64_t, "ma_used")  \
  X(keys, RemoteAddress, "ma_keys") \
  X(values, RemoteAddress, "ma_values")

// PyDictKeysObject
#define GILSPY_DICT_KEYS_FIELDS(X)                         \
  X(size, std::int64_t, "dk_size")                         \
  X(log2_size, std::uint8_t, "dk_log2_size")               \
  X(log2_index_bytes, std::uint8_t, "dk_log2_index_bytes") \
  X(kind, std::uint8_t, "dk_kind")                         \
  X(nentries, std::int64_t, "dk_nentries")                 \
  X(indices, Embedded, "dk_indices")

#define GILSPY_DICT_ENTRY_FIELDS(X) \
  X(key, RemoteAddress, "me_key")   \
  X(value, RemoteAddress, "me_value")
#define GILSPY_DICT_UNICODE_ENTRY_FIELDS(X) \
  X(key, RemoteAddress, "me_key")           \
  X(value, RemoteAddress, "me_value")
// Up to 3.12 the values alone.
#define GILSPY_DICT_VALUES_FIELDS(X)    \
  X(capacity, std::uint8_t, "capacity") \
  X(valid, std::uint8_t, "valid")       \
  X(values, Embedded, "values")

///   S(name here, its fields, "C name[|older C name]")
#define GILSPY_STRUCTS(S)                                                       \
  S(runtime, GILSPY_RUNTIME_FIELDS, "pyruntimestate")                           \
  S(interpreter, GILSPY_INTERPRETER_FIELDS, "_is")                              \
  S(gil, GILSPY_GIL_FIELDS, "_gil_runtime_state")                               \
  S(thread, GILSPY_THREAD_FIELDS, "_ts")                                        \
  S(cframe, GILSPY_CFRAME_FIELDS, "_PyCFrame")                                  \
  S(frame, GILSPY_FRAME_FIELDS, "_PyInterpreterFrame|_frame")                   \
  S(code, GILSPY_CODE_FIELDS, "PyCodeObject")                                   \
  S(chunk, GILSPY_CHUNK_FIELDS, "_stack_chunk")                                 \
  S(object, GILSPY_OBJECT_FIELDS, "_object")                                    \
  S(var_object, GILSPY_VAR_OBJECT_FIELDS, "PyVarObject")                        \
  S(bytes, GILSPY_BYTES_FIELDS, "PyBytesObject")                                \
  S(ascii, GILSPY_ASCII_FIELDS, "PyASCIIObject")                                \
  S(compact, GILSPY_COMPACT_FIELDS, "PyCompactUnicodeObject")                   \
  S(long_object, GILSPY_LONG_FIELDS, "_longobject")                             \
  S(type, GILSPY_TYPE_FIELDS, "_typeobject")                                    \
  S(heap_type, GILSPY_HEAP_TYPE_FIELDS, "_heaptypeobject")                      \
  S(module, GILSPY_MODULE_FIELDS, "PyModuleObject")                             \
  S(dict, GILSPY_DICT_FIELDS, "PyDictObject")                                   \
  S(dict_keys, GILSPY_DICT_KEYS_FIELDS, "_dictkeysobject")                      \
  S(dict_entry, GILSPY_DICT_ENTRY_FIELDS, "PyDictKeyEntry")                     \
  S(dict_unicode_entry, GILSPY_DICT_UNICODE_ENTRY_FIELDS, "PyDictUnicodeEntry") \
  S(dict_values, GILSPY_DICT_VALUES_FIELDS, "_dictvalues")

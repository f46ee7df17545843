#pragma once

/// What _Py_DebugOffsets, at the start of _PyRuntime since 3.13, says of the fields in fields.h.
/// It consists of 64-bit numbers after its cookie; where each stands differs between minors, and is
/// generated into the tables like everything else.
/// Source: Include/internal/pycore_debug_offsets.h (pycore_runtime.h in 3.13).
///
///   D(struct of fields.h, its field, "path in _Py_DebugOffsets")
#define GILSPY_DEBUG_FIELDS(D)                                     \
  D(runtime, interpreters_head, "runtime_state.interpreters_head") \
  D(interpreter, next, "interpreter_state.next")                   \
  D(interpreter, id, "interpreter_state.id")                       \
  D(interpreter, threads_head, "interpreter_state.threads_head")   \
  D(interpreter, gil, "interpreter_state.ceval_gil")               \
  D(interpreter, modules, "interpreter_state.imports_modules")     \
  /* In the GIL itself, unlike its other fields. */                \
  D(gil, enabled, "interpreter_state.gil_runtime_state_enabled")   \
  D(thread, prev, "thread_state.prev")                             \
  D(thread, next, "thread_state.next")                             \
  D(thread, interp, "thread_state.interp")                         \
  D(thread, thread_id, "thread_state.thread_id")                   \
  D(thread, native_thread_id, "thread_state.native_thread_id")     \
  D(thread, current_frame, "thread_state.current_frame")           \
  D(thread, datastack_chunk, "thread_state.datastack_chunk")       \
  D(frame, previous, "interpreter_frame.previous")                 \
  D(frame, code, "interpreter_frame.executable")                   \
  D(frame, instruction, "interpreter_frame.instr_ptr")             \
  D(frame, owner, "interpreter_frame.owner")                       \
  D(frame, locals, "interpreter_frame.localsplus")                 \
  D(code, name, "code_object.name")                                \
  D(code, qualname, "code_object.qualname")                        \
  D(code, filename, "code_object.filename")                        \
  D(code, first_line, "code_object.firstlineno")                   \
  D(code, line_table, "code_object.linetable")                     \
  D(code, bytecode, "code_object.co_code_adaptive")                \
  D(object, type, "pyobject.ob_type")                              \
  D(bytes, data, "bytes_object.ob_sval")                           \
  D(ascii, length, "unicode_object.length")                        \
  D(ascii, state, "unicode_object.state")                          \
  D(long_object, tag, "long_object.lv_tag")                        \
  D(long_object, digits, "long_object.ob_digit")                   \
  D(type, name, "type_object.tp_name")                             \
  D(type, basicsize, "type_object.tp_basicsize")                   \
  D(type, dictoffset, "type_object.tp_dictoffset")                 \
  D(type, flags, "type_object.tp_flags")                           \
  D(heap_type, cached_keys, "heap_type_object.ht_cached_keys")     \
  D(dict, keys, "dict_object.ma_keys")                             \
  D(dict, values, "dict_object.ma_values")

/// Those of the GIL are told as offsets in the interpreter, of the GIL that each one embeds.
#define GILSPY_DEBUG_GIL_FIELDS(D)                             \
  D(gil, locked, "interpreter_state.gil_runtime_state_locked") \
  D(gil, last_holder, "interpreter_state.gil_runtime_state_holder")

///   Z(struct of fields.h, "path of its size")
#define GILSPY_DEBUG_SIZES(Z)                            \
  Z(runtime, "runtime_state.size")                       \
  Z(interpreter, "interpreter_state.size")               \
  Z(thread, "thread_state.size")                         \
  Z(frame, "interpreter_frame.size")                     \
  Z(code, "code_object.size")                            \
  Z(object, "pyobject.size")                             \
  Z(bytes, "bytes_object.size")                          \
  Z(ascii, "unicode_object.asciiobject_size")            \
  Z(compact, "unicode_object.compactunicodeobject_size") \
  Z(long_object, "long_object.size")                     \
  Z(type, "type_object.size")                            \
  Z(heap_type, "heap_type_object.size")                  \
  Z(dict, "dict_object.size")

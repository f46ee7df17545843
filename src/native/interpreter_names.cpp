// What CPython's functions are to a reader of stacks, by their names in 3.7 to 3.15.

#include <algorithm>
#include <array>

#include "gilspy/native/merge.h"

namespace gilspy {
namespace {

/// Python/ceval_gil.c (ceval_gil.h up to 3.11), and its callers in ceval.c and pystate.c.
constexpr std::array<std::string_view, 16> gil_waits{
    "PyEval_AcquireLock",
    "PyEval_AcquireThread",
    "PyEval_ReleaseThread",
    "PyEval_RestoreThread",
    "PyEval_SaveThread",
    "PyGILState_Ensure",
    "PyGILState_Release",
    "_PyEval_AcquireLock",
    "_PyEval_ReleaseLock",
    "_PyThreadState_Attach",
    "_PyThreadState_Detach",
    "_PyThreadState_Suspend",
    "drop_gil",
    "drop_gil_impl",
    "take_gil",
    "tstate_wait_attach",
};

/// How a call gets from one function to the next, by whole names: Objects/call.c, methodobject.c,
/// descrobject.c, classobject.c, typeobject.c, Python/ceval.c, pythonrun.c, Modules/main.c,
/// _threadmodule.c, and how a process and a thread begin. The eval loop's own calls, in ceval.c and
/// ceval_gil.c, hand the GIL over and run signal handlers and, since 3.12, the garbage collector.
constexpr std::array<std::string_view, 63> machinery{
    "Py_BytesMain",
    "Py_Main",
    "Py_RunMain",
    "_Py_HandlePending",
    "__clone",
    "__clone3",
    "__libc_start_call_main",
    "__libc_start_main",
    "__libc_start_main_impl",
    "_start",
    "bounded_lru_cache_wrapper_call",
    "bootstrap_thread",
    "builtin_exec",
    "builtin_exec_impl",
    "call_attribute",
    "call_function",
    "call_method",
    "call_unbound",
    "call_unbound_noarg",
    "clone",
    "clone3",
    "coro_send",
    "do_call_core",
    "eval_frame_handle_pending",
    "exec_code_in_module",
    "fast_function",
    "function_code_fastcall",
    "function_call",
    "gen_iternext",
    "gen_send",
    "gen_send_ex",
    "gen_send_ex2",
    "initialize_locals",
    "lookup_maybe_method",
    "main",
    "make_coro",
    "method_call",
    "method_vectorcall",
    "object_vacall",
    "partial_call",
    "partial_vectorcall",
    "py_trampoline_evaluator",
    "pymain_main",
    "pymain_run_command",
    "pymain_run_file",
    "pymain_run_file_obj",
    "pymain_run_module",
    "pymain_run_python",
    "pymain_run_startup",
    "pymain_run_stdin",
    "pyrun_file",
    "pyrun_simple_file",
    "pythread_wrapper",
    "run_eval_code_obj",
    "run_mod",
    "start_thread",
    "t_bootstrap",
    "thread_run",
    "trampoline_call",
    "tuple_vectorcall",
    "type_call",
    "vgetargskeywords",
    "wrapper_call",
};

/// Likewise, families by how their names begin.
constexpr std::array<std::string_view, 37> machinery_families{
    "PyCFunction_",
    "PyEval_Call",
    "PyEval_EvalCode",
    "PyEval_EvalFrame",
    "PyIter_Send",
    "PyObject_Call",
    "PyObject_Vectorcall",
    "PyRun_",
    "PyVectorcall_",
    "_PyCFunction_",
    "_PyEval_EvalCode",
    "_PyEval_EvalFrame",
    "_PyEval_Vector",
    "_PyFunction_",
    "_PyMethodDef_",
    "_PyMethodDescr_",
    "_PyMethod_",
    "_PyObject_Call",
    "_PyObject_FastCall",
    "_PyObject_MakeTpCall",
    "_PyObject_Vectorcall",
    "_PyRun_",
    "_PyStack_",
    "_PyVectorcall_",
    "_Py_Run",
    "cfunction_",
    "cmpwrapper_",
    "method_vectorcall_",
    "methoddescr_",
    "pymain_",
    "pyrun_",
    "slot_",
    "type_vectorcall",
    "vectorcall_",
    "vectorcall_maybe",
    "wrap_",
    "wrapperdescr_",
};

}  // namespace

NativeRole role_of(std::string_view function) {
  if (function == eval_loop_name) return NativeRole::eval_loop;
  if (std::ranges::find(gil_waits, function) != gil_waits.end()) return NativeRole::gil_wait;
  const bool is_machinery =
      std::ranges::find(machinery, function) != machinery.end() ||
      std::ranges::any_of(machinery_families, [function](std::string_view family) {
        return function.starts_with(family);
      });
  return is_machinery ? NativeRole::machinery : NativeRole::plain;
}

}  // namespace gilspy

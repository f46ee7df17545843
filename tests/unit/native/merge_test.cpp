#include "gilspy/native/merge.h"

#include <gtest/gtest.h>

#include <string>

namespace gilspy {
namespace {

/// 'e' an eval loop, 'm' machinery, 'w' a wait for the GIL, '+' one without a name, anything else a
/// function of that name; from the top down.
std::vector<NativeRole> roles_of(std::string_view native) {
  std::vector<NativeRole> roles;
  for (const char c : native) {
    roles.push_back(c == 'e'   ? NativeRole::eval_loop
                    : c == 'm' ? NativeRole::machinery
                    : c == 'w' ? NativeRole::gil_wait
                    : c == '+' ? NativeRole::nameless
                               : NativeRole::plain);
  }
  return roles;
}

/// The merged stack, outermost first: Python functions by their number, native ones by their
/// letter. `python`: outermost first, 'C' where C called it and '.' where Python did.
std::string merged(std::string_view native, bool whole, std::string_view python) {
  std::vector<bool> from_c;
  for (const char c : python) from_c.push_back(c == 'C');
  const Merged result = merge_stacks(roles_of(native), whole, from_c);
  std::string text = result.aligned ? "" : "?";
  for (const MergedFrame& frame : result.frames) {
    text += frame.native ? native[frame.index] : static_cast<char>('0' + frame.index);
  }
  return text;
}

TEST(Merge, PutsPythonInThePlaceOfItsLoop) {
  EXPECT_EQ(merged("xyem", true, "C.."), "012yx");
  EXPECT_EQ(merged("xmyema", true, "C"), "a0yx");
}

TEST(Merge, GivesEachLoopItsOwnFunctions) {
  // Up to 3.10 each function has a loop of its own, later ones that call each other share one.
  EXPECT_EQ(merged("xesesm", true, "CC"), "s0s1x");
  EXPECT_EQ(merged("xesem", true, "C..C."), "012s34x");
  EXPECT_EQ(merged("emem", true, "C.C"), "012");
}

TEST(Merge, LeavesOutWhatWaitsForTheGil) {
  EXPECT_EQ(merged("fwsem", true, "C"), "0s");
  EXPECT_EQ(merged("fwwe", true, "C"), "0");
}

TEST(Merge, ShowsNamelessFunctionsOnlyOnTop) {
  EXPECT_EQ(merged("++x+e+y+e+", true, "CC"), "0y1x++");
  EXPECT_EQ(merged("+e+", true, "C"), "0+");
  EXPECT_EQ(merged("m+e", true, "C"), "0");
}

TEST(Merge, ThreadWithoutPythonIsItsNativeStack) {
  EXPECT_EQ(merged("xyz", true, ""), "zyx");
  EXPECT_EQ(merged("xy", false, ""), "yx");
}

TEST(Merge, BrokenStackKeepsItsTop) {
  EXPECT_EQ(merged("x", false, "C.C"), "012x");
  EXPECT_EQ(merged("xese", false, "C.C.C"),
            "0123"
            "s"
            "4x");
  EXPECT_EQ(merged("xea", false, "C.C"), "01a2x");
  EXPECT_EQ(merged("", false, "C.C"), "012");
}

TEST(Merge, TooFewOrTooManyLoopsAreNotAligned) {
  EXPECT_EQ(merged("xeye", true, "C.."), "?012x");
  EXPECT_EQ(merged("xe", true, "C.C"), "?012x");
  EXPECT_EQ(merged("xeye", false, "C"), "?0x");
  // Without a loop nothing says that Python called it.
  EXPECT_EQ(merged("xy", true, "C"), "?0");
}

TEST(Roles, OfTheInterpretersOwnFunctions) {
  EXPECT_EQ(role_of("_PyEval_EvalFrameDefault"), NativeRole::eval_loop);
  EXPECT_EQ(role_of("take_gil"), NativeRole::gil_wait);
  // It hands the GIL over, but runs the garbage collector as well.
  EXPECT_EQ(role_of("_Py_HandlePending"), NativeRole::machinery);
  EXPECT_EQ(role_of("_Py_RunGC"), NativeRole::machinery);
  EXPECT_EQ(role_of("gc_collect_main"), NativeRole::plain);
  for (const std::string_view name :
       {"PyObject_Call", "_PyObject_Vectorcall", "cfunction_vectorcall_FASTCALL", "slot_tp_call",
        "method_vectorcall_NOARGS", "start_thread", "pymain_run_file", "_PyEval_Vector",
        "py_trampoline_evaluator"}) {
    EXPECT_EQ(role_of(name), NativeRole::machinery) << name;
  }
}

TEST(Roles, WhatDoesTheWorkIsShown) {
  for (const std::string_view name :
       {"list_sort_impl", "sre_ucs1_match", "deflate", "clock_nanosleep", "",
        "PyObject_RichCompare", "cfunction", "builtin_sorted", "maintain"}) {
    EXPECT_EQ(role_of(name), NativeRole::plain) << name;
  }
}

}  // namespace
}  // namespace gilspy

#include "stack_owners.h"

#include <gtest/gtest.h>

namespace gilspy {
namespace {

constexpr std::uint64_t start_stack = 0x7ffc'0000'0000;
constexpr std::uint64_t worker_ident = 0x7f00'0080'0000;

PythonThread thread(std::uint64_t interpreter, std::uint64_t ident, std::uint64_t native_id,
                    std::uint64_t c_frame) {
  return {.address = RemoteAddress{interpreter + native_id},
          .interpreter = RemoteAddress{interpreter},
          .ident = ident,
          .native_id = native_id,
          .c_frame = RemoteAddress{c_frame}};
}

PythonInterpreter main_interpreter() {
  PythonInterpreter interpreter;
  interpreter.address = RemoteAddress{0x1000};
  // The list begins with the newest; the main thread's ident is no address on its stack.
  interpreter.threads = {thread(0x1000, worker_ident, 11, 0),
                         thread(0x1000, 0x7f00'0100'0000, 10, 0)};
  return interpreter;
}

TEST(StackOwners, AThreadStateBelongsToTheStackItsCFrameLiesOn) {
  const std::vector interpreters{main_interpreter()};
  const StackOwners owners{start_stack, interpreters};
  // Made by the main thread (10), run by the worker (11).
  PythonThread inside = thread(0x2000, 0x7f00'0100'0000, 10, worker_ident - 0x2000);
  owners.correct(inside);
  EXPECT_EQ(inside.native_id, 11U);
  EXPECT_EQ(inside.ident, worker_ident);

  PythonThread on_main = thread(0x2000, worker_ident, 11, start_stack - 0x8000);
  owners.correct(on_main);
  EXPECT_EQ(on_main.native_id, 10U);
}

TEST(StackOwners, WhatLiesOnNoStackKeepsItsIds) {
  const std::vector interpreters{main_interpreter()};
  const StackOwners owners{start_stack, interpreters};
  for (const std::uint64_t c_frame : {std::uint64_t{0}, std::uint64_t{0x5555'0000'0000},
                                      start_stack + 0x1000, ~std::uint64_t{0}}) {
    PythonThread idle = thread(0x2000, 77, 12, c_frame);
    owners.correct(idle);
    EXPECT_EQ(idle.native_id, 12U) << std::hex << c_frame;
  }
}

TEST(StackOwners, TheMainInterpretersThreadsAreWhoTheySay) {
  const std::vector interpreters{main_interpreter()};
  const StackOwners owners{start_stack, interpreters};
  PythonThread own = thread(0x1000, 77, 12, worker_ident - 0x2000);
  owners.correct(own);
  EXPECT_EQ(own.native_id, 12U);
}

}  // namespace
}  // namespace gilspy

#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "gilspy/model/tables.h"
#include "gilspy/python/gil.h"
#include "gilspy/python/interpreters.h"
#include "gilspy/python/pthread_ids.h"
#include "gilspy/python/stack_reader.h"
#include "gilspy/python/thread_names.h"

namespace gilspy::testing {

/// Function, file, line; innermost first.
using SeenStack = std::vector<std::tuple<std::string, std::string, std::uint32_t>>;

struct SeenThread {
  std::string name;
  SeenStack stack;
};

/// Everything that gilspy reads of a target's Python in one look.
struct OneLook {
  std::size_t interpreters = 0;
  bool gil_enabled = false;
  bool gil_locked = false;
  Duration switch_interval{};
  std::map<std::int32_t, SeenThread> threads;  // by the kernel's ids
};

/// Fails (throws) where anything cannot be read: the target stands still.
inline OneLook look_at(MemoryReader& memory, const Layout& layout, RemoteAddress runtime,
                       const std::vector<std::int32_t>& tids) {
  Tables tables;
  Interner interner{tables};
  StackReader stacks{memory, layout, interner};
  PthreadIds pthread_ids;
  OneLook look;
  const auto interpreters = read_interpreters(memory, layout, runtime).value();
  look.interpreters = interpreters.size();
  for (const PythonInterpreter& interpreter : interpreters) {
    const GilReader reader{layout, interpreter.gil};
    GilReader::Buffer buffer{};
    const ReadSlot slot = reader.slot(buffer);
    if (!memory.read(slot.from, slot.into)) throw std::runtime_error("unreadable GIL");
    look.gil_enabled = reader.decode(buffer).enabled();
    look.gil_locked = reader.decode(buffer).locked;
    look.switch_interval = reader.switch_interval(buffer);
    const auto names = read_thread_names(memory, layout, interpreter.address);
    std::vector<std::uint64_t> idents;
    for (const PythonThread& thread : interpreter.threads) idents.push_back(thread.ident);
    for (const PythonThread& thread : interpreter.threads) {
      const auto by_pthread = pthread_ids.tid_of(memory, thread.ident, idents, tids);
      const auto tid = thread.native_id != 0 ? static_cast<std::int32_t>(thread.native_id)
                                             : by_pthread.value_or(0);
      SeenThread seen;
      if (const auto name = names.find(thread.ident); name != names.end()) seen.name = name->second;
      const auto nodes = tables.frames(stacks.read(thread).value());
      for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
        seen.stack.emplace_back(tables.function_of(*node), tables.file_of(*node), node->line);
      }
      look.threads[tid] = std::move(seen);
    }
  }
  return look;
}

}  // namespace gilspy::testing

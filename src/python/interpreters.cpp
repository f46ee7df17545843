#include "gilspy/python/interpreters.h"

#include <array>
#include <unordered_set>

namespace gilspy {
namespace {

/// No struct that is read whole here is larger; interpreters are read field by field.
constexpr std::size_t max_thread_struct = 1024;

Result<PythonThread> read_thread(MemoryReader& memory, const Layout& layout, RemoteAddress address,
                                 RemoteAddress& next) {
  std::array<std::byte, max_thread_struct> buffer;
  const auto bytes =
      std::span{buffer}.first(std::min<std::size_t>(layout.at.thread.struct_size, buffer.size()));
  if (auto done = memory.read(address, bytes); !done) return tl::make_unexpected(done.error());
  const StructView view{bytes};
  PythonThread thread;
  thread.address = address;
  thread.interpreter = view.get(layout.at.thread.interp).value_or(RemoteAddress{});
  thread.ident = view.get(layout.at.thread.thread_id).value_or(0);
  thread.native_id = view.get(layout.at.thread.native_thread_id).value_or(0);
  thread.c_frame = view.get(layout.at.thread.cframe).value_or(RemoteAddress{});
  next = view.get(layout.at.thread.next).value_or(RemoteAddress{});
  return thread;
}

Result<void> read_threads(MemoryReader& memory, const Layout& layout,
                          PythonInterpreter& interpreter) {
  std::unordered_set<RemoteAddress> seen;
  RemoteAddress at = interpreter.threads_head;
  while (!at.is_null()) {
    if (seen.size() >= max_python_threads || !seen.insert(at).second) {
      return fail(ErrorClass::retry, "the list of thread states does not end");
    }
    RemoteAddress next;
    const auto thread = read_thread(memory, layout, at, next);
    if (!thread) return tl::make_unexpected(thread.error());
    if (thread->interpreter != interpreter.address) {
      return fail(ErrorClass::retry, "a thread state of another interpreter in the list");
    }
    interpreter.threads.push_back(*thread);
    at = next;
  }
  return {};
}

Result<PythonInterpreter> read_interpreter(MemoryReader& memory, const Layout& layout,
                                           RemoteAddress runtime, RemoteAddress address,
                                           RemoteAddress& next) {
  const auto& at = layout.at.interpreter;
  PythonInterpreter interpreter;
  interpreter.address = address;
  const bool own_pointer = layout.traits.gil_place == Traits::GilPlace::interpreter;
  RemoteAddress gil = own_pointer ? RemoteAddress{} : layout.at.runtime.gil.in(runtime);
  const std::array slots{
      ReadSlot{at.next.in(address), std::as_writable_bytes(std::span{&next, 1})},
      ReadSlot{at.id.in(address), std::as_writable_bytes(std::span{&interpreter.id, 1})},
      ReadSlot{at.threads_head.in(address),
               std::as_writable_bytes(std::span{&interpreter.threads_head, 1})},
      ReadSlot{own_pointer ? at.gil.in(address) : address,
               own_pointer ? std::as_writable_bytes(std::span{&gil, 1}) : std::span<std::byte>{}},
  };
  const auto done = memory.read_batch(std::span{slots}.first(own_pointer ? 4 : 3));
  if (!done) return tl::make_unexpected(done.error());
  if (*done < (own_pointer ? 4U : 3U)) return fail(ErrorClass::retry, "unreadable interpreter");
  interpreter.gil = gil;
  if (auto threads = read_threads(memory, layout, interpreter); !threads) {
    return tl::make_unexpected(threads.error());
  }
  return interpreter;
}

}  // namespace

Attachment attachment_of(std::int32_t state) {
  switch (state) {
    case 0:                                // _Py_THREAD_DETACHED
    case 5: return Attachment::detached;   // _Py_THREAD_DETACHED_WAITING
    case 1: return Attachment::attached;   // _Py_THREAD_ATTACHED
    case 2:                                // _Py_THREAD_SUSPENDED
    case 4: return Attachment::suspended;  // _Py_THREAD_SUSPENDED_WAITING
    default: return Attachment::none;      // _Py_THREAD_SHUTTING_DOWN, or torn
  }
}

Result<std::vector<PythonInterpreter>> read_interpreters(MemoryReader& memory, const Layout& layout,
                                                         RemoteAddress runtime) {
  auto head = memory.read_pointer(layout.at.runtime.interpreters_head.in(runtime));
  if (!head) return tl::make_unexpected(head.error());
  std::vector<PythonInterpreter> interpreters;
  std::unordered_set<RemoteAddress> seen;
  for (RemoteAddress at = *head; !at.is_null();) {
    if (seen.size() >= max_interpreters || !seen.insert(at).second) {
      return fail(ErrorClass::retry, "the list of interpreters does not end");
    }
    RemoteAddress next;
    auto interpreter = read_interpreter(memory, layout, runtime, at, next);
    if (!interpreter) return tl::make_unexpected(interpreter.error());
    interpreters.push_back(std::move(*interpreter));
    at = next;
  }
  return interpreters;
}

}  // namespace gilspy

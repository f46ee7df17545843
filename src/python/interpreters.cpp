#include "gilspy/python/interpreters.h"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace gilspy {
namespace {

/// No struct that is read whole here is larger; interpreters are read field by field.
constexpr std::size_t max_thread_struct = 1024;

std::size_t thread_size(const Layout& layout) {
  return std::min<std::size_t>(layout.at.thread.struct_size, max_thread_struct);
}

PythonThread thread_of(const Layout& layout, RemoteAddress address,
                       std::span<const std::byte> bytes) {
  const StructView view{bytes};
  PythonThread thread;
  thread.address = address;
  thread.interpreter = view.get(layout.at.thread.interp).value_or(RemoteAddress{});
  thread.ident = view.get(layout.at.thread.thread_id).value_or(0);
  thread.native_id = view.get(layout.at.thread.native_thread_id).value_or(0);
  thread.c_frame = view.get(layout.at.thread.cframe).value_or(RemoteAddress{});
  return thread;
}

/// The bytes of thread states that are expected to come one after the other in a list, read all at
/// once: alone each would cost a system call.
class ExpectedThreads {
 public:
  ExpectedThreads(MemoryReader& memory, const Layout& layout,
                  std::span<const PythonThread> expected)
      : expected_(expected), size_(thread_size(layout)), bytes_(expected.size() * size_) {
    if (expected.empty()) return;
    std::vector<ReadSlot> slots;
    slots.reserve(expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      slots.push_back({expected[i].address, std::span{bytes_}.subspan(i * size_, size_)});
    }
    const auto done = memory.read_batch(slots);
    read_ = done.value_or(0);
  }

  /// Empty when it is not the next one that is expected, or one that could not be read.
  [[nodiscard]] std::span<const std::byte> next(RemoteAddress address) {
    // One that is expected may have gone from the list, or others come into it.
    for (std::size_t i = at_; i < read_; ++i) {
      if (expected_[i].address != address) continue;
      at_ = i + 1;
      return std::span{bytes_}.subspan(i * size_, size_);
    }
    return {};
  }

 private:
  std::span<const PythonThread> expected_;
  std::size_t size_;
  std::vector<std::byte> bytes_;
  std::size_t read_ = 0;
  std::size_t at_ = 0;
};

Result<void> read_threads(MemoryReader& memory, const Layout& layout,
                          std::span<const PythonThread> expected, PythonInterpreter& interpreter) {
  ExpectedThreads known{memory, layout, expected};
  std::unordered_set<RemoteAddress> seen;
  std::array<std::byte, max_thread_struct> buffer;
  RemoteAddress at = interpreter.threads_head;
  while (!at.is_null()) {
    if (seen.size() >= max_python_threads || !seen.insert(at).second) {
      return fail(ErrorClass::retry, "the list of thread states does not end");
    }
    std::span<const std::byte> bytes = known.next(at);
    if (bytes.empty()) {
      const auto into = std::span{buffer}.first(thread_size(layout));
      if (auto done = memory.read(at, into); !done) return tl::make_unexpected(done.error());
      bytes = into;
    }
    const PythonThread thread = thread_of(layout, at, bytes);
    if (thread.interpreter != interpreter.address) {
      return fail(ErrorClass::retry, "a thread state of another interpreter in the list");
    }
    interpreter.threads.push_back(thread);
    at = StructView{bytes}.get(layout.at.thread.next).value_or(RemoteAddress{});
  }
  return {};
}

Result<PythonInterpreter> read_interpreter(MemoryReader& memory, const Layout& layout,
                                           RemoteAddress runtime, RemoteAddress address,
                                           std::span<const PythonThread> expected,
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
  if (auto threads = read_threads(memory, layout, expected, interpreter); !threads) {
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

Result<std::vector<PythonInterpreter>> read_interpreters(
    MemoryReader& memory, const Layout& layout, RemoteAddress runtime,
    std::span<const PythonInterpreter> expected) {
  auto head = memory.read_pointer(layout.at.runtime.interpreters_head.in(runtime));
  if (!head) return tl::make_unexpected(head.error());
  std::vector<PythonInterpreter> interpreters;
  std::unordered_set<RemoteAddress> seen;
  for (RemoteAddress at = *head; !at.is_null();) {
    if (seen.size() >= max_interpreters || !seen.insert(at).second) {
      return fail(ErrorClass::retry, "the list of interpreters does not end");
    }
    RemoteAddress next;
    const auto known = std::ranges::find(expected, at, &PythonInterpreter::address);
    auto interpreter = read_interpreter(
        memory, layout, runtime, at,
        known != expected.end() ? std::span{known->threads} : std::span<const PythonThread>{},
        next);
    if (!interpreter) return tl::make_unexpected(interpreter.error());
    interpreters.push_back(std::move(*interpreter));
    at = next;
  }
  return interpreters;
}

}  // namespace gilspy

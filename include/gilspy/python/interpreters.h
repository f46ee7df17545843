#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/model/thread_state.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// A Python thread state (PyThreadState) at one moment.
struct PythonThread {
  RemoteAddress address;
  RemoteAddress interpreter;
  std::uint64_t ident = 0;      ///< threading.get_ident(), pthread_self()
  std::uint64_t native_id = 0;  ///< gettid() inside the target's PID namespace; 0: not kept
  RemoteAddress c_frame{};  ///< on the C stack of the thread that runs it (3.10 to 3.12), or null

  friend bool operator==(const PythonThread&, const PythonThread&) = default;
};

/// What PyThreadState.state of a free-threaded build says; the values of 3.15, of which earlier
/// versions have the first (Include/internal/pycore_pystate.h).
[[nodiscard]] Attachment attachment_of(std::int32_t state);

struct PythonInterpreter {
  RemoteAddress address;
  std::int64_t id = 0;
  RemoteAddress gil;  ///< null while it has none
  RemoteAddress threads_head;
  std::vector<PythonThread> threads;
};

/// No process has more; a longer list is a cycle or torn memory.
inline constexpr std::size_t max_python_threads = 32768;
inline constexpr std::size_t max_interpreters = 1024;

/// Walks all interpreters and their thread states. The target changes them meanwhile: a list that
/// breaks off in the middle gives `retry`. What is `expected` to be there, the last answer, makes
/// it cheaper and nothing else.
[[nodiscard]] Result<std::vector<PythonInterpreter>> read_interpreters(
    MemoryReader& memory, const Layout& layout, RemoteAddress runtime,
    std::span<const PythonInterpreter> expected = {});

}  // namespace gilspy

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// Names of an interpreter's threads as `threading` knows them, by thread.thread_id
/// (pthread_self()). Reads sys.modules["threading"]._active: {ident: Thread}, and each Thread's
/// _name. The target runs on meanwhile: a torn or changing structure gives fewer names, never a
/// wrong walk; a thread that started or ended during the read may be missing. Empty when the
/// threading module is not loaded, and now and then (below 1 % of reads) when threads come and go
/// without pause.
/// With `wanted` only of those threads for whose ident it is true: each costs several reads.
using WantedNames = std::function<bool(std::uint64_t)>;
[[nodiscard]] std::unordered_map<std::uint64_t, std::string> read_thread_names(
    MemoryReader& memory, const Layout& layout, RemoteAddress interpreter,
    const WantedNames& wanted = {});

}  // namespace gilspy

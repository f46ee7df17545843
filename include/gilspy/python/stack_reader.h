#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/model/tables.h"
#include "gilspy/python/code_cache.h"
#include "gilspy/python/interpreters.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// Longest stack kept; deeper ones lose their outermost frames.
inline constexpr std::size_t max_stack_depth = 4096;

/// Reads the Python stacks of running threads.
class StackReader {
 public:
  StackReader(MemoryReader& memory, const Layout& layout, Interner& interner)
      : memory_(memory), layout_(layout), interner_(interner), codes_(memory, layout, interner) {}

  /// The thread's stack now; empty_stack when no Python function runs on it.
  /// Fails with `retry` when what was read does not hang together.
  [[nodiscard]] Result<StackId> read(const PythonThread& thread);

 private:
  struct Position {
    RemoteAddress code;
    RemoteAddress instruction;  ///< 3.11 on
    std::int32_t lasti = -1;    ///< before that
  };
  /// A piece of the target's memory, copied.
  struct Region {
    RemoteAddress begin;
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] Result<RemoteAddress> read_head(const PythonThread& thread, RemoteAddress& chunk);
  [[nodiscard]] Result<void> copy_chunk(RemoteAddress chunk, RemoteAddress up_to);
  [[nodiscard]] Result<std::span<const std::byte>> frame_bytes(RemoteAddress frame);
  [[nodiscard]] RemoteAddress untagged(RemoteAddress reference) const;
  [[nodiscard]] Result<void> walk(RemoteAddress head);
  [[nodiscard]] Result<StackId> resolve();
  [[nodiscard]] std::uint32_t line_of(const CodeCache::Code& code, const Position& position) const;

  MemoryReader& memory_;
  const Layout& layout_;
  Interner& interner_;
  CodeCache codes_;
  std::vector<Region> regions_;        // copied for the stack being read
  RemoteAddress next_chunk_;           // the chunk below the last one copied
  std::vector<std::byte> lone_frame_;  // a frame outside of the chunks: a generator's
  std::vector<Position> positions_;    // top frame first
  std::unordered_set<RemoteAddress> seen_;
  std::vector<RemoteAddress> addresses_;
};

}  // namespace gilspy

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/model/events.h"
#include "gilspy/model/tables.h"
#include "gilspy/python/asked.h"
#include "gilspy/python/code_cache.h"
#include "gilspy/python/data_stack.h"
#include "gilspy/python/frame_chain.h"
#include "gilspy/python/frame_position.h"
#include "gilspy/python/interpreters.h"
#include "gilspy/python/still_stack.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// What a stack took to read.
struct StackEffort {
  std::uint32_t again = 0;                ///< looks beyond the first
  StackDrop failed = StackDrop::changed;  ///< why there is none, if there is none
};

/// Reads the Python stacks of running threads.
class StackReader {
 public:
  StackReader(MemoryReader& memory, const Layout& layout, Interner& interner)
      : layout_(layout),
        interner_(interner),
        codes_(memory, layout, interner),
        data_stack_(memory, layout, codes_),
        chain_(memory, layout),
        still_(memory, layout) {}

  /// The thread's stack now; empty_stack when no Python function runs on it.
  /// Fails with `retry` when what was read does not hang together.
  [[nodiscard]] Result<StackId> read(const PythonThread& thread);

  /// Adds to `slots` what the next read of the thread begins with, so that it can be read together
  /// with other things, in this order. Once answer() has told what came of it, that read goes on
  /// from there, if no other thread's comes first.
  void ask(const PythonThread& thread, std::vector<ReadSlot>& slots);
  /// So many of those slots were read, in a read that took so long.
  void answer(const Answer& answer) { answer_ = answer; }

  /// The same of a thread that does not run meanwhile; the caller sees to that.
  [[nodiscard]] Result<StackId> read_still(const PythonThread& thread);

  struct Frame {
    CodeId code;
    std::uint32_t line = 0;
    bool from_c = true;  ///< as in FramePosition
  };
  /// The frames of the stack that was read last, outermost first.
  [[nodiscard]] const std::vector<Frame>& frames() const { return resolved_; }
  /// Of the last read.
  [[nodiscard]] const StackEffort& effort() const { return effort_; }

 private:
  /// Up to 3.10.
  [[nodiscard]] bool has_frame_objects() const {
    return layout_.traits.frame_head == Traits::FrameHead::frame_object;
  }
  [[nodiscard]] bool confirm_codes(std::size_t codes_read = 0);
  [[nodiscard]] Result<StackId> resolve();
  [[nodiscard]] std::uint32_t line_of(const CodeCache::Code& code,
                                      const FramePosition& position) const;

  const Layout& layout_;
  Interner& interner_;
  CodeCache codes_;
  DataStack data_stack_;
  FrameChain chain_;
  StillStack still_;
  StackEffort effort_;
  std::vector<FramePosition> frames_;     // outermost first
  std::vector<RemoteAddress> addresses_;  // of their code objects
  RemoteAddress read_last_;               // the thread that they are of
  RemoteAddress asked_;                   // the thread that was asked for last, if anything was
  std::size_t frames_asked_ = 0;          // slots of its frames, before those of code objects
  std::optional<Answer> answer_;
  std::vector<Frame> resolved_;
};

}  // namespace gilspy

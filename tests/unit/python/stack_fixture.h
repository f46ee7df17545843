#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "fake_code.h"
#include "fake_memory.h"
#include "gilspy/python/stack_reader.h"
#include "layouts.h"

namespace gilspy {

inline constexpr std::uint64_t chunk_size = 16384;
inline constexpr std::int8_t no_entry_owner = Traits{}.first_entry_owner;

/// A thread and its frames, built through the layout of a version: objects on the heap up to 3.10,
/// frames in chunks of the data stack after.
class StackReaderTest : public testing::TestWithParam<int> {
 protected:
  StackReaderTest() {
    memory.put_zeros(thread.address, at.thread.struct_size);
    memory.put_zeros(cframe, 64);
    objects.set(thread.address, at.thread.cframe, cframe);
  }

  [[nodiscard]] bool chunked() const { return at.thread.datastack_chunk.present(); }

  /// A new top chunk of the data stack, empty.
  RemoteAddress push_chunk(RemoteAddress where, std::uint64_t size = chunk_size) {
    memory.put_zeros(where, size);
    if (!chunk_.is_null()) {
      objects.set(chunk_, at.chunk.top, (top_ - at.chunk.data.in(chunk_)) / 8);
    }
    objects.set(where, at.chunk.previous, chunk_);
    objects.set(where, at.chunk.size, size);
    objects.set(thread.address, at.thread.datastack_chunk, where);
    // A thread's first chunk has its first word unused.
    top_ = at.chunk.data.in(where) + (chunk_.is_null() ? 8 : 0);
    chunk_ = where;
    return where;
  }
  /// A frame at some place that is above all others; `unit` says which code unit it is at.
  RemoteAddress put_frame(RemoteAddress where, RemoteAddress code, std::int32_t unit = 1) {
    memory.put_zeros(where, at.frame.struct_size);
    // The one that calls is in the middle of its call, the one on top runs.
    if (!head_.is_null()) objects.set(head_, at.frame.stacktop, std::int32_t{1});
    objects.set(where, at.frame.stacktop, std::int32_t{-1});
    objects.set(where, at.frame.executing, layout.traits.executing);
    // FRAME_OWNED_BY_GENERATOR outside of the data stack, FRAME_OWNED_BY_THREAD in it.
    objects.set(where, at.frame.owner, static_cast<std::int8_t>(chunked() ? 1 : 0));
    objects.set(where, at.frame.previous, head_);
    objects.set(where, at.frame.code, code + layout.traits.reference_tag_mask);
    codes.put_unit(where, code, unit);
    set_head(where);
    return where;
  }
  /// A frame where this version's function calls put theirs.
  RemoteAddress push_frame(RemoteAddress code, std::int32_t unit = 1, std::uint64_t room = 0) {
    if (room == 0) room = FakeCode::frame_room(layout);
    if (!chunked()) return put_frame(objects.allocate(room), code, unit);
    const RemoteAddress where = top_;
    top_ = top_ + room;
    objects.set(thread.address, at.thread.datastack_top, top_);
    put_frame(where, code, unit);
    objects.set(where, at.frame.owner, std::int8_t{0});
    return where;
  }
  void set_head(RemoteAddress frame) {
    head_ = frame;
    switch (layout.traits.frame_head) {
      case Traits::FrameHead::frame_object:
        objects.set(thread.address, at.thread.frame, frame);
        break;
      case Traits::FrameHead::cframe: objects.set(cframe, at.cframe.current_frame, frame); break;
      case Traits::FrameHead::thread:
        objects.set(thread.address, at.thread.current_frame, frame);
        break;
    }
  }
  /// The target runs: current_frame shows `first` at the first look, then the other one, and so on
  /// by turns.
  void run_on(RemoteAddress first, RemoteAddress second) {
    set_head(first);
    memory.before_slot([=, this](std::size_t, RemoteAddress from) {
      if (from == chunk_) set_head(head_ == first ? second : first);
    });
  }
  /// The frame on top, and the one that called it.
  void run_on() { run_on(head_, *memory.read_pointer(at.frame.previous.in(head_))); }
  /// Into another chunk where this one is full.
  void push_frame_anywhere(RemoteAddress code) {
    if (chunked() && top_ + FakeCode::frame_room(layout) > chunk_ + chunk_size) {
      push_chunk(chunk_ + 2 * chunk_size);
    }
    push_frame(code);
  }
  void push_first_chunk() {
    if (chunked()) push_chunk(first_chunk);
  }

  /// "outer:10 inner:21", the outermost frame first; or what went wrong.
  [[nodiscard]] std::string stack() {
    const auto id = reader.read(thread);
    if (!id) return "error: " + std::string(id.error().what);
    std::string text;
    for (const Tables::StackNode& node : tables.frames(*id)) {
      if (!text.empty()) text += " ";
      text += tables.function_of(node);
      text += ":" + std::to_string(node.line);
    }
    return text;
  }
  [[nodiscard]] std::optional<ErrorClass> error() {
    const auto id = reader.read(thread);
    return id ? std::nullopt : std::optional{id.error().kind};
  }

  const Layout& layout = *layout_for({3, static_cast<std::uint8_t>(GetParam()), 0}, false);
  const Offsets& at = layout.at;
  const PythonThread thread{RemoteAddress{0x7e0000000000}, RemoteAddress{0x7e1000000000}, 1, 1};
  const RemoteAddress cframe{0x7e2000000000};
  const RemoteAddress first_chunk{0x7c0000000000};
  const RemoteAddress second_chunk{0x7c0000100000};

  FakeMemory memory;
  FakeObjects objects{memory, layout};
  FakeCode codes{memory, layout, objects};
  Tables tables;
  Interner interner{tables};
  StackReader reader{memory, layout, interner};

  const RemoteAddress outer = codes.function("outer", "app.py", 10);
  const RemoteAddress middle = codes.function("middle", "app.py", 20);
  const RemoteAddress inner = codes.function("inner", "app.py", 30);

 private:
  RemoteAddress chunk_;
  RemoteAddress top_;
  RemoteAddress head_;
};

}  // namespace gilspy

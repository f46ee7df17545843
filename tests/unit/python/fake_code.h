#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "fake_objects.h"

namespace gilspy {

/// Code objects in a fake target's memory.
class FakeCode {
 public:
  FakeCode(FakeMemory& memory, const Layout& layout, FakeObjects& objects)
      : memory_(memory), layout_(layout), objects_(objects) {
    const RemoteAddress name = objects_.allocate(16);
    memory_.put(name, std::string_view{"code\0", 5});
    type_ = objects_.allocate(layout_.at.type.struct_size);
    objects_.set(type_, layout_.at.type.name, name);
  }

  [[nodiscard]] RemoteAddress type() const { return type_; }

  /// Room for a code object, with nothing in it yet.
  RemoteAddress allocate() { return objects_.allocate(layout_.at.code.struct_size + 2 * units); }

  /// A function of `units` code units: two on its first line, three on the next one, and one two
  /// lines further down.
  void put(RemoteAddress code, std::string_view name, std::string_view file,
           std::int32_t first_line) {
    const auto& at = layout_.at;
    const std::vector<std::uint8_t> table = lines();
    objects_.set(code, at.object.type, type_);
    objects_.set(code, at.var_object.size, std::int64_t{units});
    objects_.set(code, at.code.name, objects_.ascii(name));
    objects_.set(code, at.code.qualname, objects_.ascii(name));
    objects_.set(code, at.code.filename, objects_.ascii(file));
    objects_.set(code, at.code.first_line, first_line);
    put_frame_room(code, frame_room(layout_));
    objects_.set(code, at.code.line_table, objects_.bytes(std::as_bytes(std::span{table})));
  }
  RemoteAddress function(std::string_view name, std::string_view file, std::int32_t first_line) {
    const RemoteAddress code = allocate();
    put(code, name, file, first_line);
    return code;
  }

  /// Lets a frame be at a code unit of its code; -1: before the first.
  void put_unit(RemoteAddress frame, RemoteAddress code, std::int32_t number) {
    const auto& at = layout_.at;
    switch (layout_.traits.instruction) {
      case Traits::Instruction::index_bytes:
        objects_.set(frame, at.frame.lasti, number < 0 ? -1 : 2 * number);
        break;
      case Traits::Instruction::index_units: objects_.set(frame, at.frame.lasti, number); break;
      case Traits::Instruction::last:
      case Traits::Instruction::current:
        objects_.set(frame, at.frame.instruction,
                     at.code.bytecode.in(code) + 2 * static_cast<std::uint64_t>(number));
        break;
    }
  }

  /// Lets its frames take so many bytes of the data stack.
  void put_frame_room(RemoteAddress code, std::uint64_t bytes) {
    const auto& at = layout_.at;
    const auto words = static_cast<std::int32_t>(bytes / 8);
    objects_.set(code, at.code.framesize, words);
    objects_.set(code, at.code.nlocalsplus, std::int32_t{1});
    objects_.set(code, at.code.stacksize, words - at.frame.locals.offset / 8 - 1);
  }
  /// Makes one of its instructions this one.
  void put_opcode(RemoteAddress code, std::uint64_t number, std::uint8_t opcode) {
    memory_.put(layout_.at.code.bytecode.in(code) + 2 * number, opcode);
  }
  /// What a frame of any of these functions takes on the data stack.
  [[nodiscard]] static std::uint64_t frame_room(const Layout& layout) {
    return layout.at.frame.struct_size + 64;
  }

  static constexpr std::int64_t units = 6;

 private:
  [[nodiscard]] std::vector<std::uint8_t> lines() const {
    switch (layout_.traits.line_table) {
      // Pairs of bytes to the next line and lines to it.
      case Traits::LineTable::lnotab: return {4, 1, 6, 2};
      // Pairs of bytes and the lines from the one before.
      case Traits::LineTable::ranges: return {4, 0, 6, 1, 2, 2};
      // Form 10 to 12, see Objects/locations.md: one line, delta 0 to 2, and two columns.
      case Traits::LineTable::locations: break;
    }
    return {0x80 | 10U << 3U | 1, 0, 4, 0x80 | 11U << 3U | 2, 0, 4, 0x80 | 12U << 3U | 0, 0, 4};
  }

  FakeMemory& memory_;
  const Layout& layout_;
  FakeObjects& objects_;
  RemoteAddress type_;
};

}  // namespace gilspy

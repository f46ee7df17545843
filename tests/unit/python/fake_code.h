#pragma once

#include <array>
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
    // Objects/locations.md, form 10 to 12: one line, delta 0 to 2, and two columns.
    constexpr std::array<std::uint8_t, 9> table{0x80 | 10U << 3U | 1, 0, 4,  //
                                                0x80 | 11U << 3U | 2, 0, 4,  //
                                                0x80 | 12U << 3U | 0, 0, 4};
    objects_.set(code, at.object.type, type_);
    objects_.set(code, at.var_object.size, std::int64_t{units});
    objects_.set(code, at.code.name, objects_.ascii(name));
    objects_.set(code, at.code.qualname, objects_.ascii(name));
    objects_.set(code, at.code.filename, objects_.ascii(file));
    objects_.set(code, at.code.first_line, first_line);
    objects_.set(code, at.code.line_table, objects_.bytes(std::as_bytes(std::span{table})));
  }
  RemoteAddress function(std::string_view name, std::string_view file, std::int32_t first_line) {
    const RemoteAddress code = allocate();
    put(code, name, file, first_line);
    return code;
  }

  /// The address of a code unit.
  [[nodiscard]] RemoteAddress unit(RemoteAddress code, std::uint64_t number) const {
    return layout_.at.code.bytecode.in(code) + 2 * number;
  }

  static constexpr std::int64_t units = 6;

 private:
  FakeMemory& memory_;
  const Layout& layout_;
  FakeObjects& objects_;
  RemoteAddress type_;
};

}  // namespace gilspy

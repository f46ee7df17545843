#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

namespace gilspy {

/// A thread's general registers in user mode, by their DWARF numbers (System V ABI for x86-64,
/// figure 3.36), as far as they are known.
class Registers {
 public:
  static constexpr std::size_t count = 17;
  static constexpr std::size_t frame_pointer = 6;  ///< %rbp, where functions use it as such
  static constexpr std::size_t stack_pointer = 7;
  static constexpr std::size_t instruction = 16;

  void set(std::size_t number, std::uint64_t value) {
    values_[number] = value;
    known_.set(number);
  }
  [[nodiscard]] bool knows(std::size_t number) const { return number < count && known_[number]; }
  /// 0 for one that is not known.
  [[nodiscard]] std::uint64_t operator[](std::size_t number) const { return values_[number]; }

 private:
  std::array<std::uint64_t, count> values_{};
  std::bitset<count> known_;
};

}  // namespace gilspy

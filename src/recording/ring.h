#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace gilspy::recording {

/// Hands values in order from one thread to one other. Neither waits for the other, and nothing is
/// allocated.
template <class T, std::size_t places>
class Ring {
 public:
  /// Takes the value, or leaves it where it is when every place is taken. For the one thread.
  [[nodiscard]] bool push(T& value) {
    const std::size_t end = end_.load(std::memory_order_relaxed);
    if (end - begin_.load(std::memory_order_acquire) == places) return false;
    values_[end % places] = std::move(value);
    end_.store(end + 1, std::memory_order_release);
    return true;
  }

  /// The oldest value, if there is one. For the other thread.
  [[nodiscard]] std::optional<T> pop() {
    const std::size_t begin = begin_.load(std::memory_order_relaxed);
    if (begin == end_.load(std::memory_order_acquire)) return std::nullopt;
    std::optional<T> value{std::move(values_[begin % places])};
    begin_.store(begin + 1, std::memory_order_release);
    return value;
  }

  /// How many places are taken. It may be less already for the one thread, more for the other.
  [[nodiscard]] std::size_t size() const {
    const std::size_t begin = begin_.load(std::memory_order_acquire);
    return end_.load(std::memory_order_acquire) - begin;
  }

 private:
  std::array<T, places> values_{};
  std::atomic<std::size_t> begin_{0};
  std::atomic<std::size_t> end_{0};
};

}  // namespace gilspy::recording

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gilspy/base/memory_reader.h"

namespace gilspy {

/// A target's memory made of the bytes a test puts there; every other address is unreadable.
class FakeMemory : public MemoryReader {
 public:
  void put(RemoteAddress at, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto [offset, size] = part(at, bytes.size());
      Page& page = pages_[at.value() / page_size];
      std::memcpy(page.bytes.data() + offset, bytes.data(), size);
      std::memset(page.known.data() + offset, true, size);
      bytes = bytes.subspan(size);
      at = at + size;
    }
  }
  /// The characters alone, without a terminating zero.
  void put(RemoteAddress at, std::string_view text) { put(at, std::as_bytes(std::span{text})); }
  /// A number, or a pointer of the target's.
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, RemoteAddress>
  void put(RemoteAddress at, T value) {
    put(at, std::as_bytes(std::span{&value, 1}));
  }
  void put_zeros(RemoteAddress at, std::size_t size) { put(at, std::vector<std::byte>(size)); }

  void copy_from(const FakeMemory& other) { pages_ = other.pages_; }

  /// Makes a range unreadable again.
  void unmap(RemoteAddress at, std::size_t bytes) {
    while (bytes > 0) {
      const auto [offset, size] = part(at, bytes);
      std::memset(pages_[at.value() / page_size].known.data() + offset, false, size);
      bytes -= size;
      at = at + size;
    }
  }

  /// From now on every read fails with target_gone.
  void end_process() { gone_ = true; }
  /// Called before each batch with its number, counted from 0: a target that changes meanwhile.
  void before_batch(std::function<void(std::size_t)> hook) { hook_ = std::move(hook); }
  /// Called before each part of a batch, with the batch's number and from where the part is read.
  void before_slot(std::function<void(std::size_t, RemoteAddress)> hook) {
    slot_hook_ = std::move(hook);
  }
  /// How many batches were read so far: what a live process would take in system calls.
  [[nodiscard]] std::size_t batches() const { return batches_; }

  [[nodiscard]] Result<std::size_t> read_batch(std::span<const ReadSlot> slots) override {
    if (hook_) hook_(batches_);
    const std::size_t batch = batches_++;
    if (gone_) return fail(ErrorClass::target_gone, "the process has ended");
    const auto unreadable = std::ranges::find_if(slots, [&](const ReadSlot& slot) {
      if (slot_hook_) slot_hook_(batch, slot.from);
      return !copy(slot);
    });
    return static_cast<std::size_t>(unreadable - slots.begin());
  }

 private:
  static constexpr std::size_t page_size = 4096;
  struct Page {
    std::array<std::byte, page_size> bytes{};
    std::array<bool, page_size> known{};
  };
  struct Part {
    std::size_t offset;
    std::size_t size;
  };

  /// The part of a range that lies in the page of its first byte.
  [[nodiscard]] static Part part(RemoteAddress at, std::size_t size) {
    const std::size_t offset = at.value() % page_size;
    return {offset, std::min(size, page_size - offset)};
  }

  [[nodiscard]] bool copy(const ReadSlot& slot) const {
    RemoteAddress from = slot.from;
    for (std::span<std::byte> into = slot.into; !into.empty();) {
      const auto [offset, size] = part(from, into.size());
      const auto page = pages_.find(from.value() / page_size);
      if (page == pages_.end()) return false;
      const bool* known = page->second.known.data() + offset;
      if (std::memchr(known, false, size) != nullptr) return false;
      std::memcpy(into.data(), page->second.bytes.data() + offset, size);
      into = into.subspan(size);
      from = from + size;
    }
    return true;
  }

  std::unordered_map<std::uint64_t, Page> pages_;
  std::function<void(std::size_t)> hook_;
  std::function<void(std::size_t, RemoteAddress)> slot_hook_;
  std::size_t batches_ = 0;
  bool gone_ = false;
};

}  // namespace gilspy

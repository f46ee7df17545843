#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/model/tables.h"
#include "gilspy/python/line_table.h"
#include "gilspy/python/recent_map.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// Bytes of one code unit, since 3.6.
inline constexpr std::uint64_t code_unit = 2;
/// Largest bytecode believed, in bytes.
inline constexpr std::uint64_t max_bytecode = 64U << 20;

/// The code objects of a target, by address. An address is believed only after its code object has
/// been compared with the target's memory anew: a freed one's address is soon used again.
class CodeCache {
 public:
  struct Code {
    CodeId id;
    std::uint32_t first_line = 0;
    RemoteAddress bytecode;           ///< first code unit, where it lies in the code object
    std::uint64_t bytecode_size = 0;  ///< in bytes; 0 where it lies elsewhere
    std::uint64_t frame_size = 0;     ///< in bytes; 0 where frames are objects
    bool makes_generator = false;     ///< its frames move into a generator object
    LineTable lines;
    std::vector<bool> ends;    ///< by code unit: an instruction that ends a frame
    std::vector<bool> leaves;  ///< likewise: one that calls or raises
    std::vector<bool> raises;  ///< likewise: one that raises

    /// Whether the instruction at this byte offset into the bytecode ends a frame.
    [[nodiscard]] bool ends_frame(std::uint64_t offset) const {
      return offset / code_unit < ends.size() && ends[offset / code_unit];
    }
    [[nodiscard]] bool leaves_frame(std::uint64_t offset) const {
      return offset / code_unit < leaves.size() && leaves[offset / code_unit];
    }
    [[nodiscard]] bool raises_at(std::uint64_t offset) const {
      return offset / code_unit < raises.size() && raises[offset / code_unit];
    }
  };

  CodeCache(MemoryReader& memory, const Layout& layout, Interner& interner)
      : memory_(memory), layout_(layout), interner_(interner) {}

  /// Compares these code objects with the target's memory in one batched read, and loads those that
  /// are new or have changed. What is no code object is forgotten.
  /// True when none has changed: what was concluded from these entries before holds.
  bool refresh(std::span<const RemoteAddress> addresses);

  /// Adds what refresh() would read of these code objects, to be read together with other things.
  void ask(std::span<const RemoteAddress> addresses, std::vector<ReadSlot>& slots);
  /// As refresh(), where so many of the code objects that were asked for have been read already.
  bool refresh_answered(std::span<const RemoteAddress> addresses, std::size_t read);

  /// What is known of an address, read first if nothing is. To be confirmed by refresh().
  [[nodiscard]] const Code* get(RemoteAddress address);

  /// Nothing for an address that was no code object when it was last refreshed.
  [[nodiscard]] const Code* find(RemoteAddress address) const;

  /// Forgets what was not refreshed lately, once there is much of it. Pointers to it end here.
  void trim(Time now) { entries_.trim(now); }

 private:
  /// What tells one code object from another at the same address.
  struct Identity {
    RemoteAddress type, name, qualname, filename, line_table, bytecode;
    std::int64_t size = 0;
    std::int64_t frame_words = 0;
    std::int32_t first_line = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  struct Entry {
    Identity identity;
    std::optional<Code> code;  ///< nothing while there is no code object at this address
    /// So many times more it is read anew although its identity is the same: code that is made over
    /// and over again may find its name, too, at the place of the one before.
    int doubts = 0;
  };
  /// After another one was seen at the same address.
  static constexpr int doubts_at_first = 64;

  bool settle(RemoteAddress address, std::span<const std::byte> bytes);
  void forget(RemoteAddress address);
  [[nodiscard]] Identity identify(std::span<const std::byte> bytes) const;
  [[nodiscard]] bool is_code_type(RemoteAddress type);
  [[nodiscard]] Result<Code> load(RemoteAddress address, const Identity& identity);
  [[nodiscard]] Result<void> load_bytecode(Code& code);

  MemoryReader& memory_;
  const Layout& layout_;
  Interner& interner_;
  RemoteAddress code_type_;
  /// Each takes up some hundred bytes.
  static constexpr std::size_t entries_spared = 2048;
  RecentMap<RemoteAddress, Entry> entries_{entries_spared};
  std::vector<std::byte> buffer_;
  std::vector<ReadSlot> slots_;
  std::vector<RemoteAddress> asked_;
  std::vector<std::byte> asked_bytes_;
  std::vector<RemoteAddress> unanswered_;
};

}  // namespace gilspy

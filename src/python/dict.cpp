#include "dict.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "gilspy/base/bytes.h"
#include "read_ahead.h"

namespace gilspy {
namespace {

/// Read at first of a table: enough for the attributes of nearly every instance.
constexpr std::size_t first_read = 1024;
/// A dict can get another table between two reads; that it does so each time is not a dict.
constexpr int attempts = 3;
/// Keys compared per batch, and unreadable ones after which a table is taken for garbage.
constexpr std::size_t keys_per_batch = 128;
constexpr int max_unreadable_keys = 16;

/// What lies where in a PyDictKeysObject.
struct Table {
  std::size_t entries_at = 0;
  std::size_t entry_size = 0;
  std::size_t key_at = 0;
  std::size_t value_at = 0;
  std::size_t count = 0;

  [[nodiscard]] std::size_t size() const { return entries_at + entry_size * count; }
};

/// The hash table in front of the entries: how many slots it has, and its size in bytes.
struct Indices {
  std::uint64_t slots = 0;
  std::uint64_t bytes = 0;
};

std::optional<Indices> indices_of(const Layout& layout, const StructView& head) {
  // Far above any dict of ours; keeps the arithmetic below from overflowing.
  constexpr std::uint64_t max_log2_slots = 28;
  if (layout.traits.dict_keys == Traits::DictKeys::size) {
    const auto size = head.get(layout.at.dict_keys.size);
    if (!size || *size < 1 || *size > std::int64_t{1} << max_log2_slots) return std::nullopt;
    const auto slots = static_cast<std::uint64_t>(*size);
    if ((slots & (slots - 1)) != 0) return std::nullopt;
    std::uint64_t index_bytes = 4;
    if (slots <= 0xFFFF) index_bytes = 2;
    if (slots <= 0xFF) index_bytes = 1;
    return Indices{slots, slots * index_bytes};
  }
  const auto log2_size = head.get(layout.at.dict_keys.log2_size);
  const auto log2_bytes = head.get(layout.at.dict_keys.log2_index_bytes);
  // An index takes one to eight bytes, and the smallest table has eight of them.
  if (!log2_size || !log2_bytes || *log2_size > max_log2_slots || *log2_bytes < *log2_size ||
      *log2_bytes > *log2_size + 3) {
    return std::nullopt;
  }
  return Indices{std::uint64_t{1} << *log2_size, std::uint64_t{1} << *log2_bytes};
}

template <class Entry>
std::optional<Table> with_entries(const Entry& entry, std::size_t entries_at, std::size_t count) {
  if (!entry.key.present() || !entry.value.present()) return std::nullopt;
  return Table{entries_at, entry.struct_size, static_cast<std::size_t>(entry.key.offset),
               static_cast<std::size_t>(entry.value.offset), count};
}

std::optional<Table> table_of(const Layout& layout, std::span<const std::byte> bytes,
                              std::size_t max_entries) {
  const StructView head{bytes};
  const auto indices = indices_of(layout, head);
  const auto count = head.get(layout.at.dict_keys.nentries);
  // USABLE_FRACTION: two thirds of the slots.
  if (!indices || !count || *count < 0 ||
      static_cast<std::uint64_t>(*count) >
          std::min<std::uint64_t>(indices->slots * 2 / 3, max_entries)) {
    return std::nullopt;
  }
  const auto entries_at =
      static_cast<std::size_t>(layout.at.dict_keys.indices.offset) + indices->bytes;
  const auto entries = static_cast<std::size_t>(*count);
  if (layout.traits.dict_keys == Traits::DictKeys::size) {
    return with_entries(layout.at.dict_entry, entries_at, entries);
  }
  // DictKeysKind: 0 has any keys and keeps their hashes, 1 and 2 (split) have str keys alone.
  const auto kind = head.get(layout.at.dict_keys.kind);
  if (!kind || *kind > 2) return std::nullopt;
  return *kind == 0 ? with_entries(layout.at.dict_entry, entries_at, entries)
                    : with_entries(layout.at.dict_unicode_entry, entries_at, entries);
}

struct DictHead {
  RemoteAddress keys;
  RemoteAddress values;
  friend bool operator==(const DictHead&, const DictHead&) = default;
};

Result<DictHead> read_head(MemoryReader& memory, const Layout& layout, RemoteAddress dict) {
  if (dict.is_null()) return fail(ErrorClass::retry, "null dict");
  std::vector<std::byte> bytes(layout.at.dict.struct_size);
  if (auto done = memory.read(dict, bytes); !done) return tl::make_unexpected(done.error());
  const StructView view{bytes};
  return DictHead{view.get(layout.at.dict.keys).value_or(RemoteAddress{}),
                  view.get(layout.at.dict.values).value_or(RemoteAddress{})};
}

/// Puts the values of a split table beside their keys.
Result<void> fill_values(MemoryReader& memory, const Layout& layout, RemoteAddress values,
                         std::vector<DictItem>& items) {
  // Up to 3.10 the array stands alone, without a struct around it.
  const auto& field = layout.at.dict_values.values;
  std::vector<RemoteAddress> pointers(items.size());
  const RemoteAddress first = field.present() ? field.in(values) : values;
  auto done = memory.read(first, std::as_writable_bytes(std::span{pointers}));
  if (!done) return done;
  for (std::size_t i = 0; i < items.size(); ++i) items[i].value = pointers[i];
  return {};
}

/// Whether the bytes of a str's head and first characters are those of the ASCII str `name`.
bool is_name(const Layout& layout, std::span<const std::byte> bytes, std::string_view name) {
  const StructView view{bytes};
  const auto length = view.get(layout.at.ascii.length);
  const std::uint32_t state = view.get(layout.at.ascii.state).value_or(0);
  const std::uint32_t compact_ascii =
      (1U << layout.traits.unicode_compact_shift) | (1U << layout.traits.unicode_ascii_shift);
  if (!length || static_cast<std::uint64_t>(*length) != name.size()) return false;
  if ((state & compact_ascii) != compact_ascii) return false;
  const auto text = slice(bytes, layout.at.ascii.struct_size, name.size());
  return text && std::ranges::equal(*text, std::as_bytes(std::span{name}));
}

}  // namespace

Result<std::vector<DictItem>> read_dict_keys(MemoryReader& memory, const Layout& layout,
                                             RemoteAddress keys, std::size_t max_entries) {
  auto bytes = read_ahead(memory, keys, layout.at.dict_keys.struct_size, first_read);
  if (!bytes) return tl::make_unexpected(bytes.error());
  auto table = table_of(layout, *bytes, max_entries);
  if (table && table->size() > bytes->size()) {
    if (auto done = read_whole(memory, keys, table->size(), *bytes); !done) {
      return tl::make_unexpected(done.error());
    }
    table = table_of(layout, *bytes, max_entries);
  }
  if (!table || table->size() > bytes->size()) return fail(ErrorClass::retry, "not a dict's table");
  std::vector<DictItem> items(table->count);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::size_t entry = table->entries_at + i * table->entry_size;
    items[i] = {load<RemoteAddress>(*bytes, entry + table->key_at).value_or(RemoteAddress{}),
                load<RemoteAddress>(*bytes, entry + table->value_at).value_or(RemoteAddress{})};
  }
  return items;
}

Result<std::vector<DictItem>> read_dict(MemoryReader& memory, const Layout& layout,
                                        RemoteAddress dict, std::size_t max_entries) {
  auto head = read_head(memory, layout, dict);
  for (int attempt = 0; head && attempt < attempts; ++attempt) {
    auto items = read_dict_keys(memory, layout, head->keys, max_entries);
    if (items && !head->values.is_null()) {
      if (auto done = fill_values(memory, layout, head->values, *items); !done) {
        items = tl::make_unexpected(done.error());
      }
    }
    if (!items && items.error().kind != ErrorClass::retry) return items;
    // A table that has been replaced meanwhile may have been freed, and used for something else.
    const auto after = read_head(memory, layout, dict);
    if (after && *after == *head) return items;
    head = after;
  }
  if (!head) return tl::make_unexpected(head.error());
  return fail(ErrorClass::retry, "dict changes too fast");
}

Result<std::size_t> find_key(MemoryReader& memory, const Layout& layout,
                             std::span<const DictItem> items, std::string_view name) {
  std::vector<std::size_t> live;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].key.is_null()) live.push_back(i);
  }
  // Where a key's bytes cannot be read up to the end of `name`, the key is not `name`.
  const std::size_t size = layout.at.ascii.struct_size + name.size();
  std::vector<std::byte> bytes(size * std::min(live.size(), keys_per_batch));
  std::vector<ReadSlot> slots;
  int unreadable = 0;
  for (std::size_t next = 0; next < live.size() && unreadable <= max_unreadable_keys;) {
    const std::size_t batch = std::min(live.size() - next, keys_per_batch);
    slots.clear();
    for (std::size_t i = 0; i < batch; ++i) {
      slots.push_back({items[live[next + i]].key, std::span{bytes}.subspan(i * size, size)});
    }
    const auto done = memory.read_batch(slots);
    if (!done) return tl::make_unexpected(done.error());
    for (std::size_t i = 0; i < *done; ++i) {
      if (is_name(layout, slots[i].into, name)) return live[next + i];
    }
    next += *done;
    if (*done < batch) {
      ++next;
      ++unreadable;
    }
  }
  return fail(ErrorClass::retry, "no such key");
}

}  // namespace gilspy

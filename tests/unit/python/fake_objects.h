#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "fake_memory.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// Builds Python objects in a fake target's memory, as the layout of a version wants them.
class FakeObjects {
 public:
  using Items = std::vector<std::pair<RemoteAddress, RemoteAddress>>;

  FakeObjects(FakeMemory& memory, const Layout& layout) : memory_(memory), layout_(layout) {}

  /// Zeroed memory, aligned like malloc's.
  RemoteAddress allocate(std::size_t size) {
    const RemoteAddress at = next_;
    const std::size_t rounded = (size + 31) / 16 * 16;
    memory_.put_zeros(at, rounded);
    next_ = next_ + rounded;
    return at;
  }

  template <class Value, class T>
  void set(RemoteAddress object, Field<T> field, Value value) {
    static_assert(std::is_same_v<T, Value>);
    if (field.present()) memory_.put(field.in(object), value);
  }

  RemoteAddress ascii(std::string_view text) {
    return str(1, true, text.size(), std::as_bytes(std::span{text}));
  }
  /// A str of one, two or four bytes per character, which is not ASCII.
  template <class Character>
  RemoteAddress wide(std::basic_string_view<Character> text) {
    return str(sizeof(Character), false, text.size(), std::as_bytes(std::span{text}));
  }

  RemoteAddress bytes(std::span<const std::byte> content) {
    const auto data = static_cast<std::size_t>(layout_.at.bytes.data.offset);
    const RemoteAddress object = allocate(data + content.size() + 1);
    set(object, layout_.at.var_object.size, static_cast<std::int64_t>(content.size()));
    memory_.put(object + data, content);
    return object;
  }

  RemoteAddress number(std::uint64_t value) {
    const RemoteAddress object = allocate(layout_.at.long_object.struct_size + 8);
    std::uint64_t digits = 0;
    for (; value != 0; value >>= 30U) {
      memory_.put(layout_.at.long_object.digits.in(object) + 4 * digits++,
                  static_cast<std::uint32_t>(value & 0x3FFFFFFFU));
    }
    const bool bits = layout_.traits.long_tag == Traits::LongTag::sign_bits;
    set(object, layout_.at.long_object.tag, bits ? digits << 3U : digits);
    return object;
  }

  enum class Keys : std::uint8_t { general = 0, str = 1, split = 2 };

  /// A table of a dict. A null key is a deleted entry.
  RemoteAddress keys(Keys kind, const Items& items) {
    const auto& at = layout_.at;
    std::uint8_t log2_size = 3;
    while ((std::size_t{1} << log2_size) * 2 / 3 < items.size()) ++log2_size;
    const int width = log2_size < 8 ? 0 : log2_size < 16 ? 1 : 2;
    const auto log2_bytes = static_cast<std::uint8_t>(log2_size + width);
    const bool old = layout_.traits.dict_keys == Traits::DictKeys::size;
    const bool hashes = old || kind == Keys::general;
    const std::size_t key = static_cast<std::size_t>(hashes ? at.dict_entry.key.offset
                                                            : at.dict_unicode_entry.key.offset);
    const std::size_t entry =
        hashes ? at.dict_entry.struct_size : at.dict_unicode_entry.struct_size;
    const std::size_t indices = std::size_t{1} << log2_bytes;
    const RemoteAddress table = allocate(at.dict_keys.struct_size + indices + entry * items.size());
    set(table, at.dict_keys.size, std::int64_t{1} << log2_size);
    set(table, at.dict_keys.log2_size, log2_size);
    set(table, at.dict_keys.log2_index_bytes, log2_bytes);
    set(table, at.dict_keys.kind, static_cast<std::uint8_t>(kind));
    set(table, at.dict_keys.nentries, static_cast<std::int64_t>(items.size()));
    RemoteAddress slot = at.dict_keys.indices.in(table) + indices + key;
    for (const auto& item : items) {
      memory_.put(slot, item.first);
      memory_.put(slot + 8, kind == Keys::split ? RemoteAddress{} : item.second);
      slot = slot + entry;
    }
    return table;
  }

  /// The values of a split table, or of an instance where no room was set aside for them.
  RemoteAddress values(const Items& items) {
    const RemoteAddress object = allocate(values_size(items));
    put_values(object, items);
    return object;
  }
  [[nodiscard]] std::size_t values_size(const Items& items) const {
    return values_at() + 8 * items.size();
  }
  void put_values(RemoteAddress at, const Items& items) {
    set(at, layout_.at.dict_values.capacity, static_cast<std::uint8_t>(items.size()));
    set(at, layout_.at.dict_values.valid, std::uint8_t{1});
    for (std::size_t i = 0; i < items.size(); ++i) {
      memory_.put(at + values_at() + 8 * i, items[i].second);
    }
  }

  RemoteAddress dict(Keys kind, const Items& items) {
    const RemoteAddress object = allocate(layout_.at.dict.struct_size);
    set(object, layout_.at.dict.used, static_cast<std::int64_t>(items.size()));
    set(object, layout_.at.dict.keys, keys(kind, items));
    if (kind == Keys::split) set(object, layout_.at.dict.values, values(items));
    return object;
  }

 private:
  [[nodiscard]] std::size_t values_at() const {
    const auto& field = layout_.at.dict_values.values;
    return field.present() ? static_cast<std::size_t>(field.offset) : 0;
  }

  RemoteAddress str(std::size_t width, bool ascii, std::size_t length,
                    std::span<const std::byte> content) {
    const auto& traits = layout_.traits;
    const std::size_t data = ascii ? layout_.at.ascii.struct_size : layout_.at.compact.struct_size;
    const RemoteAddress object = allocate(data + content.size() + width);
    const auto state = static_cast<std::uint32_t>(
        width << traits.unicode_kind_shift | std::size_t{1} << traits.unicode_compact_shift |
        std::size_t{ascii ? 1U : 0U} << traits.unicode_ascii_shift);
    set(object, layout_.at.ascii.length, static_cast<std::int64_t>(length));
    set(object, layout_.at.ascii.state, state);
    memory_.put(object + data, content);
    return object;
  }

  FakeMemory& memory_;
  const Layout& layout_;
  RemoteAddress next_{0x7f0000001000};
};

/// The formats of 3.7 to 3.10, made from a newer layout: what counts here is the shape of dicts and
/// instances, and where that lies.
inline Layout layout_before_3_11() {
  Layout layout = *layout_for({3, 11, 0}, false);
  layout.traits.dict_keys = Traits::DictKeys::size;
  layout.traits.instance_dict = Traits::InstanceDict::dictoffset;
  layout.traits.managed_dict_flag = 0;
  auto& keys = layout.at.dict_keys;
  keys = {.struct_size = 40,
          .size = {8},
          .log2_size = {},
          .log2_index_bytes = {},
          .kind = {},
          .nentries = {32},
          .indices = {40}};
  layout.at.dict_unicode_entry = {};
  layout.at.dict_values = {};
  return layout;
}

}  // namespace gilspy

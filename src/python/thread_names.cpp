#include "gilspy/python/thread_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "dict.h"
#include "gilspy/base/bytes.h"
#include "gilspy/python/objects.h"
#include "read_ahead.h"

namespace gilspy {
namespace {

constexpr std::size_t max_threads = 4096;
/// Tables larger than these are torn memory. A table keeps room for its deleted entries, so the one
/// of the threads may be longer than there are threads.
constexpr std::size_t max_modules = 1 << 18;
constexpr std::size_t max_globals = 1 << 16;
constexpr std::size_t max_thread_entries = 1 << 16;
constexpr std::size_t max_attributes = 1 << 10;

constexpr std::uint64_t word = 8;
constexpr std::size_t max_digits = 3;  // of an int: enough for 64 bits

/// Bits of tp_flags that hold for every class made by a class statement, the same in all versions
/// (Include/object.h): Py_TPFLAGS_HEAPTYPE and Py_TPFLAGS_READY.
constexpr std::uint64_t class_flags = (1U << 9) | (1U << 12);

/// threading.Thread or a class derived from it: what it takes to find an instance's name.
struct ThreadClass {
  std::uint64_t flags = 0;
  std::int64_t basicsize = 0;
  std::int64_t dictoffset = 0;
  RemoteAddress shared_keys;
  /// Of "_name" among the shared keys, once it was needed and found.
  std::optional<std::size_t> name_index;
};

/// Where an instance keeps its attributes: the one that is not null.
struct Attributes {
  RemoteAddress dict;
  RemoteAddress values;
};

class NameReader {
 public:
  NameReader(MemoryReader& memory, const Layout& layout) : memory_(memory), layout_(layout) {}

  /// The dict threading._active, and its live entries.
  Result<RemoteAddress> active(RemoteAddress interpreter);
  Result<std::vector<DictItem>> entries(RemoteAddress active);
  Result<std::vector<std::uint64_t>> idents(std::span<const DictItem> items);
  Result<std::string> name(RemoteAddress thread);

 private:
  [[nodiscard]] Result<std::uint64_t> ident(std::span<const std::byte> bytes) const;
  [[nodiscard]] std::uint64_t ident_at_end(RemoteAddress number);
  /// The value of a key in a dict whose keys are strings.
  Result<RemoteAddress> lookup(RemoteAddress dict, std::size_t max_entries, std::string_view key);
  /// The class of an instance, read once.
  Result<ThreadClass*> class_of(RemoteAddress instance);
  Result<Attributes> attributes_of(RemoteAddress instance, const ThreadClass& type);
  /// The value of "_name" in an instance's dict, or among its values.
  Result<RemoteAddress> name_in(RemoteAddress dict);
  Result<RemoteAddress> name_among(RemoteAddress values, ThreadClass& type);

  MemoryReader& memory_;
  const Layout& layout_;
  std::unordered_map<RemoteAddress, ThreadClass> classes_;
  /// The str "_name" once it was found. Names of attributes are interned, so that most dicts have
  /// the same one and need no comparing.
  RemoteAddress name_key_;
};

Result<RemoteAddress> NameReader::lookup(RemoteAddress dict, std::size_t max_entries,
                                         std::string_view key) {
  const auto items = read_dict(memory_, layout_, dict, max_entries);
  if (!items) return tl::make_unexpected(items.error());
  return find_key(memory_, layout_, *items, key).map([&items](std::size_t index) {
    return (*items)[index].value;
  });
}

Result<RemoteAddress> NameReader::active(RemoteAddress interpreter) {
  const auto& at = layout_.at;
  return memory_.read_pointer(at.interpreter.modules.in(interpreter))
      .and_then([&](RemoteAddress modules) { return lookup(modules, max_modules, "threading"); })
      .and_then(
          [&](RemoteAddress module) { return memory_.read_pointer(at.module.dict.in(module)); })
      .and_then([&](RemoteAddress globals) { return lookup(globals, max_globals, "_active"); });
}

Result<std::vector<DictItem>> NameReader::entries(RemoteAddress active) {
  auto items = read_dict(memory_, layout_, active, max_thread_entries);
  if (!items) return items;
  std::erase_if(*items, [](const DictItem& i) { return i.key.is_null() || i.value.is_null(); });
  if (items->size() > max_threads) items->resize(max_threads);
  return items;
}

/// The numbers that are the keys; 0 for what is none. All in one read, but for those at whose end
/// memory ends.
Result<std::vector<std::uint64_t>> NameReader::idents(std::span<const DictItem> items) {
  const auto size = static_cast<std::size_t>(layout_.at.long_object.digits.offset) +
                    max_digits * sizeof(std::uint32_t);
  std::vector<std::byte> bytes(items.size() * size);
  std::vector<ReadSlot> slots;
  slots.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    slots.push_back({items[i].key, std::span{bytes}.subspan(i * size, size)});
  }
  std::vector<std::uint64_t> found(items.size());
  const auto done = read_each(memory_, slots, [&](std::size_t i, bool readable) {
    found[i] = readable ? ident(slots[i].into).value_or(0) : ident_at_end(items[i].key);
  });
  if (!done) return tl::make_unexpected(done.error());
  return found;
}

/// Of a number that has less room than the longest one: for two digits, as many as an address has.
std::uint64_t NameReader::ident_at_end(RemoteAddress number) {
  const std::size_t size = layout_.at.long_object.struct_size;
  const auto bytes = read_ahead(memory_, number, size, size);
  return bytes ? ident(*bytes).value_or(0) : 0;
}

Result<std::uint64_t> NameReader::ident(std::span<const std::byte> bytes) const {
  constexpr unsigned digit_bits = 30;
  const auto& at = layout_.at.long_object;
  std::uint64_t count = StructView{bytes}.get(at.tag).value_or(0);
  if (layout_.traits.long_tag == Traits::LongTag::sign_bits) {
    constexpr std::uint64_t sign_mask = 3;
    if ((count & sign_mask) != 0) count = 0;  // zero or negative
    count >>= 3;
  }
  // A negative size is a huge one here.
  if (count == 0 || count > max_digits) return fail(ErrorClass::retry, "not a thread's ident");
  const auto digits = static_cast<std::size_t>(at.digits.offset);
  std::uint64_t value = 0;
  for (std::uint64_t i = count; i-- > 0;) {
    const auto digit = load<std::uint32_t>(bytes, digits + i * sizeof(std::uint32_t));
    if (!digit || *digit >> digit_bits != 0) {
      return fail(ErrorClass::retry, "not a digit of an int");
    }
    value = value << digit_bits | *digit;
  }
  return value;
}

Result<ThreadClass*> NameReader::class_of(RemoteAddress instance) {
  if (instance.is_null()) return fail(ErrorClass::retry, "null object");
  const auto address = memory_.read_pointer(layout_.at.object.type.in(instance));
  if (!address) return tl::make_unexpected(address.error());
  if (const auto known = classes_.find(*address); known != classes_.end()) return &known->second;

  std::vector<std::byte> bytes(layout_.at.heap_type.struct_size);
  if (auto done = memory_.read(*address, bytes); !done) return tl::make_unexpected(done.error());
  const StructView view{bytes};
  const ThreadClass type{
      .flags = view.get(layout_.at.type.flags).value_or(0),
      .basicsize = view.get(layout_.at.type.basicsize).value_or(0),
      .dictoffset = view.get(layout_.at.type.dictoffset).value_or(0),
      .shared_keys = view.get(layout_.at.heap_type.cached_keys).value_or(RemoteAddress{}),
      .name_index = {}};
  constexpr std::int64_t max_basicsize = 1 << 20;
  if ((type.flags & class_flags) != class_flags || type.basicsize <= 0 ||
      type.basicsize > max_basicsize || type.dictoffset > type.basicsize) {
    return fail(ErrorClass::retry, "not a class");
  }
  return &classes_.emplace(*address, type).first->second;
}

Result<Attributes> NameReader::attributes_of(RemoteAddress instance, const ThreadClass& type) {
  using Way = Traits::InstanceDict;
  const Way way = layout_.traits.instance_dict;
  const auto as_dict = [](RemoteAddress dict) { return Attributes{.dict = dict, .values = {}}; };
  if (way == Way::dictoffset || (type.flags & layout_.traits.managed_dict_flag) == 0) {
    if (type.dictoffset <= 0) return fail(ErrorClass::retry, "object without attributes");
    return memory_.read_pointer(instance + static_cast<std::uint64_t>(type.dictoffset))
        .map(as_dict);
  }
  const RemoteAddress managed = instance - layout_.traits.managed_dict_words * word;
  if (way == Way::before_object) {
    // The values' word lies right below the dict's; one of the two is null.
    return memory_.read_value<std::array<RemoteAddress, 2>>(managed - word)
        .map([](const std::array<RemoteAddress, 2>& both) {
          return both[1].is_null() ? Attributes{.dict = {}, .values = both[0]}
                                   : Attributes{.dict = both[1], .values = {}};
        });
  }
  const auto pointer = memory_.read_pointer(managed);
  if (!pointer) return tl::make_unexpected(pointer.error());
  if (way == Way::tagged_before && (pointer->value() & 1U) != 0) {
    // Tagged by taking one off the aligned address (_PyDictOrValues_SetValues).
    return Attributes{.dict = {}, .values = *pointer + 1};
  }
  if (way == Way::inline_values && pointer->is_null() &&
      (type.flags & layout_.traits.inline_values_flag) != 0) {
    return Attributes{.dict = {}, .values = instance + static_cast<std::uint64_t>(type.basicsize)};
  }
  return as_dict(*pointer);
}

Result<RemoteAddress> NameReader::name_in(RemoteAddress dict) {
  const auto items = read_dict(memory_, layout_, dict, max_attributes);
  if (!items) return tl::make_unexpected(items.error());
  const auto known = std::ranges::find(*items, name_key_, &DictItem::key);
  if (!name_key_.is_null() && known != items->end()) return known->value;
  return find_key(memory_, layout_, *items, "_name").map([&](std::size_t index) {
    name_key_ = (*items)[index].key;
    return (*items)[index].value;
  });
}

Result<RemoteAddress> NameReader::name_among(RemoteAddress values, ThreadClass& type) {
  if (values.is_null()) return fail(ErrorClass::retry, "object without attributes");
  if (!type.name_index) {
    const auto keys = read_dict_keys(memory_, layout_, type.shared_keys, max_attributes);
    if (!keys) return tl::make_unexpected(keys.error());
    const auto index = find_key(memory_, layout_, *keys, "_name");
    if (!index) return tl::make_unexpected(index.error());
    type.name_index = *index;
  }
  const auto& at = layout_.at.dict_values;
  const auto first = static_cast<std::size_t>(at.values.offset);
  // Head and value in one read: they belong together.
  std::vector<std::byte> bytes(first + (*type.name_index + 1) * word);
  if (auto done = memory_.read(values, bytes); !done) return tl::make_unexpected(done.error());
  const StructView head{bytes};
  if (head.get(at.valid).value_or(1) == 0 ||
      (at.capacity.present() && head.get(at.capacity).value_or(0) <= *type.name_index)) {
    return fail(ErrorClass::retry, "values not in use");
  }
  return load<RemoteAddress>(bytes, bytes.size() - word).value_or(RemoteAddress{});
}

Result<std::string> NameReader::name(RemoteAddress thread) {
  return class_of(thread)
      .and_then([&](ThreadClass* type) {
        return attributes_of(thread, *type).and_then([&](const Attributes& attributes) {
          return attributes.dict.is_null() ? name_among(attributes.values, *type)
                                           : name_in(attributes.dict);
        });
      })
      .and_then([&](RemoteAddress text) { return read_str(memory_, layout_, text); });
}

}  // namespace

std::unordered_map<std::uint64_t, std::string> read_thread_names(MemoryReader& memory,
                                                                 const Layout& layout,
                                                                 RemoteAddress interpreter,
                                                                 const WantedNames& wanted) {
  NameReader reader{memory, layout};
  const auto active = reader.active(interpreter);
  if (!active) return {};
  const auto threads = reader.entries(*active);
  if (!threads) return {};

  const auto idents = reader.idents(*threads);
  if (!idents) return {};

  std::vector<std::pair<std::uint64_t, std::string>> found(threads->size());
  for (std::size_t i = 0; i < threads->size(); ++i) {
    const std::uint64_t ident = (*idents)[i];
    if (ident == 0 || (wanted && !wanted(ident))) continue;
    auto name = reader.name((*threads)[i].value);
    if (name) {
      found[i] = {ident, std::move(*name)};
    } else if (name.error().kind == ErrorClass::target_gone) {
      return {};
    }
  }

  // A thread that ended meanwhile may have left its objects' memory to another one's. What is still
  // an entry now was alive all the time.
  auto still = reader.entries(*active);
  if (!still) return {};
  std::ranges::sort(*still);
  std::unordered_map<std::uint64_t, std::string> names;
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto& [ident, name] = found[i];
    // No thread has ident 0: nothing was found for this entry.
    if (ident != 0 && std::ranges::binary_search(*still, (*threads)[i])) {
      names.insert_or_assign(ident, std::move(name));
    }
  }
  return names;
}

}  // namespace gilspy

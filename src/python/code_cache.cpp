#include "gilspy/python/code_cache.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "gilspy/python/objects.h"
#include "read_ahead.h"

namespace gilspy {
namespace {

constexpr std::uint64_t word = 8;
/// Larger frames do not fit in the largest chunk of a data stack that is believed.
constexpr std::int64_t max_frame_words = 1 << 17;

}  // namespace

const CodeCache::Code* CodeCache::find(RemoteAddress address) const {
  const Entry* entry = entries_.find(address);
  return entry != nullptr && entry->code ? &*entry->code : nullptr;
}

const CodeCache::Code* CodeCache::get(RemoteAddress address) {
  if (const Code* known = find(address)) return known;
  if (address.is_null()) return nullptr;
  refresh(std::array{address});
  return find(address);
}

bool CodeCache::refresh(std::span<const RemoteAddress> addresses) {
  bool same = true;
  const std::size_t size = layout_.at.code.struct_size;
  buffer_.assign(addresses.size() * size, std::byte{});
  slots_.clear();
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    slots_.push_back({addresses[i], std::span{buffer_}.subspan(i * size, size)});
  }
  const auto done = read_each(memory_, slots_, [&](std::size_t i, bool readable) {
    if (readable) {
      same = settle(addresses[i], slots_[i].into) && same;
    } else {
      forget(addresses[i]);
      same = false;
    }
  });
  if (!done) return false;
  return same;
}

void CodeCache::ask(std::span<const RemoteAddress> addresses, std::vector<ReadSlot>& slots) {
  const std::size_t size = layout_.at.code.struct_size;
  asked_.assign(addresses.begin(), addresses.end());
  asked_bytes_.assign(asked_.size() * size, std::byte{});
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    slots.push_back({asked_[i], std::span{asked_bytes_}.subspan(i * size, size)});
  }
}

bool CodeCache::refresh_answered(std::span<const RemoteAddress> addresses, std::size_t read) {
  const std::size_t size = layout_.at.code.struct_size;
  const auto answered = std::span{asked_}.first(std::min(read, asked_.size()));
  unanswered_.clear();
  bool same = true;
  for (const RemoteAddress address : addresses) {
    const auto place =
        static_cast<std::size_t>(std::ranges::find(answered, address) - answered.begin());
    if (place == answered.size()) {
      unanswered_.push_back(address);
    } else {
      same = settle(address, std::span{asked_bytes_}.subspan(place * size, size)) && same;
    }
  }
  return (unanswered_.empty() || refresh(unanswered_)) && same;
}

/// Whether these bytes are those of the code object that is known; if not, it is read.
bool CodeCache::settle(RemoteAddress address, std::span<const std::byte> bytes) {
  const Identity identity = identify(bytes);
  Entry* const known = entries_.use(address);
  const bool alike = known != nullptr && known->code && known->identity == identity;
  if (alike && known->doubts == 0) return true;
  auto code = load(address, identity);
  if (!code) {
    forget(address);
    return false;
  }
  if (alike && known->code->id == code->id) {
    --known->doubts;
    return true;
  }
  entries_[address] = {identity, std::move(*code), known != nullptr ? doubts_at_first : 0};
  return false;
}

/// That there was a code object once is kept: the next one there is another one.
void CodeCache::forget(RemoteAddress address) {
  if (Entry* const known = entries_.use(address)) known->code.reset();
}

CodeCache::Identity CodeCache::identify(std::span<const std::byte> bytes) const {
  const auto& at = layout_.at;
  const StructView view{bytes};
  Identity identity;
  identity.type = view.get(at.object.type).value_or(RemoteAddress{});
  // A code object has a size of its own only since its bytecode lies inside it.
  if (at.code.bytecode.present()) identity.size = view.get(at.var_object.size).value_or(0);
  identity.name = view.get(at.code.name).value_or(RemoteAddress{});
  identity.qualname = view.get(at.code.qualname).value_or(RemoteAddress{});
  identity.filename = view.get(at.code.filename).value_or(RemoteAddress{});
  identity.line_table = view.get(at.code.line_table).value_or(RemoteAddress{});
  identity.bytecode = view.get(at.code.code_object).value_or(RemoteAddress{});
  identity.first_line = view.get(at.code.first_line).value_or(0);
  if (at.code.framesize.present()) {
    identity.frame_words = view.get(at.code.framesize).value_or(0);
  } else if (at.code.nlocalsplus.present()) {
    // 3.11 adds it up when it makes a frame (_PyFrame_NumSlotsForCodeObject).
    identity.frame_words = at.frame.locals.offset / static_cast<std::int64_t>(word) +
                           view.get(at.code.nlocalsplus).value_or(0) +
                           std::int64_t{view.get(at.code.stacksize).value_or(0)};
  }
  return identity;
}

/// PyCode_Type is the type whose name is "code"; once seen it is known by its address.
bool CodeCache::is_code_type(RemoteAddress type) {
  if (type.is_null()) return false;
  if (type == code_type_) return true;
  const auto name = memory_.read_pointer(layout_.at.type.name.in(type));
  const auto text =
      name ? memory_.read_value<std::array<char, 5>>(*name) : tl::make_unexpected(name.error());
  if (!text || std::string_view{text->data(), text->size()} != std::string_view{"code\0", 5}) {
    return false;
  }
  code_type_ = type;
  return true;
}

Result<CodeCache::Code> CodeCache::load(RemoteAddress address, const Identity& identity) {
  if (!is_code_type(identity.type)) return fail(ErrorClass::retry, "not a code object");
  const auto& at = layout_.at.code;
  Code code;
  if (at.bytecode.present()) {
    code.bytecode = at.bytecode.in(address);
    code.bytecode_size = static_cast<std::uint64_t>(identity.size) * code_unit;
    if (identity.size <= 0 || code.bytecode_size > max_bytecode) {
      return fail(ErrorClass::retry, "a code object of impossible size");
    }
    if (identity.frame_words <= 0 || identity.frame_words > max_frame_words) {
      return fail(ErrorClass::retry, "a frame of impossible size");
    }
    code.frame_size = static_cast<std::uint64_t>(identity.frame_words) * word;
    if (auto done = load_bytecode(code); !done) return tl::make_unexpected(done.error());
  }
  const RemoteAddress name = identity.qualname.is_null() ? identity.name : identity.qualname;
  const auto function = read_str(memory_, layout_, name);
  if (!function) return tl::make_unexpected(function.error());
  const auto file = read_str(memory_, layout_, identity.filename);
  if (!file) return tl::make_unexpected(file.error());
  const auto table = read_bytes(memory_, layout_, identity.line_table);
  if (!table) return tl::make_unexpected(table.error());
  code.first_line = static_cast<std::uint32_t>(std::max(identity.first_line, 0));
  code.lines = LineTable{layout_.traits.line_table, code.first_line, *table};
  code.id = interner_.code(*function, *file, code.first_line);
  return code;
}

/// Notes which instructions end a frame. Specialisation and instrumentation may change the rest of
/// the bytecode later, but neither where instructions begin nor which of them return.
Result<void> CodeCache::load_bytecode(Code& code) {
  std::vector<std::byte> bytes(code.bytecode_size);
  if (auto done = memory_.read(code.bytecode, bytes); !done) return done;
  code.ends.assign(bytes.size() / code_unit, false);
  code.leaves.assign(code.ends.size(), false);
  code.raises.assign(code.ends.size(), false);
  for (std::size_t unit = 0; unit < code.ends.size();) {
    const auto opcode = std::to_integer<std::uint8_t>(bytes[unit * code_unit]);
    code.ends[unit] = layout_.opcodes.ends.at(opcode);
    if (opcode != 0 && opcode == layout_.opcodes.makes_generator) code.makes_generator = true;
    code.leaves[unit] = layout_.opcodes.leaves.at(opcode);
    code.raises[unit] = layout_.opcodes.raises.at(opcode);
    unit += std::size_t{1} + layout_.opcodes.caches.at(opcode);
  }
  return {};
}

}  // namespace gilspy

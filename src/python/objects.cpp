#include "gilspy/python/objects.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "gilspy/base/bytes.h"
#include "read_ahead.h"

namespace gilspy {
namespace {

/// Read at first: the head and the text of nearly every name and path.
constexpr std::size_t first_read = 256;
/// No object is larger; a longer length is torn memory.
constexpr std::uint64_t max_plausible_length = std::uint64_t{1} << 40;

/// How a compact str keeps its characters (Include/cpython/unicodeobject.h).
struct StrForm {
  std::size_t width = 0;   ///< bytes per character: 1, 2 or 4
  std::size_t offset = 0;  ///< of the first character
  std::size_t length = 0;  ///< in characters, cut at max_text_length
  bool ascii = false;
  bool whole = true;  ///< not cut

  /// Including the zero that ends every compact str, where that belongs to the part that is read.
  [[nodiscard]] std::size_t size() const { return offset + width * (length + (whole ? 1 : 0)); }
};

std::optional<StrForm> str_form(const Layout& layout, std::span<const std::byte> bytes) {
  const StructView view{bytes};
  const auto state = view.get(layout.at.ascii.state);
  const auto length = view.get(layout.at.ascii.length);
  if (!state || !length) return std::nullopt;
  const bool compact = ((*state >> layout.traits.unicode_compact_shift) & 1U) != 0;
  const bool ascii = ((*state >> layout.traits.unicode_ascii_shift) & 1U) != 0;
  const std::uint32_t kind = (*state >> layout.traits.unicode_kind_shift) & 7U;
  if (!compact || (kind != 1 && kind != 2 && kind != 4) || (ascii && kind != 1))
    return std::nullopt;
  if (*length < 0 || static_cast<std::uint64_t>(*length) > max_plausible_length)
    return std::nullopt;
  const auto characters = static_cast<std::size_t>(*length);
  return StrForm{.width = kind,
                 .offset = ascii ? layout.at.ascii.struct_size : layout.at.compact.struct_size,
                 .length = std::min(characters, max_text_length),
                 .ascii = ascii,
                 .whole = characters <= max_text_length};
}

/// The character at `index`; callers stay inside `bytes`.
std::uint32_t character(std::span<const std::byte> bytes, const StrForm& form, std::size_t index) {
  const std::size_t offset = form.offset + index * form.width;
  switch (form.width) {
    case 1: return load<std::uint8_t>(bytes, offset).value_or(0);
    case 2: return load<std::uint16_t>(bytes, offset).value_or(0);
    default: return load<std::uint32_t>(bytes, offset).value_or(0);
  }
}

void append_utf8(std::string& text, std::uint32_t c) {
  const auto put = [&text](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto tail = [&put, c](unsigned shift) { put(0x80U | ((c >> shift) & 0x3FU)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0U | (c >> 6U));
    tail(0);
  } else if (c < 0x10000) {
    put(0xE0U | (c >> 12U));
    tail(6);
    tail(0);
  } else {
    put(0xF0U | (c >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

Result<std::string> to_utf8(std::span<const std::byte> bytes, const StrForm& form) {
  constexpr std::uint32_t replacement = 0xFFFD;
  const std::uint32_t limit = form.ascii ? 0x7F : 0x10FFFF;
  std::string text;
  text.reserve(form.length);
  for (std::size_t i = 0; i < form.length; ++i) {
    const std::uint32_t c = character(bytes, form, i);
    if (c > limit) return fail(ErrorClass::retry, "not a character of this kind of str");
    // os.fsdecode and the like leave lone surrogates in a str; UTF-8 has no form for them.
    append_utf8(text, c >= 0xD800 && c <= 0xDFFF ? replacement : c);
  }
  return text;
}

}  // namespace

Result<std::string> read_str(MemoryReader& memory, const Layout& layout, RemoteAddress object) {
  auto bytes = read_ahead(memory, object, layout.at.ascii.struct_size, first_read);
  if (!bytes) return tl::make_unexpected(bytes.error());
  const auto form = str_form(layout, *bytes);
  if (!form) return fail(ErrorClass::retry, "not a compact str");
  if (auto done = read_whole(memory, object, form->size(), *bytes); !done) {
    return tl::make_unexpected(done.error());
  }
  if (form->whole && character(*bytes, *form, form->length) != 0) {
    return fail(ErrorClass::retry, "str without an end");
  }
  return to_utf8(*bytes, *form);
}

Result<std::vector<std::byte>> read_bytes(MemoryReader& memory, const Layout& layout,
                                          RemoteAddress object) {
  const auto begin = static_cast<std::size_t>(layout.at.bytes.data.offset);
  auto bytes = read_ahead(memory, object, begin, first_read);
  if (!bytes) return tl::make_unexpected(bytes.error());
  const auto size = StructView{*bytes}.get(layout.at.var_object.size);
  if (!size || *size < 0 || static_cast<std::uint64_t>(*size) > max_bytes_size) {
    return fail(ErrorClass::retry, "not a bytes object");
  }
  const std::size_t end = begin + static_cast<std::size_t>(*size);
  // One byte more: PyBytes_FromStringAndSize ends every bytes object with a zero.
  if (auto done = read_whole(memory, object, end + 1, *bytes); !done) {
    return tl::make_unexpected(done.error());
  }
  if ((*bytes)[end] != std::byte{0}) return fail(ErrorClass::retry, "bytes without an end");
  return std::vector<std::byte>(bytes->begin() + static_cast<std::ptrdiff_t>(begin),
                                bytes->begin() + static_cast<std::ptrdiff_t>(end));
}

}  // namespace gilspy

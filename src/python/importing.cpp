#include "gilspy/python/importing.h"

#include <string_view>
#include <vector>

#include "gilspy/python/objects.h"

namespace gilspy {
namespace {

/// Imports nest, but an extension is loaded a few frames above the one that names it.
constexpr int most_frames = 64;
constexpr std::string_view import_function = "_find_and_load";
constexpr std::string_view import_file = "<frozen importlib._bootstrap>";

RemoteAddress untagged(const Layout& layout, RemoteAddress reference) {
  return RemoteAddress{reference.value() & ~std::uint64_t{layout.traits.reference_tag_mask}};
}

bool is_import(MemoryReader& memory, const Layout& layout, RemoteAddress code) {
  const auto text = [&](Field<RemoteAddress> field) {
    return memory.read_pointer(field.in(code)).and_then([&](RemoteAddress object) {
      return read_str(memory, layout, object);
    });
  };
  const auto name = text(layout.at.code.name);
  if (!name || *name != import_function) return false;
  const auto file = text(layout.at.code.filename);
  return file && *file == import_file;
}

}  // namespace

std::optional<std::string> module_being_imported(MemoryReader& memory, const Layout& layout,
                                                 const PythonThread& thread) {
  const auto& at = layout.at.frame;
  if (layout.traits.frame_head != Traits::FrameHead::thread) return std::nullopt;
  auto frame = memory.read_pointer(layout.at.thread.current_frame.in(thread.address));
  for (int i = 0; i < most_frames && frame && !frame->is_null(); ++i) {
    std::vector<std::byte> bytes(layout.at.frame.struct_size + sizeof(RemoteAddress));
    if (!memory.read(*frame, bytes)) return std::nullopt;
    const StructView view{bytes};
    const RemoteAddress code = untagged(layout, view.get(at.code).value_or(RemoteAddress{}));
    const bool function = view.get(at.owner).value_or(0) < layout.traits.first_entry_owner;
    if (function && is_import(memory, layout, code)) {
      // def _find_and_load(name, import_), Lib/importlib/_bootstrap.py: its first local.
      const auto argument =
          load<RemoteAddress>(bytes, static_cast<std::uint64_t>(at.locals.offset));
      const auto name =
          read_str(memory, layout, untagged(layout, argument.value_or(RemoteAddress{})));
      return name ? std::optional{*name} : std::nullopt;
    }
    frame = view.get(at.previous).value_or(RemoteAddress{});
  }
  return std::nullopt;
}

}  // namespace gilspy

#include "layout_table.h"

#include <fmt/format.h>

#include "gilspy/python_offsets/debug_offsets.h"

namespace gilspy {
namespace {

std::string name_of(const LayoutRow& row) {
  return fmt::format("{}.{}", row.structure, row.field.empty() ? "(size)" : row.field);
}

std::string number(std::int32_t offset) { return offset < 0 ? "-" : fmt::format("{}", offset); }

}  // namespace

std::string layout_table(std::span<const Layout> layouts,
                         const std::vector<std::string>& headings) {
  std::vector<std::vector<LayoutRow>> columns;
  columns.reserve(layouts.size());
  for (const Layout& layout : layouts) columns.push_back(layout_rows(layout));

  std::string text = fmt::format("{:<28}{:>6}", "field", "bytes");
  for (const std::string& heading : headings) text += fmt::format("{:>8}", heading);
  text += '\n';
  for (std::size_t i = 0; !columns.empty() && i < columns.front().size(); ++i) {
    const LayoutRow& row = columns.front()[i];
    text += fmt::format("{:<28}{:>6}", name_of(row),
                        row.width == 0 ? "" : fmt::format("{}", row.width));
    for (const auto& column : columns) text += fmt::format("{:>8}", number(column[i].offset));
    text += '\n';
  }
  return text;
}

std::vector<std::string> layout_names(std::span<const Layout> layouts) {
  std::vector<std::string> names;
  names.reserve(layouts.size());
  for (const Layout& layout : layouts) {
    names.push_back(fmt::format("{}.{}{}", layout.version.major, layout.version.minor,
                                layout.free_threaded ? "t" : ""));
  }
  return names;
}

std::string moved_fields(const Layout& table, const Layout& used) {
  const auto expected = layout_rows(table);
  const auto found = layout_rows(used);
  std::string text;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == found[i]) continue;
    text += fmt::format("{} {} {} ({})",
                        text.empty() ? "; differs from the table of its version:" : ",",
                        name_of(found[i]), number(found[i].offset), number(expected[i].offset));
  }
  return text;
}

}  // namespace gilspy

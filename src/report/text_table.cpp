#include "text_table.h"

#include <algorithm>
#include <utility>

#include "gilspy/base/text.h"

namespace gilspy {

void TextTable::column(std::string heading, Align align) {
  headings_.push_back(std::move(heading));
  aligns_.push_back(align);
}

std::vector<std::string> TextTable::lines() const {
  constexpr std::string_view gap = "  ";
  std::vector<std::size_t> widths(headings_.size());
  const auto measure = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(cells[i]));
    }
  };
  measure(headings_);
  std::ranges::for_each(rows_, measure);

  const auto line_of = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - display_width(cells[i]), ' ');
      if (i > 0) line += gap;
      line += aligns_[i] == Align::right ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  };
  std::vector<std::string> lines{line_of(headings_)};
  for (const auto& row : rows_) lines.push_back(line_of(row));
  return lines;
}

}  // namespace gilspy

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gilspy {

/// Lays cells out in columns as wide as their widest cell.
class TextTable {
 public:
  enum class Align : std::uint8_t { left, right };

  void column(std::string heading, Align align);
  /// A cell per column.
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  /// One string per line, the headings first; no spaces at the ends of lines.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<Align> aligns_;
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace gilspy

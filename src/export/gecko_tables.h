#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "gilspy/model/tables.h"
#include "text.h"

namespace gilspy {

/// The tables that all threads of a Firefox Profiler file share: strings, sources, functions,
/// frames and stacks. A frame carries a category there, and a thread's state is one: so a stack has
/// a copy for each activity that it was seen in.
class GeckoTables {
 public:
  explicit GeckoTables(const Tables& tables) : tables_(tables) {}

  [[nodiscard]] std::uint32_t string(std::string_view text);
  /// empty_stack becomes one frame that says so.
  [[nodiscard]] std::uint32_t stack(StackId id, Activity activity);

  /// profile.shared of the format; what was given out so far.
  [[nodiscard]] nlohmann::ordered_json json() const;

 private:
  struct Function {
    std::uint32_t name;
    std::optional<std::uint32_t> source;
    std::uint32_t line;
    friend auto operator<=>(const Function&, const Function&) = default;
  };
  struct Frame {
    std::uint32_t function;
    std::uint32_t line;
    Activity category;
    friend auto operator<=>(const Frame&, const Frame&) = default;
  };
  struct Stack {
    std::optional<std::uint32_t> prefix;
    std::uint32_t frame;
    friend auto operator<=>(const Stack&, const Stack&) = default;
  };

  /// Rows by their index, each of them once.
  template <class Row>
  struct Table {
    std::map<Row, std::uint32_t> indices;
    std::vector<Row> rows;

    std::uint32_t index_of(const Row& row) {
      const auto [entry, fresh] = indices.try_emplace(row, static_cast<std::uint32_t>(rows.size()));
      if (fresh) rows.push_back(row);
      return entry->second;
    }
  };

  std::uint32_t frame(const FrameText& text, std::uint32_t first_line, Activity activity);

  const Tables& tables_;
  Table<std::string> strings_;
  Table<std::uint32_t> sources_;  ///< a file's name among the strings
  Table<Function> functions_;
  Table<Frame> frames_;
  Table<Stack> stacks_;
  std::map<std::pair<StackId, Activity>, std::uint32_t> known_;
};

}  // namespace gilspy

#include "gecko_tables.h"

namespace gilspy {
namespace {

using Json = nlohmann::ordered_json;

/// A column of a table of the format: one value per row.
template <class Row, class Value>
Json column(const std::vector<Row>& rows, Value value) {
  Json list = Json::array();
  for (const Row& row : rows) list.push_back(value(row));
  return list;
}

/// A column that has the same value in every row.
template <class Row>
Json all(const std::vector<Row>& rows, const Json& value) {
  return column(rows, [&](const Row&) { return value; });
}

Json or_null(const std::optional<std::uint32_t>& value) { return value ? Json(*value) : Json(); }

Json or_null(std::uint32_t line) { return line != 0 ? Json(line) : Json(); }

}  // namespace

std::uint32_t GeckoTables::string(std::string_view text) {
  return strings_.index_of(std::string(text));
}

std::uint32_t GeckoTables::stack(StackId id, Activity activity) {
  const auto found = known_.find({id, activity});
  if (found != known_.end()) return found->second;
  const auto frames = tables_.frames(id);
  std::optional<std::uint32_t> stack;
  for (const Tables::StackNode& node : frames) {
    const std::uint32_t first_line = tables_.code(node.code).first_line;
    stack = stacks_.index_of({stack, frame(frame_text(tables_, node), first_line, activity)});
  }
  if (!stack) {
    stack = stacks_.index_of({stack, frame({std::string(no_stack_label), "", 0}, 0, activity)});
  }
  known_.emplace(std::pair{id, activity}, *stack);
  return *stack;
}

std::uint32_t GeckoTables::frame(const FrameText& text, std::uint32_t first_line,
                                 Activity activity) {
  Function function{string(text.function), {}, first_line};
  if (!text.file.empty()) function.source = sources_.index_of(string(text.file));
  return frames_.index_of({functions_.index_of(function), text.line, activity});
}

Json GeckoTables::json() const {
  const auto& functions = functions_.rows;
  const auto& frames = frames_.rows;
  const auto& stacks = stacks_.rows;
  Json shared;
  shared["stackTable"] = {
      {"length", stacks.size()},
      {"prefix", column(stacks, [](const Stack& row) { return or_null(row.prefix); })},
      {"frame", column(stacks, [](const Stack& row) { return row.frame; })}};
  shared["frameTable"] = {
      {"length", frames.size()},
      {"address", all(frames, -1)},
      {"inlineDepth", all(frames, 0)},
      {"category", column(frames, [](const Frame& row) { return static_cast<int>(row.category); })},
      {"subcategory", all(frames, 0)},
      {"func", column(frames, [](const Frame& row) { return row.function; })},
      {"nativeSymbol", all(frames, nullptr)},
      {"innerWindowID", all(frames, nullptr)},
      {"line", column(frames, [](const Frame& row) { return or_null(row.line); })},
      {"column", all(frames, nullptr)}};
  shared["funcTable"] = {
      {"length", functions.size()},
      {"name", column(functions, [](const Function& row) { return row.name; })},
      {"isJS", all(functions, false)},
      {"relevantForJS", all(functions, false)},
      {"resource", all(functions, -1)},
      {"source", column(functions, [](const Function& row) { return or_null(row.source); })},
      {"lineNumber", column(functions, [](const Function& row) { return or_null(row.line); })},
      {"columnNumber", all(functions, nullptr)}};
  const Json empty = Json::array();
  shared["resourceTable"] = {
      {"length", 0}, {"lib", empty}, {"name", empty}, {"host", empty}, {"type", empty}};
  shared["nativeSymbols"] = {{"length", 0},
                             {"libIndex", empty},
                             {"address", empty},
                             {"name", empty},
                             {"functionSize", empty}};
  shared["sources"] = {{"length", sources_.rows.size()},
                       {"uuid", all(sources_.rows, nullptr)},
                       {"filename", sources_.rows}};
  shared["stringArray"] = strings_.rows;
  return shared;
}

}  // namespace gilspy

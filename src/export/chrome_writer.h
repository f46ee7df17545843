#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "gilspy/base/time.h"

namespace gilspy {

/// The ids an event carries. Unsigned 32 bits: Perfetto drops events with others.
struct ChromeTrack {
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
};

struct ChromeSlice {
  Time begin;
  Time end;
  std::string_view name;
  std::string_view category;
  std::string_view colour;  ///< one of chrome://tracing's reserved names, or none
  nlohmann::ordered_json args;
};

/// Writes Chrome's trace event format, event by event: a long run would not fit into one document
/// in memory.
class ChromeWriter {
 public:
  explicit ChromeWriter(std::ostream& out);

  void name_process(std::uint32_t pid, std::string_view name);
  /// Names a track; tracks are shown in the order in which they got their names.
  void name_track(ChromeTrack track, std::string_view name);
  /// A complete event ("X"). Those of one track must nest. Nothing for a slice without a length.
  void slice(ChromeTrack track, const ChromeSlice& slice);
  void counter(std::uint32_t pid, Time at, std::string_view name, std::string_view unit,
               std::int64_t value);
  /// A mark across the process.
  void mark(ChromeTrack track, Time at, std::string_view text);
  /// Ends the document with facts about the whole run.
  void finish(const nlohmann::ordered_json& other_data);

 private:
  void event(std::string_view members);
  void metadata(ChromeTrack track, std::string_view what, const nlohmann::ordered_json& args);

  std::ostream& out_;
  bool first_ = true;
  int tracks_ = 0;
};

}  // namespace gilspy

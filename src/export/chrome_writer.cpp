#include "chrome_writer.h"

#include <ostream>

#include <fmt/format.h>

#include "text.h"

namespace gilspy {
namespace {

std::string dumped(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The format counts microseconds; three decimals keep every nanosecond.
std::string microseconds(std::int64_t ns) { return decimal(ns, 3); }

std::string members_of(ChromeTrack track) {
  return fmt::format("\"pid\":{},\"tid\":{}", track.pid, track.tid);
}

}  // namespace

ChromeWriter::ChromeWriter(std::ostream& out) : out_(out) { out_ << "{\"traceEvents\":["; }

void ChromeWriter::name_process(std::uint32_t pid, std::string_view name) {
  metadata({pid, pid}, "process_name", {{"name", name}});
}

void ChromeWriter::name_track(ChromeTrack track, std::string_view name) {
  metadata(track, "thread_name", {{"name", name}});
  metadata(track, "thread_sort_index", {{"sort_index", ++tracks_}});
}

void ChromeWriter::slice(ChromeTrack track, const ChromeSlice& slice) {
  if (slice.end <= slice.begin) return;
  const std::string colour =
      slice.colour.empty() ? "" : fmt::format("\"cname\":\"{}\",", slice.colour);
  event(fmt::format("\"ph\":\"X\",{},\"ts\":{},\"dur\":{},\"name\":{},\"cat\":\"{}\",{}\"args\":{}",
                    members_of(track), microseconds(to_ns(slice.begin)),
                    microseconds((slice.end - slice.begin).count()), json_text(slice.name),
                    slice.category, colour, dumped(slice.args)));
}

void ChromeWriter::counter(std::uint32_t pid, Time at, std::string_view name, std::string_view unit,
                           std::int64_t value) {
  event(fmt::format("\"ph\":\"C\",{},\"ts\":{},\"name\":{},\"args\":{{\"{}\":{}}}",
                    members_of({pid, pid}), microseconds(to_ns(at)), json_text(name), unit, value));
}

void ChromeWriter::mark(ChromeTrack track, Time at, std::string_view text) {
  event(fmt::format("\"ph\":\"i\",\"s\":\"p\",{},\"ts\":{},\"name\":{},\"cat\":\"note\"",
                    members_of(track), microseconds(to_ns(at)), json_text(text)));
}

void ChromeWriter::finish(const nlohmann::ordered_json& other_data) {
  out_ << "\n],\"displayTimeUnit\":\"ms\",\"otherData\":" << dumped(other_data) << "}\n";
}

void ChromeWriter::event(std::string_view members) {
  out_ << (first_ ? "\n{" : ",\n{") << members << '}';
  first_ = false;
}

void ChromeWriter::metadata(ChromeTrack track, std::string_view what,
                            const nlohmann::ordered_json& args) {
  event(fmt::format("\"ph\":\"M\",{},\"name\":\"{}\",\"args\":{}", members_of(track), what,
                    dumped(args)));
}

}  // namespace gilspy

#include <array>
#include <cmath>
#include <map>
#include <ostream>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>

#include <zlib.h>

#include "gilspy/export/exporter.h"
#include "gilspy/profile/version.h"
#include "proto/pprof_profile.pb.h"
#include "text.h"

/// pprof's profile.proto, gzipped: every stack of every thread with its time under all five
/// weights.
namespace gilspy {
namespace {

/// The id of the only mapping.
constexpr std::uint64_t program = 1;

using Values = std::array<std::int64_t, weight_count>;

std::string first_word(const std::string& text) { return text.substr(0, text.find(' ')); }

/// Fills the tables of a pprof profile; each value gets its id once.
class PprofTables {
 public:
  explicit PprofTables(pprof::Profile& profile) : profile_(profile) { text(""); }

  std::int64_t text(const std::string& value) {
    const auto fresh = static_cast<std::int64_t>(profile_.string_table_size());
    const auto [entry, inserted] = texts_.try_emplace(value, fresh);
    if (inserted) profile_.add_string_table(value);
    return entry->second;
  }

  std::uint64_t location(const FrameText& frame, std::uint32_t first_line) {
    const std::uint64_t fresh = locations_.size() + 1;
    const auto [entry, inserted] = locations_.try_emplace(frame, fresh);
    if (!inserted) return entry->second;
    pprof::Location& location = *profile_.add_location();
    location.set_id(fresh);
    location.set_mapping_id(program);
    pprof::Line& line = *location.add_line();
    line.set_function_id(function(frame, first_line));
    line.set_line(frame.line);
    return fresh;
  }

 private:
  std::uint64_t function(const FrameText& frame, std::uint32_t first_line) {
    const std::uint64_t fresh = functions_.size() + 1;
    const auto [entry, inserted] =
        functions_.try_emplace({frame.function, frame.file, first_line}, fresh);
    if (!inserted) return entry->second;
    pprof::Function& function = *profile_.add_function();
    function.set_id(fresh);
    function.set_name(text(frame.function));
    function.set_system_name(text(frame.function));
    function.set_filename(text(frame.file));
    function.set_start_line(first_line);
    return fresh;
  }

  pprof::Profile& profile_;
  std::map<std::string, std::int64_t> texts_;
  std::map<FrameText, std::uint64_t> locations_;
  std::map<std::tuple<std::string, std::string, std::uint32_t>, std::uint64_t> functions_;
};

class PprofFile {
 public:
  PprofFile(const Profile& profile, Weight weight) : profile_(profile) {
    describe(weight);
    std::map<std::pair<Tid, StackId>, Values> rows;
    for (std::size_t i = 0; i < weight_count; ++i) {
      for (const StackWeight& row : profile.stacks_by(static_cast<Weight>(i))) {
        rows[{row.tid, row.stack}].at(i) += row.time.count();
      }
    }
    for (const auto& [key, values] : rows) add_sample(key.first, key.second, values);
  }

  [[nodiscard]] std::string serialized() const { return file_.SerializeAsString(); }

 private:
  void describe(Weight weight) {
    const std::int64_t unit = tables_.text("nanoseconds");
    for (std::size_t i = 0; i < weight_count; ++i) {
      pprof::ValueType& type = *file_.add_sample_type();
      type.set_type(tables_.text(std::string(name_of(static_cast<Weight>(i)))));
      type.set_unit(unit);
    }
    file_.set_default_sample_type(tables_.text(std::string(name_of(weight))));
    file_.set_time_nanos(profile_.process.unix_ns);
    file_.set_duration_nanos(profile_.wall().count());
    if (profile_.process.stack_hz > 0) {
      file_.mutable_period_type()->set_type(tables_.text("wall"));
      file_.mutable_period_type()->set_unit(unit);
      file_.set_period(std::llround(1e9 / profile_.process.stack_hz));
    }
    // Says what the program is, and that nothing is left to look up in it.
    pprof::Mapping& mapping = *file_.add_mapping();
    mapping.set_id(program);
    mapping.set_filename(tables_.text(first_word(printable(profile_.process.command))));
    mapping.set_has_functions(true);
    mapping.set_has_filenames(true);
    mapping.set_has_line_numbers(true);
    file_.add_comment(tables_.text("gilspy " + std::string(version)));
    file_.add_comment(tables_.text(printable(profile_.process.command)));
    file_.add_comment(tables_.text(sampling_line(profile_)));
  }

  void add_sample(Tid tid, StackId stack, const Values& values) {
    pprof::Sample& sample = *file_.add_sample();
    const Tables& tables = *profile_.tables;
    const auto frames = tables.frames(stack);
    for (const Tables::StackNode& node : frames | std::views::reverse) {
      sample.add_location_id(
          tables_.location(frame_text(tables, node), tables.code(node.code).first_line));
    }
    if (frames.empty()) {
      sample.add_location_id(tables_.location({std::string(no_stack_label), "", 0}, 0));
    }
    for (const std::int64_t value : values) sample.add_value(value);
    pprof::Label& name = *sample.add_label();
    name.set_key(tables_.text("thread"));
    name.set_str(tables_.text(thread_label(profile_, tid)));
    pprof::Label& number = *sample.add_label();
    number.set_key(tables_.text("tid"));
    number.set_num(tid.value);
  }

  const Profile& profile_;
  pprof::Profile file_;
  PprofTables tables_{file_};
};

/// pprof's readers expect gzip. The largest window, plus 16 for gzip's own header (zlib.h).
std::string gzipped(std::string data) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
  std::string result(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int outcome = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) throw std::runtime_error("zlib cannot compress the profile");
  return result;
}

class PprofExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions& options,
             std::ostream& out) const override {
    out << gzipped(PprofFile(profile, options.weight).serialized());
  }
};

}  // namespace

const Exporter& pprof_exporter() {
  static const PprofExporter exporter;
  return exporter;
}

}  // namespace gilspy

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "gecko_schema.h"
#include "gecko_tables.h"
#include "gilspy/export/exporter.h"
#include "gilspy/profile/version.h"
#include "text.h"
#include "wait_holders.h"

/// The Firefox Profiler's processed format. Its viewer (profiler.firefox.com) upgrades older
/// versions of the format by itself; this is version 60 of docs-developer/CHANGELOG-formats.md
/// there, the first in which threads share their tables.
///
/// A thread's time is cut wherever its state or its stack changed, and each piece is a sample that
/// weighs as long as it lasted, with the state as its category: so the viewer's categories add up
/// to the thread's times.
namespace gilspy {
namespace {

using Json = nlohmann::ordered_json;

constexpr int format_version = 60;

/// The columns of a thread's marker table.
struct Markers {
  Json data = Json::array();
  Json name = Json::array();
  Json start = Json::array();
  Json end = Json::array();
  Json phase = Json::array();
  Json category = Json::array();

  void add(double from, double to, std::uint32_t text, Activity activity, Json payload) {
    data.push_back(std::move(payload));
    name.push_back(text);
    start.push_back(from);
    end.push_back(to);
    phase.push_back(1);  // an interval
    category.push_back(static_cast<int>(activity));
  }

  [[nodiscard]] Json json() const {
    return {{"length", name.size()}, {"data", data},   {"name", name},        {"startTime", start},
            {"endTime", end},        {"phase", phase}, {"category", category}};
  }
};

/// The columns of a thread's samples.
struct Samples {
  Json stack = Json::array();
  Json time = Json::array();
  Json weight = Json::array();
  Json cpu = Json::array();  ///< microseconds on a CPU since the sample before

  [[nodiscard]] Json json() const {
    return {{"length", stack.size()}, {"stack", stack},        {"time", time},
            {"weight", weight},       {"threadCPUDelta", cpu}, {"weightType", "tracing-ms"}};
  }
};

class GeckoFile {
 public:
  GeckoFile(const Profile& profile, std::ostream& out)
      : profile_(profile), tables_(*profile.tables), out_(out) {}

  void write() {
    out_ << "{\"meta\":" << dumped(meta()) << ",\n\"libs\":[],\"pages\":[],\"counters\":[],"
         << "\"profilerOverhead\":[],\n\"threads\":[";
    const char* separator = "\n";
    const auto put = [&](const Json& thread) {
      out_ << separator << dumped(thread);
      separator = ",\n";
    };
    for (const GilProfile& gil : profile_.gils) put(gil_thread(gil));
    for (const auto& [tid, intervals] : profile_.timeline.threads) put(thread(tid, intervals));
    out_ << "],\n\"shared\":" << dumped(tables_.json()) << "}\n";
  }

 private:
  static std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  /// Milliseconds since the beginning.
  [[nodiscard]] double ms_at(Time at) const { return to_seconds(at - profile_.begin) * 1e3; }

  [[nodiscard]] Json meta() const {
    const ProcessStarted& process = profile_.process;
    const double start_ms = process.unix_ns > 0 ? static_cast<double>(process.unix_ns) / 1e6 +
                                                      ms_at(profile_.begin) - ms_at(process.at)
                                                : 0;
    const auto fact = [](std::string_view label, const std::string& value) {
      return Json{{"label", label}, {"format", "string"}, {"value", value}};
    };
    return {{"version", 24},
            {"preprocessedProfileVersion", format_version},
            {"product", printable(process.command)},
            {"processType", 0},
            {"interval", process.stack_hz > 0 ? 1e3 / process.stack_hz : 1.0},
            {"startTime", start_ms},
            {"startTimeAsClockMonotonicNanosecondsSinceBoot", to_ns(profile_.begin)},
            {"profilingStartTime", 0},
            {"profilingEndTime", ms_at(profile_.end)},
            {"symbolicated", true},
            {"sourceCodeIsNotOnSearchfox", true},
            {"usesOnlyOneStackType", true},
            {"debug", false},
            {"sampleUnits", {{"time", "ms"}, {"eventDelay", "ms"}, {"threadCPUDelta", "µs"}}},
            {"importedFrom", fmt::format("gilspy {}", version)},
            {"extensions",
             {{"length", 0},
              {"id", Json::array()},
              {"name", Json::array()},
              {"baseURL", Json::array()}}},
            {"categories", gecko_categories()},
            {"markerSchema", gecko_marker_schema()},
            {"extra", Json{{{"label", "Sampling"},
                            {"entries", Json{fact("Sampling", sampling_line(profile_)),
                                             fact("Python", printable(process.python))}}}}}};
  }

  [[nodiscard]] Json thread_head(std::string_view name, const Json& tid, Pid pid, Time first,
                                 Time last) const {
    return {{"name", name},
            {"isMainThread", tid == Json(pid.value)},
            {"processType", "default"},
            {"processName", printable(profile_.process.command)},
            {"processStartupTime", 0},
            {"processShutdownTime", nullptr},
            {"registerTime", ms_at(first)},
            {"unregisterTime", last < profile_.end ? Json(ms_at(last)) : Json()},
            {"pausedRanges", Json::array()},
            {"showMarkersInTimeline", true},
            {"pid", fmt::format("{}", pid.value)},
            {"tid", tid}};
  }

  /// The GIL as a thread of its own that has markers only: who held it.
  Json gil_thread(const GilProfile& gil) {
    const std::string name =
        profile_.gils.size() == 1 ? "GIL" : fmt::format("GIL ({})", printable(gil.interpreters));
    Markers markers;
    for (const HolderInterval& hold : holders_of(profile_, gil.id)) {
      if (hold.known && hold.holder == no_thread) continue;
      const std::string who = hold.known ? thread_label(profile_, hold.holder) : "unknown";
      markers.add(ms_at(hold.begin), ms_at(hold.end), tables_.string(who),
                  hold.known ? Activity::holding_running : Activity::unknown,
                  {{"type", "GilHolder"}});
    }
    Json json = thread_head(name, fmt::format("gil-{}", gil.id.value), profile_.process.pid,
                            profile_.begin, profile_.end);
    json["samples"] = Samples{}.json();
    json["markers"] = markers.json();
    return json;
  }

  Json thread(Tid tid, const std::vector<Interval>& intervals) {
    const ThreadProfile* known = profile_.thread(tid);
    const Time first = intervals.empty() ? profile_.begin : intervals.front().begin;
    const Time last = intervals.empty() ? profile_.begin : intervals.back().end;
    Json json = thread_head(known != nullptr ? printable(known->name) : "", tid.value,
                            known != nullptr ? known->pid : profile_.process.pid, first, last);
    json["samples"] = samples(tid, intervals).json();
    json["markers"] = markers(tid, intervals).json();
    return json;
  }

  Samples samples(Tid tid, const std::vector<Interval>& intervals) {
    static const std::vector<StackMoment> none;
    const auto found = profile_.timeline.stacks.find(tid);
    const auto& moments = found != profile_.timeline.stacks.end() ? found->second : none;
    Samples columns;
    Duration cpu{};
    StackId stack = empty_stack;
    auto moment = moments.begin();
    for (const Interval& interval : intervals) {
      const Activity activity = activity_of(interval.state);
      Time from = interval.begin;
      const auto piece_until = [&](Time until) {
        if (until <= from) return;
        columns.stack.push_back(tables_.stack(stack, activity));
        columns.time.push_back(ms_at(from));
        columns.weight.push_back(to_seconds(until - from) * 1e3);
        columns.cpu.push_back(to_seconds(cpu) * 1e6);
        cpu = interval.state.cpu == CpuState::running ? until - from : Duration{};
        from = until;
      };
      for (; moment != moments.end() && moment->at < interval.end; ++moment) {
        if (moment->stack != stack) piece_until(moment->at);
        stack = moment->stack;
      }
      piece_until(interval.end);
    }
    return columns;
  }

  Markers markers(Tid tid, const std::vector<Interval>& intervals) {
    Markers result;
    for (const Interval& interval : intervals) {
      const Activity activity = activity_of(interval.state);
      const std::string_view type = gecko_marker_type(activity);
      if (type.empty()) continue;
      Json payload{{"type", type}};
      if (activity == Activity::waiting) {
        const auto holders = holders_during(profile_, tid, interval);
        payload["holder"] =
            holders.empty() ? "nobody" : thread_label(profile_, holders.front().first);
      } else if (activity != Activity::holding_running) {
        payload["syscall"] = syscall_name(interval.state.syscall);
        payload["kind"] = name_of(interval.state.kind);
      }
      result.add(ms_at(interval.begin), ms_at(interval.end), tables_.string(name_of(activity)),
                 activity, std::move(payload));
    }
    return result;
  }

  const Profile& profile_;
  GeckoTables tables_;
  std::ostream& out_;
};

class GeckoExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions&, std::ostream& out) const override {
    GeckoFile(profile, out).write();
  }
};

}  // namespace

const Exporter& gecko_exporter() {
  static const GeckoExporter exporter;
  return exporter;
}

}  // namespace gilspy

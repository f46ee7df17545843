#include <ostream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "gilspy/export/exporter.h"
#include "text.h"
#include "wait_holders.h"

/// The threads' intervals as comma-separated values (RFC 4180, but with plain newlines, as most
/// writers have it): a line per stretch of one thread's time in one state, for spreadsheets, pandas
/// and SQL. docs/formats.md says what each column means.
namespace gilspy {
namespace {

/// Quoted where it has to be; the text is printable and so on one line.
std::string field(std::string_view text) {
  std::string clean = printable(text);
  if (clean.find_first_of(",\"") == std::string::npos) return clean;
  std::string quoted = "\"";
  for (const char c : clean) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

/// "1001,worker" for a wait of which most passed while that thread held the GIL.
std::string holder_fields(const Profile& profile, Tid waiter, const Interval& interval) {
  if (activity_of(interval.state) != Activity::waiting) return ",";
  const auto holders = holders_during(profile, waiter, interval);
  if (holders.empty()) return ",";
  const Tid tid = holders.front().first;
  const ThreadProfile* thread = profile.thread(tid);
  return fmt::format("{},{}", tid.value, field(thread != nullptr ? thread->name : ""));
}

class CsvExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions&, std::ostream& out) const override {
    out << "start_s,end_s,pid,tid,thread,state,gil,cpu,kind,syscall,holder_tid,holder\n";
    for (const auto& [tid, intervals] : profile.timeline.threads) {
      const ThreadProfile* thread = profile.thread(tid);
      const Pid pid = thread != nullptr ? thread->pid : profile.process.pid;
      const std::string who = fmt::format("{},{},{}", pid.value, tid.value,
                                          field(thread != nullptr ? thread->name : ""));
      for (const Interval& interval : intervals) {
        const ThreadState state = interval.state;
        out << fmt::format("{},{},{},{},{},{},{},{},{}\n", decimal(to_ns(interval.begin), 9),
                           decimal(to_ns(interval.end), 9), who, field(name_of(activity_of(state))),
                           name_of(state.gil), name_of(state.cpu),
                           state.kind != BlockKind::none ? name_of(state.kind) : "",
                           field(syscall_name(state.syscall)),
                           holder_fields(profile, tid, interval));
      }
    }
  }
};

}  // namespace

const Exporter& csv_exporter() {
  static const CsvExporter exporter;
  return exporter;
}

}  // namespace gilspy

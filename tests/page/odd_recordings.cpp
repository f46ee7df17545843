// Writes recordings that no test can have a program make at will: odd_recordings KIND OUT.gilspy
//   hostile    names that try to break out of whatever they are written into
//   gil_off    a free-threaded build whose GIL is off
//   two_gils   sub-interpreters with a GIL of their own
//   exec       a process that became another program and kept its ids
//   stacks     threads whose stacks change from turn to turn
//   cut        no end, and nothing but one thread
//   nothing    a process was started and ended, and that was all

#include <fcntl.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "gilspy/model/tables.h"
#include "gilspy/recording/writer.h"

namespace gilspy {
namespace {

constexpr ThreadState holding{GilState::holding, CpuState::running, BlockKind::none, -1};
constexpr ThreadState waiting{GilState::waiting, CpuState::blocked, BlockKind::lock, 202};
constexpr ThreadState receiving{GilState::released, CpuState::blocked, BlockKind::io, 45};
constexpr ThreadState native{GilState::none, CpuState::running, BlockKind::none, -1};
constexpr Pid pid{1000};

constexpr std::string_view hostile =
    "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 2'><!-- "
    "\"'&amp;"
    "\x1b[31m\xe2\x80\xae";

class Run {
 public:
  explicit Run(SampleSink& out) : sink(out), names(out) {}

  static Time at(int ms) { return time_from_ns(1'000'000'000'000 + ms * 1'000'000LL); }
  void start(int ms, std::string command, std::optional<bool> gil_enabled = true) {
    sink.accept(ProcessStarted{at(ms), pid, std::move(command), "3.13.1", gil_enabled == false,
                               gil_enabled, 0, 4, 1000, 100, std::chrono::milliseconds{5}});
  }
  void gil(std::uint32_t id, std::string_view interpreters) {
    sink.accept(GilDefined{GilId{id}, pid, names.string(interpreters)});
  }
  void seen(int ms, int tid, std::string_view name, std::optional<GilId> gil) {
    sink.accept(ThreadSeen{at(ms), pid, Tid{tid}, names.string(name), true, gil});
  }
  void state(int ms, int tid, ThreadState state) {
    sink.accept(StateChanged{at(ms), Tid{tid}, state});
  }
  /// Two threads that pass a GIL to each other every five milliseconds.
  void take_turns(int from, int to, int a, int b, std::uint32_t gil, StackId stack) {
    for (int ms = from; ms < to; ms += 5) {
      const bool first = (ms - from) % 10 == 0;
      const int holder = first ? a : b;
      sink.accept(GilChanged{at(ms), GilId{gil}, Tid{holder}, true, 1});
      state(ms, first ? b : a, waiting);
      state(ms, holder, holding);
      sink.accept(StackSampled{at(ms + 2), Tid{holder}, stack});
    }
  }
  void end(int ms, EndReason reason = EndReason::target_ended) {
    sink.accept(Progress{at(ms), static_cast<std::uint64_t>(ms)});
    sink.accept(ProcessEnded{at(ms), pid, reason});
  }
  StackId stack(std::string_view function, std::string_view file) {
    return names.stack(empty_stack, names.code(function, file, 1), 7);
  }

  SampleSink& sink;
  Interner names;
};

void hostile_names(Run& run) {
  run.start(0, std::string(hostile));
  run.gil(0, hostile);
  run.seen(0, 1000, hostile, GilId{0});
  run.seen(0, 1001, hostile, GilId{0});
  run.take_turns(0, 1000, 1000, 1001, 0, run.stack(hostile, hostile));
  run.sink.accept(Noted{Run::at(1000), pid, std::string(hostile)});
  run.end(1000);
}

void gil_off(Run& run) {
  run.start(0, "python3.13t app.py", false);
  run.seen(0, 1000, "MainThread", std::nullopt);
  run.state(0, 1000, native);
  run.sink.accept(StackSampled{Run::at(500), Tid{1000}, run.stack("work", "app.py")});
  run.end(1000);
}

void two_gils(Run& run) {
  run.start(0, "python app.py");
  run.gil(0, "main");
  run.gil(1, "1");
  for (const int tid : {1000, 1001}) run.seen(0, tid, "main", GilId{0});
  for (const int tid : {1002, 1003}) run.seen(0, tid, "sub", GilId{1});
  const StackId stack = run.stack("work", "app.py");
  for (int ms = 0; ms < 1000; ms += 10) {
    run.take_turns(ms, ms + 1, 1000, 1001, 0, stack);
    run.take_turns(ms + 1, ms + 2, 1002, 1003, 1, stack);
  }
  run.end(1000);
}

void exec(Run& run) {
  run.start(0, "python first.py");
  run.gil(0, "main");
  run.seen(0, 1000, "MainThread", GilId{0});
  run.seen(0, 1001, "worker", GilId{0});
  run.take_turns(0, 500, 1000, 1001, 0, run.stack("first", "first.py"));
  run.end(500, EndReason::target_execed);
  run.start(510, "python second.py");
  run.gil(1, "main");
  run.seen(510, 1000, "MainThread", GilId{1});
  run.seen(510, 1002, "worker", GilId{1});
  run.take_turns(510, 1000, 1000, 1002, 1, run.stack("second", "second.py"));
  run.end(1000);
}

void stacks(Run& run) {
  run.start(0, "python app.py");
  run.gil(0, "main");
  for (const int tid : {1000, 1001, 1002}) run.seen(0, tid, "worker", GilId{0});
  run.state(0, 1002, waiting);
  for (int turn = 0; turn < 200; ++turn) {
    const int from = 5 * turn;
    const std::string function = "step_" + std::to_string(turn * turn % 11);
    const StackId stack = run.stack(function, "app.py");
    run.sink.accept(StackSampled{Run::at(from), Tid{1002}, stack});
    run.take_turns(from, from + 1 + turn % 4, 1000 + turn % 2, 1001 - turn % 2, 0, stack);
  }
  run.end(1000);
}

void cut(Run& run) {
  run.start(0, "python app.py");
  run.gil(0, "main");
  run.seen(0, 1000, "MainThread", GilId{0});
  run.state(1, 1000, receiving);
  run.sink.accept(Progress{Run::at(700), 700});
}

void nothing(Run& run) {
  run.start(0, "python app.py");
  run.end(0);
}

}  // namespace
}  // namespace gilspy

int main(int argc, char** argv) {
  using namespace gilspy;
  const std::map<std::string_view, std::function<void(Run&)>> kinds{
      {"hostile", hostile_names}, {"gil_off", gil_off}, {"two_gils", two_gils}, {"exec", exec},
      {"stacks", stacks},         {"cut", cut},         {"nothing", nothing}};
  if (argc != 3 || !kinds.contains(argv[1])) {
    std::fputs("usage: odd_recordings KIND OUT.gilspy\n", stderr);
    return 2;
  }
  RecordingWriter writer{UniqueFd{::open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)}};
  Run run{writer};
  kinds.at(argv[1])(run);
  writer.flush();
  return writer.error() == 0 ? 0 : 1;
}

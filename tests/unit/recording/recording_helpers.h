#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "event_helpers.h"
#include "gilspy/recording/reader.h"
#include "gilspy/recording/writer.h"

namespace gilspy::testing {

/// A file in memory: give the writer a duplicate of its descriptor, look at the bytes at any time.
class MemoryFile {
 public:
  [[nodiscard]] UniqueFd writable() const { return UniqueFd{::dup(file_.get())}; }

  [[nodiscard]] std::string bytes() const {
    std::string content(static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_END)), '\0');
    const ssize_t got = ::pread(file_.get(), content.data(), content.size(), 0);
    content.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return content;
  }

 private:
  UniqueFd file_{::memfd_create("recording", MFD_CLOEXEC)};
};

inline std::string record(const std::vector<Event>& events) {
  const MemoryFile file;
  RecordingWriter writer{file.writable()};
  for (const Event& event : events) writer.accept(event);
  writer.flush();
  return file.bytes();
}

struct Replayed {
  std::vector<Event> events;
  ReplayResult result;
};

inline Replayed replay_bytes(const std::string& bytes) {
  std::istringstream stream{bytes};
  CollectingSink sink;
  ReplayResult result = replay(stream, sink);
  return {std::move(sink.events), std::move(result)};
}

[[nodiscard]] inline bool is_prefix(const std::vector<Event>& part, const std::vector<Event>& all) {
  return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
}

inline ProcessStarted process_started(double ms, Pid pid) {
  ProcessStarted event;
  event.at = at_ms(ms);
  event.pid = pid;
  event.command = "python app.py";
  event.python = "3.12.1";
  event.gil_enabled = true;
  event.cores = 2;
  event.requested_hz = 1000;
  event.stack_hz = 100;
  event.switch_interval = std::chrono::milliseconds{5};
  return event;
}

/// A short life of a process with two threads, one of each kind of event, in three frames.
inline std::vector<Event> small_stream() {
  const Pid pid{4711};
  const Tid main{4711};
  const Tid worker{4712};
  return {
      process_started(0, pid),
      StringDefined{StringId{0}, "main"},
      GilDefined{GilId{0}, pid, StringId{0}},
      ThreadSeen{at_ms(0), pid, main, StringId{0}, true, GilId{0}},
      ThreadSeen{at_ms(0), pid, worker, StringId{0}, false, std::nullopt},
      StateChanged{at_ms(1), main, holding},
      GilChanged{at_ms(1), GilId{0}, main, true, 3},
      StateChanged{at_ms(1.5), worker, waiting},
      StringDefined{StringId{1}, "crunch"},
      StringDefined{StringId{2}, "/srv/app.py"},
      CodeDefined{CodeId{0}, StringId{1}, StringId{2}, 10},
      NativeMarked{CodeId{0}},
      NativeSource{CodeId{0}, StringId{0}, 12},
      StackDefined{StackId{1}, empty_stack, CodeId{0}, 12},
      StackSampled{at_ms(2), main, StackId{1}},
      Progress{at_ms(1100), 1000, 2, 1, 4, 100, 3, std::chrono::milliseconds{40},
               StackTrouble{5, 9, {1, 0, 0, 2, 0}}},
      NativeCounted{at_ms(1100), 90, 2, 8},
      LatenessCounted{at_ms(1100), {0, 900, 98, 0, 2}, std::chrono::microseconds{80}, 1},
      Traced{at_ms(1100), pid, TraceSource::exact, 3},
      StateChanged{at_ms(1101), worker, sleeping},
      Noted{at_ms(1102), pid, "the target was stopped"},
      ThreadGone{at_ms(1103), worker},
      GilChanged{at_ms(2200), GilId{0}, no_thread, false, 0},
      StateChanged{at_ms(2201), main, unknown_state},
      ProcessEnded{at_ms(2300), pid, EndReason::target_ended},
  };
}

}  // namespace gilspy::testing

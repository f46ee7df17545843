// Counts the Python stacks of a process's only thread, for the check beside it.
//
//   stack_counts running PID HZ SAMPLES
//     read as gilspy reads them, while the target runs (HZ 0: as fast as it goes)
//   stack_counts stopped PID HZ SAMPLES
//     the truth: the target stands still under ptrace, and its frames are followed one by one, by
//     code that shares nothing with the reader
//   stack_counts still PID HZ SAMPLES
//     how often gilspy's reader reads a target that stands still otherwise than that code
//   stack_counts recording FILE
//     the samples of a recording
//
// Prints a line "COUNT<tab>outermost;...;top" for each stack, and "# NAME VALUE" for what else is
// known.

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "gilspy/base/time.h"
#include "gilspy/locate/target.h"
#include "gilspy/model/tables.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/python/interpreters.h"
#include "gilspy/python/objects.h"
#include "gilspy/python/stack_reader.h"
#include "gilspy/recording/reader.h"

namespace gilspy {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

/// The last part of a qualified name: which namespace a function was made in does not matter here.
std::string_view plain(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::string text_of(const Tables& tables, StackId stack) {
  std::string text;
  for (const auto& node : tables.frames(stack)) {
    if (!text.empty()) text += ';';
    text += plain(tables.function_of(node));
  }
  return text;
}

double microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

void print(const Counts& counts) {
  for (const auto& [stack, count] : counts) std::cout << count << '\t' << stack << '\n';
}

/// Jittered, so that it never falls into step with the target.
class Clock {
 public:
  explicit Clock(double hz) : period_(hz > 0 ? 1e9 / hz : 0) {}

  /// From now on, however long the last look took: the target must have run meanwhile.
  void wait() {
    if (period_ == 0) return;
    std::uniform_real_distribution<double> jitter{0.5, 1.5};
    const Time next = now() + Duration{static_cast<std::int64_t>(period_ * jitter(random_))};
    const auto ns = next.time_since_epoch().count();
    const timespec until{ns / 1'000'000'000, ns % 1'000'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }

 private:
  double period_;
  std::mt19937_64 random_{7};
};

struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Look {
  Pid pid;
  ProcessMemory memory{pid};
  Target target;
  PythonThread thread;

  explicit Look(Pid of) : pid(of) {
    const auto process = ProcDir::open(pid);
    if (!process) throw std::runtime_error("no such process");
    auto found = locate_python(*process, memory);
    if (!found) throw std::runtime_error(found.error().what);
    target = *found;
    const auto interpreters = read_interpreters(memory, *target.layout, target.runtime);
    if (!interpreters || interpreters->empty() || interpreters->front().threads.empty()) {
      throw std::runtime_error("no thread");
    }
    thread = interpreters->front().threads.front();
  }
};

void running(Look& look, double hz, std::uint64_t samples) {
  Tables tables;
  Interner interner{tables};
  StackReader reader{look.memory, *look.target.layout, interner};
  std::map<StackId, std::uint64_t> stacks;
  std::map<std::string, std::uint64_t> errors;
  Clock clock{hz};
  Duration spent{};
  for (std::uint64_t i = 0; i < samples; ++i) {
    clock.wait();
    const Time begun = now();
    const auto stack = reader.read(look.thread);
    spent += now() - begun;
    if (stack) {
      ++stacks[*stack];
    } else if (stack.error().kind == ErrorClass::target_gone) {
      throw std::runtime_error("the target has ended");
    } else {
      ++errors[std::string(stack.error().what)];
    }
  }
  Counts counts;
  for (const auto& [stack, count] : stacks) counts[text_of(tables, stack)] += count;
  print(counts);
  std::uint64_t dropped = 0;
  for (const auto& [what, count] : errors) {
    dropped += count;
    std::cerr << fmt::format("dropped {}: {}\n", count, what);
  }
  std::cout << fmt::format("# dropped {}\n", dropped);
  std::cout << fmt::format("# us_each {:.2f}\n",
                           microseconds(spent) / static_cast<double>(samples));
}

/// Follows the frames of a target that stands still. Throws where it stands in the middle of making
/// one known (3.11 enters the struct that leads to it before it fills it in).
std::string plain_walk(Look& look) {
  const Layout& layout = *look.target.layout;
  const auto& at = layout.at;
  const auto pointer = [&](RemoteAddress from) {
    const auto value = look.memory.read_pointer(from);
    if (!value) throw Unreadable("unreadable frame");
    return *value;
  };
  RemoteAddress frame;
  switch (layout.traits.frame_head) {
    case Traits::FrameHead::frame_object:
      frame = pointer(at.thread.frame.in(look.thread.address));
      break;
    case Traits::FrameHead::cframe:
      frame =
          pointer(at.cframe.current_frame.in(pointer(at.thread.cframe.in(look.thread.address))));
      break;
    case Traits::FrameHead::thread:
      frame = pointer(at.thread.current_frame.in(look.thread.address));
      break;
  }
  std::string text;
  std::int8_t owner = 0;
  for (int depth = 0; !frame.is_null() && depth < 5000; ++depth) {
    if (at.frame.owner.present()) {
      owner = look.memory.read_value<std::int8_t>(at.frame.owner.in(frame)).value_or(0);
    }
    if (owner < layout.traits.first_entry_owner) {
      const RemoteAddress code{pointer(at.frame.code.in(frame)).value() &
                               ~std::uint64_t{layout.traits.reference_tag_mask}};
      const auto name = read_str(look.memory, layout, pointer(at.code.name.in(code)));
      if (!text.empty()) text.insert(0, ";");
      text.insert(0, name ? *name : "?");
    }
    frame = pointer(at.frame.previous.in(frame));
  }
  constexpr std::int8_t owned_by_generator = 1;  // enum _frameowner, pycore_frame.h
  if (owner == owned_by_generator) throw Unreadable("a generator on the way in or out");
  return text;
}

void check(long result, const char* what) {
  if (result < 0) throw std::runtime_error(what);
}

/// Brings the target and us to one CPU, where we go first. The timer that wakes us stops the target
/// as well then, whatever it is at. One on another CPU is told to stop and gets to know some 20 us
/// later, or on its way out of a system call if it makes one meanwhile: too many samples would be
/// of what makes them (a data stack that gets a new chunk).
void share_a_cpu(Pid pid) {
  cpu_set_t allowed;
  check(::sched_getaffinity(pid.value, sizeof allowed, &allowed), "sched_getaffinity");
  int cpu = 0;
  while (!CPU_ISSET(cpu, &allowed)) ++cpu;
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  check(::sched_setaffinity(pid.value, sizeof only, &only), "sched_setaffinity");
  check(::sched_setaffinity(0, sizeof only, &only), "sched_setaffinity");
  const sched_param priority{.sched_priority = 1};
  check(::sched_setscheduler(0, SCHED_FIFO, &priority), "SCHED_FIFO");
}

/// A traced target, stopped for as long as this lives.
class StoppedTarget {
 public:
  explicit StoppedTarget(Pid pid) : pid_(pid) {
    check(::ptrace(PTRACE_INTERRUPT, pid_.value, 0, 0), "PTRACE_INTERRUPT");
    int status = 0;
    check(::waitpid(pid_.value, &status, __WALL), "waitpid");
    if (!WIFSTOPPED(status)) throw std::runtime_error("the target has ended");
  }
  ~StoppedTarget() { ::ptrace(PTRACE_CONT, pid_.value, 0, 0); }
  StoppedTarget(const StoppedTarget&) = delete;
  StoppedTarget& operator=(const StoppedTarget&) = delete;

 private:
  Pid pid_;
};

void stopped(Look& look, double hz, std::uint64_t samples) {
  share_a_cpu(look.pid);
  check(::ptrace(PTRACE_SEIZE, look.pid.value, 0, 0), "PTRACE_SEIZE");
  Counts counts;
  std::uint64_t unreadable = 0;
  Clock clock{hz};
  for (std::uint64_t i = 0; i < samples; ++i) {
    clock.wait();
    const StoppedTarget stop{look.pid};
    try {
      ++counts[plain_walk(look)];
    } catch (const Unreadable&) {
      ++unreadable;
    }
  }
  print(counts);
  std::cout << fmt::format("# dropped {}\n", unreadable);
}

/// How the reader reads a target that stands still: as the truth, whatever it stands at.
void still(Look& look, double hz, std::uint64_t samples) {
  share_a_cpu(look.pid);
  check(::ptrace(PTRACE_SEIZE, look.pid.value, 0, 0), "PTRACE_SEIZE");
  Tables tables;
  Interner interner{tables};
  StackReader reader{look.memory, *look.target.layout, interner};
  Counts counts;
  std::map<std::string, std::uint64_t> different;
  Clock clock{hz};
  for (std::uint64_t i = 0; i < samples; ++i) {
    clock.wait();
    const StoppedTarget stop{look.pid};
    const auto stack = reader.read(look.thread);
    try {
      const std::string truth = plain_walk(look);
      ++counts[truth];
      const std::string read = stack ? text_of(tables, *stack) : std::string(stack.error().what);
      if (read != truth) ++different[fmt::format("{}, read as: {}", truth, read)];
    } catch (const Unreadable&) {
      continue;
    }
  }
  print(counts);
  std::uint64_t sum = 0;
  for (const auto& [what, count] : different) {
    sum += count;
    std::cerr << fmt::format("different {}: {:.200}\n", count, what);
  }
  std::cout << fmt::format("# different {}\n", sum);
}

class StackCounter : public SampleSink {
 public:
  void accept(const Event& event) override {
    tables_.accept(event);
    if (const auto* sampled = std::get_if<StackSampled>(&event)) ++stacks_[sampled->stack];
    if (const auto* progress = std::get_if<Progress>(&event)) progress_ = *progress;
  }
  void report() const {
    Counts counts;
    for (const auto& [stack, count] : stacks_) counts[text_of(tables_, stack)] += count;
    print(counts);
    std::cout << fmt::format("# dropped {}\n# ticks {}\n# cpu_seconds {:.3f}\n",
                             progress_.stacks_dropped, progress_.ticks,
                             microseconds(progress_.cpu) / 1e6);
  }

 private:
  Tables tables_;
  std::map<StackId, std::uint64_t> stacks_;
  Progress progress_;
};

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 2 && arguments[0] == "recording") {
    std::ifstream file(arguments[1], std::ios::binary);
    StackCounter counter;
    if (const auto result = replay(file, counter); !result.whole) {
      throw std::runtime_error("the recording is not whole: " + result.problem);
    }
    counter.report();
    return 0;
  }
  const std::string way = arguments.empty() ? "" : arguments[0];
  if (arguments.size() != 4 || (way != "running" && way != "stopped" && way != "still")) {
    std::cerr << "usage: stack_counts running|stopped|still PID HZ SAMPLES | stack_counts "
                 "recording FILE\n";
    return 2;
  }
  Look look{Pid{std::stoi(arguments[1])}};
  const double hz = std::stod(arguments[2]);
  const std::uint64_t samples = std::stoull(arguments[3]);
  if (way == "running") running(look, hz, samples);
  if (way == "stopped") stopped(look, hz, samples);
  if (way == "still") still(look, hz, samples);
  return 0;
}

}  // namespace
}  // namespace gilspy

int main(int argc, char** argv) {
  try {
    return gilspy::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "stack_counts: " << error.what() << '\n';
    return 1;
  }
}

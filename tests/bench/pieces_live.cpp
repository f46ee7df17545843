// What it costs to look at a running target.

#include "pieces_live.h"

#include <benchmark/benchmark.h>

#include <array>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gilspy/locate/target.h"
#include "gilspy/model/tables.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/os/thread_files.h"
#include "gilspy/python/gil.h"
#include "gilspy/python/interpreters.h"
#include "gilspy/python/stack_reader.h"
#include "gilspy/sample/sampler.h"

namespace gilspy::bench {
namespace {

class NoSink : public SampleSink {
 public:
  void accept(const Event& event) override { benchmark::DoNotOptimize(&event); }
};

/// A process with a Python, and its newest thread: in our workloads one of those that compute.
struct Live {
  explicit Live(ProcDir of) : process(std::move(of)), memory(process.pid()) {}

  ProcDir process;
  ProcessMemory memory;
  Target target;
  PythonInterpreter interpreter;
};
using Shared = std::shared_ptr<Live>;

/// The lane of the GIL alone: who holds it, and how often it changed hands.
void gil_read(benchmark::State& state, const Shared& live) {
  const GilReader reader{*live->target.layout, live->interpreter.gil};
  GilReader::Buffer bytes{};
  const std::array slot{reader.slot(bytes)};
  for (auto _ : state) {
    const auto done = live->memory.read_batch(slot);
    if (!done || *done != 1) {
      state.SkipWithError("the GIL could not be read");
      return;
    }
    benchmark::DoNotOptimize(reader.decode(bytes));
  }
  state.SetItemsProcessed(state.iterations());
}

/// Where one thread stands in the kernel.
void syscall_read(benchmark::State& state, const Shared& live) {
  const ThreadFiles files{live->process, Tid{live->process.pid().value}};
  for (auto _ : state) benchmark::DoNotOptimize(files.syscall());
  state.SetItemsProcessed(state.iterations());
}

void stack_read(benchmark::State& state, const Shared& live) {
  NoSink sink;
  Interner interner{sink};
  StackReader reader{live->memory, *live->target.layout, interner};
  std::int64_t dropped = 0;
  for (auto _ : state) {
    const auto stack = reader.read(live->interpreter.threads.front());
    if (!stack) ++dropped;
    benchmark::DoNotOptimize(stack);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["dropped"] = static_cast<double>(dropped);
}

/// A whole tick: states alone, or with every thread's stack.
void tick(benchmark::State& state, const Shared& live, bool stacks) {
  NoSink sink;
  Interner interner{sink};
  Sampler sampler{live->process, live->memory, sink,
                  interner,      live->target, {.state_hz = 0, .stack_hz = 0}};
  auto outcome = sampler.begin();
  for (auto _ : state) {
    if (outcome == Sampler::Outcome::alive) outcome = sampler.tick(stacks);
  }
  if (outcome != Sampler::Outcome::alive) state.SkipWithError("the target has ended");
  state.SetItemsProcessed(state.iterations());
}

/// Nothing, or why not.
std::optional<std::string> find_python(Live& live) {
  auto found = locate_python(live.process, live.memory);
  if (!found) return found.error().what;
  live.target = std::move(*found);
  const auto interpreters =
      read_interpreters(live.memory, *live.target.layout, live.target.runtime);
  if (!interpreters || interpreters->empty() || interpreters->front().threads.empty()) {
    return "no Python thread";
  }
  live.interpreter = interpreters->front();
  return std::nullopt;
}

}  // namespace

bool add_live_pieces(Pid pid) {
  auto process = ProcDir::open(pid);
  if (!process) {
    std::cerr << "process " << pid.value << ": no such process\n";
    return false;
  }
  const auto live = std::make_shared<Live>(std::move(*process));
  if (const auto problem = find_python(*live)) {
    std::cerr << "process " << pid.value << ": " << *problem << '\n';
    return false;
  }
  const auto add = [](const char* name, auto piece) {
    benchmark::RegisterBenchmark(name, std::move(piece))->UseRealTime();
  };
  add("gil_read", [live](benchmark::State& state) { gil_read(state, live); });
  add("syscall_read", [live](benchmark::State& state) { syscall_read(state, live); });
  add("stack_read", [live](benchmark::State& state) { stack_read(state, live); });
  add("tick/states", [live](benchmark::State& state) { tick(state, live, false); });
  add("tick/states_and_stacks", [live](benchmark::State& state) { tick(state, live, true); });
  return true;
}

}  // namespace gilspy::bench

// What the pieces of gilspy cost that need no target: google-benchmark's own options and output.
// With GILSPY_BENCH_PID also those of pieces_live.cpp; tests/bench/pieces sees to that.

#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "classify.h"
#include "encoder.h"
#include "event_helpers.h"
#include "frame.h"
#include "gilspy/profile/profile_builder.h"
#include "gilspy/recording/reader.h"
#include "gilspy/recording/writer.h"
#include "pieces_live.h"
#include "sample/sights.h"
#include "simulation.h"

namespace gilspy::bench {
namespace {

constexpr int simulated_ms = 10'000;
constexpr int slice_ms = 5;

std::vector<Event> simulated_events(int threads) {
  testing::CollectingSink sink;
  Simulation{sink, threads, slice_ms}.run(simulated_ms);
  return std::move(sink.events);
}

/// One thread holds the GIL, a second waits for it, the others sleep.
std::vector<LaneSight> some_lanes(std::size_t count) {
  std::vector<LaneSight> lanes{testing::on_queue(testing::state(0)),
                               testing::in_cond(testing::state(1))};
  while (lanes.size() < count) {
    lanes.push_back(testing::in_call(testing::state(lanes.size()), SYS_clock_nanosleep));
  }
  return lanes;
}

/// Of a whole tick's threads.
void classify_threads(benchmark::State& state) {
  const auto lanes = some_lanes(static_cast<std::size_t>(state.range(0)));
  const std::vector<GilSight> gils{testing::with_waiters(testing::held_by(testing::state(0)), 1)};
  for (auto _ : state) benchmark::DoNotOptimize(classify(lanes, gils));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(classify_threads)->Arg(3)->Arg(300);

/// Events per second into payloads; sealing them into frames is measured by itself.
void encode(benchmark::State& state) {
  const auto events = simulated_events(static_cast<int>(state.range(0)));
  recording::Encoder encoder;
  std::vector<std::byte> payload;
  for (auto _ : state) {
    for (const Event& event : events) encoder.append(event);
    payload.clear();
    payload = encoder.take(std::move(payload));
    benchmark::DoNotOptimize(payload.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events.size()));
}
BENCHMARK(encode)->Arg(2)->Arg(50)->Unit(benchmark::kMillisecond);

/// Compresses and checksums what a run of ten seconds leaves; bytes per second are those before.
void seal(benchmark::State& state) {
  recording::Encoder encoder;
  for (const Event& event : simulated_events(static_cast<int>(state.range(0)))) {
    if (encoder.payload().size() < std::size_t{256} * 1024) encoder.append(event);
  }
  recording::FrameSealer sealer;
  for (auto _ : state) benchmark::DoNotOptimize(sealer.seal(encoder.payload()).data());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(encoder.payload().size()));
}
BENCHMARK(seal)->Arg(2)->Arg(50)->Unit(benchmark::kMillisecond);

/// From a recording's bytes to a profile, as `gilspy report` does.
void replay_into_profile(benchmark::State& state) {
  const int file = ::memfd_create("bench", MFD_CLOEXEC);
  const std::string name = "/proc/self/fd/" + std::to_string(file);
  const auto events = simulated_events(static_cast<int>(state.range(0)));
  RecordingWriter writer{UniqueFd{file}};
  for (const Event& event : events) writer.accept(event);
  writer.flush();
  const std::ifstream stream{name, std::ios::binary};
  std::stringstream bytes;
  bytes << stream.rdbuf();
  const std::string recording = bytes.str();
  for (auto _ : state) {
    std::istringstream input{recording};
    ProfileBuilder builder;
    if (!replay(input, builder).whole) {
      state.SkipWithError("the recording is not whole");
      return;
    }
    benchmark::DoNotOptimize(builder.profile());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events.size()));
}
BENCHMARK(replay_into_profile)->Arg(2)->Arg(50)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gilspy::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (const char* pid = std::getenv("GILSPY_BENCH_PID")) {
    if (!gilspy::bench::add_live_pieces(gilspy::Pid{std::atoi(pid)})) return 1;
  } else {
    std::cerr << "left out: what needs a target (GILSPY_BENCH_PID)\n";
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

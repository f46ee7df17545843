#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "gilspy/model/events.h"
#include "gilspy/model/tables.h"

namespace gilspy::bench {

inline constexpr ThreadState holding{GilState::holding, CpuState::running, BlockKind::none, -1};
inline constexpr ThreadState waiting{GilState::waiting, CpuState::blocked, BlockKind::lock, 202};
inline constexpr ThreadState receiving{GilState::released, CpuState::blocked, BlockKind::io, 45};

/// A run that never was. A thread in eight computes and uses its whole time slice; the others wake
/// up now and then, need the GIL for a millisecond, and go back to sleep. States are looked at
/// every millisecond, stacks every ten. The same arguments give the same events.
class Simulation {
 public:
  Simulation(SampleSink& sink, int threads, int slice) : sink_(sink), names_(sink), slice_(slice) {
    threads_.resize(static_cast<std::size_t>(threads));
  }

  void run(int milliseconds) {
    start();
    for (now_ = 0; now_ < milliseconds; ++now_) tick();
    send(Progress{at(), static_cast<std::uint64_t>(now_)});
    send(ProcessEnded{at(), pid, EndReason::target_ended});
  }

 private:
  static constexpr Pid pid{1000};
  static constexpr GilId gil{0};

  struct Thread {
    Tid tid;
    bool computes = false;
    int wakes = 0;
    int runs_until = 0;
    ThreadState state;
    std::vector<StackId> stacks;
  };

  void send(const Event& event) { sink_.accept(event); }
  [[nodiscard]] Time at() const { return time_from_ns(1'000'000'000'000 + now_ * 1'000'000LL); }

  void start() {
    send(ProcessStarted{at(), pid, "python server.py", "3.12.1", false, true, 0, 8, 1000, 100,
                        std::chrono::milliseconds{5}});
    send(GilDefined{gil, pid, names_.string("main")});
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      Thread& thread = threads_[i];
      thread.tid = Tid{1000 + static_cast<int>(i)};
      thread.computes = i % 8 == 0;
      thread.wakes = random(100);
      const std::string name = (thread.computes ? "compute-" : "request-") + std::to_string(i);
      send(ThreadSeen{at(), pid, thread.tid, names_.string(name), true, gil});
      make_stacks(thread);
      change(thread, receiving);
    }
  }

  /// Forty stacks, eight to twenty frames deep, most of whose callers are common.
  void make_stacks(Thread& thread) {
    for (int i = 0; i < 40; ++i) {
      StackId stack = empty_stack;
      const int depth = 8 + random(12);
      for (int level = 0; level < depth; ++level) {
        const int which = level < 6 ? level : random(60);
        const std::string function =
            (thread.computes ? "step_" : "handle_") + std::to_string(which);
        const CodeId code =
            names_.code(function, "/srv/app/module_" + std::to_string(which % 9) + ".py", 10);
        stack = names_.stack(stack, code, 10U + static_cast<std::uint32_t>(which));
      }
      thread.stacks.push_back(stack);
    }
  }

  void tick() {
    for (Thread& thread : threads_) {
      if (thread.state == receiving && now_ >= thread.wakes) {
        change(thread, waiting);
        queue_.push_back(&thread);
      }
    }
    if (holder_ != nullptr && now_ >= holder_->runs_until &&
        (!queue_.empty() || !holder_->computes)) {
      let_go();
    }
    if (holder_ == nullptr && !queue_.empty()) take();
    if (now_ % 10 == 0) sample();
    if (now_ % 1000 == 0) send(Progress{at(), static_cast<std::uint64_t>(now_)});
  }

  void let_go() {
    if (holder_->computes) {
      change(*holder_, waiting);
      queue_.push_back(holder_);
    } else {
      change(*holder_, receiving);
      holder_->wakes = now_ + 20 + random(400);
    }
    holder_ = nullptr;
    if (queue_.empty()) send(GilChanged{at(), gil, no_thread, true, 0});
  }

  void take() {
    holder_ = queue_.front();
    queue_.pop_front();
    holder_->runs_until = now_ + (holder_->computes ? slice_ : 1);
    change(*holder_, holding);
    send(GilChanged{at(), gil, holder_->tid, true, 1});
  }

  void sample() {
    for (const Thread& thread : threads_) {
      // Who sleeps sleeps in one place; who holds the GIL may be anywhere.
      const auto which = thread.state == holding ? random(40) : 0;
      send(StackSampled{at(), thread.tid, thread.stacks[static_cast<std::size_t>(which)]});
    }
  }

  void change(Thread& thread, ThreadState state) {
    if (thread.state == state) return;
    thread.state = state;
    send(StateChanged{at(), thread.tid, state});
  }

  int random(int below) { return static_cast<int>(engine_() % static_cast<unsigned>(below)); }

  SampleSink& sink_;
  Interner names_;
  int slice_;
  std::vector<Thread> threads_;
  std::deque<Thread*> queue_;
  Thread* holder_ = nullptr;
  int now_ = 0;
  std::mt19937 engine_{1};  // always the same numbers
};

}  // namespace gilspy::bench

#include <fmt/format.h>

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>

#include "commands.h"
#include "find_target.h"
#include "gilspy/base/failure.h"
#include "gilspy/model/tables.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/sample/sampler.h"

namespace gilspy {
namespace {

using Json = nlohmann::ordered_json;

/// Ticks before the one that is shown: a waiter that was just woken is told from a runner by what
/// was seen before.
constexpr int ticks_before = 8;

struct DumpOptions {
  Pid pid;
  bool json = false;
  bool native = false;
};

/// Keeps the last that was said of each thread.
class LastLook : public SampleSink {
 public:
  struct Thread {
    std::string name;
    ThreadState state;
    std::optional<StackId> stack;
    bool python = false;
  };

  void accept(const Event& event) override {
    tables.accept(event);
    if (const auto* process_event = std::get_if<ProcessStarted>(&event)) {
      process = *process_event;
    } else if (const auto* seen = std::get_if<ThreadSeen>(&event)) {
      threads[seen->tid].name = tables.string(seen->name);
      threads[seen->tid].python = seen->python;
    } else if (const auto* gone = std::get_if<ThreadGone>(&event)) {
      threads.erase(gone->tid);
    } else if (const auto* changed = std::get_if<StateChanged>(&event)) {
      threads[changed->tid].state = changed->state;
    } else if (const auto* sampled = std::get_if<StackSampled>(&event)) {
      threads[sampled->tid].stack = sampled->stack;
    }
  }

  ProcessStarted process;
  Tables tables;
  std::map<Tid, Thread> threads;
};

Json stack_json(const Tables& tables, StackId stack) {
  Json frames = Json::array();
  const auto nodes = tables.frames(stack);
  for (const auto& node : std::views::reverse(nodes)) {
    frames.push_back({{"function", tables.function_of(node)},
                      {"file", tables.file_of(node)},
                      {"line", node.line}});
  }
  return frames;
}

void print_json(const LastLook& look) {
  Json threads = Json::array();
  for (const auto& [tid, thread] : look.threads) {
    Json row{{"tid", tid.value},
             {"name", thread.name},
             {"gil", name_of(thread.state.gil)},
             {"cpu", name_of(thread.state.cpu)}};
    if (thread.state.cpu == CpuState::blocked) {
      row["kind"] = name_of(thread.state.kind);
      row["syscall"] = syscall_name(thread.state.syscall);
    }
    if (thread.state.attachment != Attachment::none) {
      row["attachment"] = name_of(thread.state.attachment);
    }
    if (thread.stack) row["stack"] = stack_json(look.tables, *thread.stack);
    threads.push_back(std::move(row));
  }
  const Json all{{"pid", look.process.pid.value},
                 {"python", look.process.python},
                 {"command", look.process.command},
                 {"threads", std::move(threads)}};
  std::cout << all.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string_view free_threading(const ProcessStarted& process) {
  if (!process.free_threaded) return "";
  return process.gil_enabled == false ? " free-threaded, GIL off" : " free-threaded, GIL on";
}

void print_text(const LastLook& look) {
  std::string text =
      fmt::format("Process {}, CPython {}{}: {}\n", look.process.pid.value, look.process.python,
                  free_threading(look.process), look.process.command);
  for (const auto& [tid, thread] : look.threads) {
    text += fmt::format("\n{} ({}): {}\n", thread.name, tid.value, describe(thread.state));
    if (!thread.stack) continue;
    const auto nodes = look.tables.frames(*thread.stack);
    for (const auto& node : std::views::reverse(nodes)) {
      const bool has_line = !look.tables.is_native(node) || node.line != 0;
      const std::string line = has_line ? fmt::format(":{}", node.line) : "";
      text += fmt::format("    {} ({}{})\n", look.tables.function_of(node),
                          look.tables.file_of(node), line);
    }
  }
  std::cout << text;
}

int dump(const DumpOptions& options) {
  const FoundTarget found = find_target(options.pid);
  ProcessMemory memory{options.pid};
  LastLook look;
  Interner interner{look};
  SamplerOptions rates;
  // One look is to see everything, however long it takes.
  rates.state_hz = 0;
  rates.native = options.native;
  Sampler sampler{found.process, memory, look, interner, found.target, rates};
  auto outcome = sampler.begin();
  sampler.wait_for_names();
  for (int tick = 0; tick <= ticks_before && outcome == Sampler::Outcome::alive; ++tick) {
    outcome = sampler.tick(tick == ticks_before);
  }
  if (options.native && outcome == Sampler::Outcome::alive) {
    // Which lines are wanted is known since that look.
    sampler.wait_for_names();
    outcome = sampler.tick(true);
  }
  if (outcome != Sampler::Outcome::alive) {
    throw Failure(ExitCode::gone, fmt::format("process {} has ended", options.pid.value));
  }
  options.json ? print_json(look) : print_text(look);
  return 0;
}

}  // namespace

void add_dump(CLI::App& app, int& status) {
  auto options = std::make_shared<DumpOptions>();
  CLI::App* command = app.add_subcommand("dump", "one look: each thread's state and stack");
  command->add_option("-p,--pid", options->pid.value, "the process")->required();
  command->add_flag("--native", options->native, "with the C functions among the Python ones");
  command->add_flag("--json", options->json, "as JSON");
  command->callback([options, &status] { status = dump(*options); });
}

}  // namespace gilspy

#include <fmt/format.h>

#include <array>
#include <iostream>
#include <memory>

#include "commands.h"
#include "find_target.h"
#include "gilspy/base/failure.h"
#include "gilspy/os/access.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/os/trace_access.h"
#include "gilspy/python_offsets/debug_offsets.h"
#include "layout_table.h"

namespace gilspy {
namespace {

struct DoctorOptions {
  Pid pid;
  bool layout = false;
};

/// Prints the checks; returns whether all are good.
bool print_checks(const std::vector<AccessCheck>& checks) {
  bool good = true;
  for (const AccessCheck& check : checks) {
    std::cout << fmt::format("{}  {}: {}\n", check.good ? "ok " : "NO ", check.name, check.finding);
    if (!check.good) std::cout << fmt::format("     fix: {}\n", check.fix);
    good = good && check.good;
  }
  return good;
}

ExitCode diagnose_python(const DoctorOptions& options) {
  try {
    const Target target = find_target(options.pid).target;
    std::cout << fmt::format("ok   Python: CPython {}{} in {} ({}), found by {}\n",
                             target.version.text(),
                             target.layout->free_threaded ? " free-threaded" : "", target.binary,
                             target.kind, target.how);
    for (const std::string& other : target.others) {
      std::cout << fmt::format("     not watched: {}, in the same process\n", other);
    }
    const Layout& table = *layout_for(target.version, target.layout->free_threaded);
    std::cout << fmt::format("ok   layout: {}{}\n", target.layout_from,
                             moved_fields(table, *target.layout));
    if (options.layout)
      std::cout << layout_table(std::array{table, *target.layout}, {"table", "used"});
    return ExitCode::ok;
  } catch (const Failure& failure) {
    std::cout << fmt::format("NO   Python: {}\n", failure.what());
    return failure.code();
  }
}

int doctor(const DoctorOptions& options) {
  const bool machine_good = print_checks(check_machine());
  // Sampling works without them.
  print_checks(check_tracing());
  if (options.pid.value == 0) {
    if (options.layout) std::cout << layout_table(all_layouts(), layout_names(all_layouts()));
    std::cout << (machine_good ? "gilspy can attach to your processes here.\n"
                               : "gilspy cannot attach here before this is fixed.\n");
    return static_cast<int>(machine_good ? ExitCode::ok : ExitCode::permission);
  }
  const auto process = ProcDir::open(options.pid);
  if (!process || !process->alive()) {
    throw Failure(ExitCode::gone, fmt::format("there is no process {}; find it: pgrep -a python",
                                              options.pid.value));
  }
  const bool process_good = print_checks(check_process(*process));
  ExitCode result = machine_good && process_good ? ExitCode::ok : ExitCode::permission;
  if (read_access(*process) == Access::allowed) result = diagnose_python(options);
  std::cout << (result == ExitCode::ok
                    ? fmt::format("gilspy can attach: gilspy attach --pid {}\n", options.pid.value)
                    : std::string("gilspy cannot attach to it.\n"));
  return static_cast<int>(result);
}

}  // namespace

void add_doctor(CLI::App& app, int& status) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command =
      app.add_subcommand("doctor", "can gilspy attach? if not, why, and what fixes it");
  command->add_option("-p,--pid", options->pid.value, "a process to check");
  command->add_flag("--layout", options->layout,
                    "every struct field: where the process has it, or where each version has it");
  command->callback([options, &status] { status = doctor(*options); });
}

}  // namespace gilspy

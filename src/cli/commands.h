#pragma once

#include <CLI/CLI.hpp>

namespace gilspy {

/// Each subcommand adds itself to the parser and, when it was called, stores what main returns.
/// All throw Failure with an exit status for anything that goes wrong.
void add_record(CLI::App& app, int& status);
void add_attach(CLI::App& app, int& status);
void add_top(CLI::App& app, int& status);
void add_report(CLI::App& app, int& status);
void add_diff(CLI::App& app, int& status);
void add_dump(CLI::App& app, int& status);
void add_doctor(CLI::App& app, int& status);

}  // namespace gilspy

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "commands.h"
#include "gilspy/base/failure.h"
#include "gilspy/os/open_files.h"
#include "gilspy/profile/version.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{
      "Is it the GIL? Watches a running CPython from outside: who holds the GIL, who waits."};
  app.set_version_flag("--version", fmt::format("gilspy {}", gilspy::version));
  app.require_subcommand(1);
  app.fallthrough(false);
  int status = 0;
  gilspy::add_record(app, status);
  gilspy::add_attach(app, status);
  gilspy::add_top(app, status);
  gilspy::add_dump(app, status);
  gilspy::add_report(app, status);
  gilspy::add_diff(app, status);
  gilspy::add_doctor(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& shown) {
    return app.exit(shown);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "gilspy: {} (see gilspy --help)\n", error.what());
    return static_cast<int>(gilspy::ExitCode::usage);
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  gilspy::make_room_for_files();
  try {
    return run(argc, argv);
  } catch (const gilspy::Failure& failure) {
    fmt::print(stderr, "gilspy: {}\n", failure.what());
    return static_cast<int>(failure.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "gilspy: unexpected: {}\n", error.what());
    return static_cast<int>(gilspy::ExitCode::other);
  }
}

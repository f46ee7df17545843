#include "output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "gilspy/base/failure.h"
#include "gilspy/report/page.h"
#include "gilspy/report/summary.h"

namespace gilspy {
namespace {

struct Format {
  std::string_view name;
  const Exporter& (*exporter)();
  std::string_view ending;  ///< a file name that ends so means this format; one more, one more row
  bool binary = false;      ///< nothing for a terminal
};

/// Longer endings first: the first that fits wins.
constexpr std::array formats{
    Format{"speedscope", &speedscope_exporter, ".speedscope.json"},
    Format{"chrome", &chrome_exporter, ".trace.json"},
    Format{"gecko", &gecko_exporter, ".gecko.json"},
    Format{"json", &json_exporter, ".json"},
    Format{"perfetto", &perfetto_exporter, ".pftrace", true},
    Format{"perfetto", &perfetto_exporter, ".perfetto-trace", true},
    Format{"pprof", &pprof_exporter, ".pb.gz", true},
    Format{"flamegraph", &flamegraph_exporter, ".svg"},
    Format{"html", &html_exporter, ".html"},
    Format{"collapsed", &collapsed_exporter, ".collapsed"},
    Format{"csv", &csv_exporter, ".csv"},
    Format{"summary", &summary_exporter, ".txt"},
};

std::string format_names() {
  std::string names;
  std::string_view last;
  for (const Format& format : formats) {
    if (format.name == last) continue;
    last = format.name;
    if (!names.empty()) names += ", ";
    names += format.name;
  }
  return names;
}

const Format& chosen_format(const OutputOptions& options) {
  for (const Format& format : formats) {
    if (options.format.empty() ? options.file.ends_with(format.ending)
                               : options.format == format.name) {
      return format;
    }
  }
  if (!options.format.empty()) {
    throw Failure(ExitCode::usage, fmt::format("unknown format '{}'; there are: {}", options.format,
                                               format_names()));
  }
  if (!options.file.empty()) {
    throw Failure(ExitCode::usage,
                  fmt::format("cannot tell the format from the name '{}'; say it with -f: {}",
                              options.file, format_names()));
  }
  return formats.back();
}

/// Colour on a terminal only, and not against the user's word (https://no-color.org).
bool wants_color() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view{term} != "dumb");
}

}  // namespace

void add_output_file(CLI::App& command, std::string& file) {
  command.add_option("-o,--output", file, "write the result here instead of to stdout (-)")
      ->transform([](const std::string& given) { return given == "-" ? std::string{} : given; });
}

void add_output_options(CLI::App& command, OutputOptions& options) {
  add_output_file(command, options.file);
  command.add_option("-f,--format", options.format, "one of: " + format_names());
  command
      .add_option("--weight", options.weight,
                  "what a flame graph's width means: hold, wait, blame, cpu or wall")
      ->capture_default_str();
}

void check_folder_of(const std::string& file) {
  const auto folder = std::filesystem::path{file}.parent_path();
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return;
  throw Failure(ExitCode::usage,
                fmt::format("the folder of '{}' does not exist; make it first: mkdir -p '{}'", file,
                            folder.string()));
}

void check_output(const OutputOptions& options) {
  const Format& format = chosen_format(options);
  if (format.binary && options.file.empty() && ::isatty(STDOUT_FILENO) == 1) {
    throw Failure(ExitCode::usage,
                  fmt::format("{} is not for a terminal: name a file with -o, or send it on with |",
                              format.name));
  }
  static_cast<void>(weight_for(options.weight));
  if (!options.file.empty()) check_folder_of(options.file);
}

void write_output(const Profile& profile, const OutputOptions& options) {
  const Exporter& exporter = chosen_format(options).exporter();
  const ExportOptions how{weight_for(options.weight), options.file.empty() && wants_color()};
  write_to(options.file, [&](std::ostream& out) { exporter.write(profile, how, out); });
}

Weight weight_for(const std::string& name) {
  if (const auto weight = weight_named(name)) return *weight;
  throw Failure(ExitCode::usage,
                fmt::format("unknown weight '{}'; there are: hold, wait, blame, cpu, wall", name));
}

void write_to(const std::string& file, const std::function<void(std::ostream&)>& write) {
  if (file.empty()) {
    write(std::cout);
    std::cout.flush();
    if (!std::cout) throw Failure(ExitCode::other, "cannot write to stdout");
    return;
  }
  std::ofstream out(file, std::ios::binary);
  if (out) write(out);
  out.close();
  if (!out) {
    throw Failure(ExitCode::other,
                  fmt::format("cannot write '{}': {}", file, std::strerror(errno)));
  }
}

}  // namespace gilspy

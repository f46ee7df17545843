#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>
#include <string>

#include "gilspy/export/exporter.h"

namespace gilspy {

/// Adds -o. "-" is stdout, as it is for other programs.
void add_output_file(CLI::App& command, std::string& file);

/// Where results go and in which format.
struct OutputOptions {
  std::string file;    ///< empty: stdout
  std::string format;  ///< empty: guessed from `file`, else summary
  std::string weight = "wall";
};

void add_output_options(CLI::App& command, OutputOptions& options);

/// Throws Failure(usage) when the format or weight is unknown, the output's folder is not there, or
/// bytes would go to a terminal: before a long run rather than after it.
void check_output(const OutputOptions& options);

/// Writes the profile as asked. Throws Failure(other) when it cannot be written.
void write_output(const Profile& profile, const OutputOptions& options);

/// The weight of this name. Throws Failure(usage) when there is none.
[[nodiscard]] Weight weight_for(const std::string& name);

/// Gives `write` the file, or stdout when its name is empty. Throws Failure(other) when it cannot
/// be written.
void write_to(const std::string& file, const std::function<void(std::ostream&)>& write);

/// Throws Failure(usage) when a file cannot be made there because its folder does not exist.
void check_folder_of(const std::string& file);

}  // namespace gilspy

#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gilspy/locate/target.h"
#include "gilspy/recording/writer.h"
#include "gilspy/sample/run.h"
#include "output.h"
#include "terminal_line.h"

/// What `record` and `attach` share.
namespace gilspy {

struct SessionOptions {
  OutputOptions output;
  std::string recording;  ///< empty: kept only until the report is written
  std::optional<double> seconds;
  std::string rate;                  ///< empty: default_rate, for the first minute
  std::string stack_rate;            ///< likewise
  std::optional<double> cpu_budget;  ///< percent of a core
  bool native = false;
  bool consistent = false;
  bool exact = false;
  bool quiet = false;
};

/// How often to look, and how much that may cost: what `top` shares with the two as well.
void add_rate_options(CLI::App& command, SessionOptions& options);
void add_session_options(CLI::App& command, SessionOptions& options);

/// Throws Failure(usage) for anything that would only fail after the run.
void check_session(const SessionOptions& options);

[[nodiscard]] RunOptions run_options(const SessionOptions& options);

/// The recording a session writes: named by the user, or an unnamed temporary file.
class SessionRecording {
 public:
  explicit SessionRecording(const SessionOptions& options);

  [[nodiscard]] SampleSink& sink() { return writer_; }
  /// Ends the recording and writes the report from it. Returns false when no sample was taken.
  bool report(const SessionOptions& options);

 private:
  SessionRecording(const SessionOptions& options, UniqueFd file);
  UniqueFd reader_;  // the same open file
  RecordingWriter writer_;
};

/// Samples one Python until the run ends or the process becomes another program. The interner is
/// the sink's.
[[nodiscard]] EndReason sample_target(const ProcDir& process, const Target& target,
                                      SampleSink& sink, Interner& interner,
                                      const RunOptions& options, const std::vector<Watch>& watches);

/// Where `place` may show how the run goes: nowhere with -q.
[[nodiscard]] TerminalLine::Place progress_place(const SessionOptions& options,
                                                 TerminalLine::Place place);

/// Tells the user something that is not a result; silent with -q.
void say(const SessionOptions& options, const std::string& message);

}  // namespace gilspy

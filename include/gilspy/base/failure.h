#pragma once

#include <stdexcept>
#include <string>

namespace gilspy {

/// gilspy's exit statuses; scripts rely on them.
enum class ExitCode : int {
  ok = 0,
  other = 1,
  usage = 2,
  unsupported = 3,  ///< not a Python, or not a supported one
  permission = 4,
  gone = 5,  ///< no such process, or gone before a first sample
};

/// Thrown in set-up only and caught once in main: one line that names the cause and the next step.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace gilspy

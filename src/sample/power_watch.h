#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gilspy/base/time.h"
#include "gilspy/python/gil.h"

namespace gilspy {

/// Follows how the GIL of a free-threaded build goes on and off, and puts it into words.
class PowerWatch {
 public:
  /// The module that an import in progress loads; nothing when none is seen.
  using FindImport = std::function<std::optional<std::string>()>;

  /// What to note of the change since the tick before, if it is worth it.
  [[nodiscard]] std::optional<std::string> follow(Time at, GilMoment::Power now,
                                                  const FindImport& find_import);

 private:
  std::optional<GilMoment::Power> last_;
  Time since_;
  std::optional<std::string> import_;  ///< for which the GIL went on
};

}  // namespace gilspy

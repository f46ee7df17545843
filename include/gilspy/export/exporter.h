#pragma once

#include <iosfwd>
#include <optional>
#include <span>
#include <string_view>

#include "gilspy/profile/profile.h"

namespace gilspy {

struct ExportOptions {
  Weight weight = Weight::wall;
  bool color = false;  ///< ANSI colours; only the summary knows what to do with it
};

/// One output format. Sees a finished Profile, never a process or a recording.
class Exporter {
 public:
  Exporter() = default;
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;
  virtual ~Exporter() = default;

  virtual void write(const Profile& profile, const ExportOptions& options,
                     std::ostream& out) const = 0;
};

[[nodiscard]] const Exporter& chrome_exporter();
[[nodiscard]] const Exporter& speedscope_exporter();
[[nodiscard]] const Exporter& collapsed_exporter();
[[nodiscard]] const Exporter& flamegraph_exporter();
[[nodiscard]] const Exporter& json_exporter();
[[nodiscard]] const Exporter& csv_exporter();
[[nodiscard]] const Exporter& gecko_exporter();
[[nodiscard]] const Exporter& perfetto_exporter();
[[nodiscard]] const Exporter& pprof_exporter();

}  // namespace gilspy

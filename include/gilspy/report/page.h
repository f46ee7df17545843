#pragma once

#include "gilspy/export/exporter.h"

namespace gilspy {

/// The report page: one HTML file that fetches nothing. It carries the recording's intervals and
/// stacks, compressed and coarse enough to stay below 20 MB, and computes every figure of a
/// selected range from them. docs/report-page.md says what is inside.
[[nodiscard]] const Exporter& html_exporter();

}  // namespace gilspy

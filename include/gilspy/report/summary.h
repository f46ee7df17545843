#pragma once

#include "gilspy/export/exporter.h"

namespace gilspy {

/// The terminal summary: verdict, figures, a row per thread, the worst blockers.
[[nodiscard]] const Exporter& summary_exporter();

}  // namespace gilspy

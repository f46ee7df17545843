#pragma once

#include "gilspy/model/ids.h"

namespace gilspy::bench {

/// Registers the benchmarks that read this running Python. False, with a message, when it cannot be
/// read.
[[nodiscard]] bool add_live_pieces(Pid pid);

}  // namespace gilspy::bench

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "find_target.h"
#include "gilspy/sample/run.h"

namespace gilspy {

/// Waits until a program that was just launched, or a child of it (a wrapper such as uv or a shell
/// has its Python as one), is a Python that can be sampled. Nothing when a watch ended the wait;
/// `why` then says what the program was instead, if it was seen at all.
[[nodiscard]] std::optional<FoundTarget> wait_for_python(Pid program,
                                                         const std::vector<Watch>& watches,
                                                         std::string& why);

}  // namespace gilspy

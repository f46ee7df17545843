#pragma once

#include "gilspy/native/code_map.h"

namespace gilspy {

/// Whether the instruction before `back` calls exactly this function: by its address, by way of a
/// procedure linkage table, or by a pointer that the dynamic loader has filled in. Of a call by any
/// other pointer nobody knows.
[[nodiscard]] bool is_call_to(CodeMap& code, RemoteAddress back, RemoteAddress function);

}  // namespace gilspy

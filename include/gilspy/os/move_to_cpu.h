#pragma once

namespace gilspy {

/// Brings this thread to that CPU. It may be moved on from there: where it may run is as before.
/// False where it may not run there.
bool move_to_cpu(int cpu);

/// Brings this thread to another CPU than the one it is on, likewise. False where there is none
/// that it may run on.
bool leave_cpu();

}  // namespace gilspy

#pragma once

namespace gilspy {

/// Has the kernel make room for some thousands of open files at once, as far as the limit allows:
/// the files of a target's threads. It does that anyway when they are opened, step by step; but of
/// a process that has several threads by then it waits each time until all CPUs have come by
/// (fs/file.c, expand_fdtable), which takes 5 to 30 ms. So this has to come before the first thread
/// is started.
void make_room_for_files();

/// Lets this process have as many open files as it ever may. What it starts from then on may as
/// well, and may not be made for that: select(2).
void allow_many_files();

}  // namespace gilspy

#include "gilspy/native/merge.h"

#include <algorithm>
#include <ranges>

namespace gilspy {
namespace {

/// Indices of the native functions to show between two eval loops, from the top down.
using Segment = std::vector<std::size_t>;

/// What is above the topmost eval loop, between it and the next, ..., below the lowest.
std::vector<Segment> segments_of(std::span<const NativeRole> native) {
  std::vector<Segment> segments(1);
  bool on_top = true;
  for (std::size_t i = 0; i < native.size(); ++i) {
    switch (native[i]) {
      case NativeRole::plain: segments.back().push_back(i); break;
      case NativeRole::eval_loop: segments.emplace_back(); break;
      case NativeRole::machinery: break;
      case NativeRole::nameless:
        if (on_top) segments.back().push_back(i);
        break;
      case NativeRole::gil_wait: segments.back().clear(); break;
    }
    on_top = on_top && native[i] == NativeRole::nameless;
  }
  return segments;
}

void put_native(const Segment& segment, std::vector<MergedFrame>& frames) {
  for (const std::size_t i : std::views::reverse(segment)) frames.push_back({true, i});
}

void put_python(std::size_t begin, std::size_t end, std::vector<MergedFrame>& frames) {
  for (std::size_t i = begin; i < end; ++i) frames.push_back({false, i});
}

}  // namespace

Merged merge_stacks(std::span<const NativeRole> native, bool whole,
                    const std::vector<bool>& from_c) {
  Merged merged;
  const std::vector<Segment> segments = segments_of(native);
  const std::size_t loops = segments.size() - 1;
  // Where each loop's Python functions begin, the outermost loop's first.
  std::vector<std::size_t> runs;
  for (std::size_t i = 0; i < from_c.size(); ++i) {
    if (i == 0 || from_c[i]) runs.push_back(i);
  }
  merged.aligned = whole ? loops == runs.size() : loops <= runs.size();
  if (!merged.aligned) {
    put_python(0, from_c.size(), merged.frames);
    // Without any loop there is nothing to tell what is called by Python.
    if (loops > 0) put_native(segments.front(), merged.frames);
    return merged;
  }
  const std::size_t hidden = runs.size() - loops;  // loops below what was unwound
  put_python(0, hidden < runs.size() ? runs[hidden] : from_c.size(), merged.frames);
  // Below the lowest loop that was found there is either the thread's beginning, or what leads from
  // the hidden loops to it.
  put_native(segments.back(), merged.frames);
  for (std::size_t run = hidden; run < runs.size(); ++run) {
    put_python(runs[run], run + 1 < runs.size() ? runs[run + 1] : from_c.size(), merged.frames);
    put_native(segments[runs.size() - 1 - run], merged.frames);
  }
  return merged;
}

}  // namespace gilspy

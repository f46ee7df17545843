#include "recordings.h"

#include <fmt/format.h>

#include <fstream>

#include "gilspy/base/failure.h"
#include "gilspy/profile/profile_builder.h"
#include "gilspy/recording/reader.h"

namespace gilspy {

Profile read_recording(const std::string& file, const TimeRange& range) {
  std::ifstream recording(file, std::ios::binary);
  if (!recording) {
    throw Failure(ExitCode::other, fmt::format("cannot read the recording '{}'", file));
  }
  const bool whole_run = range.from == Duration{} && !range.to;
  ProfileBuilder builder;
  TimeCut cut{range, builder};
  ReplayResult result;
  try {
    result = whole_run ? replay(recording, builder) : replay(recording, cut);
  } catch (const Failure& failure) {
    throw Failure(failure.code(), fmt::format("'{}': {}", file, failure.what()));
  }
  cut.finish();
  if (!result.whole) {
    fmt::print(stderr, "gilspy: '{}' is not whole ({}); reporting what is there\n", file,
               result.problem);
  }
  if (!whole_run && cut.length() <= range.from) {
    throw Failure(ExitCode::usage,
                  fmt::format("'{}' is {:.3f} s long: nothing is left from {:g} s on", file,
                              to_seconds(cut.length()), to_seconds(range.from)));
  }
  return builder.profile();
}

}  // namespace gilspy

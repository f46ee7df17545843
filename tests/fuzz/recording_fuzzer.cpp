#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "gilspy/base/failure.h"
#include "gilspy/model/tables.h"
#include "gilspy/recording/reader.h"
#include "recording/raw_recording.h"

namespace gilspy {
namespace {

void replay_bytes(const std::string& bytes) {
  std::istringstream stream{bytes};
  Tables tables;
  const ReplayResult result = replay(stream, tables);
  if (result.whole != result.problem.empty()) std::abort();
}

}  // namespace
}  // namespace gilspy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input{reinterpret_cast<const char*>(data), size};
  try {
    gilspy::replay_bytes(input);
  } catch (const gilspy::Failure&) {
    // Not a recording: the right answer to most inputs.
  }
  // No mutation gets past the checksum by luck, so the input also goes in as a payload behind it.
  gilspy::replay_bytes(gilspy::testing::raw_header() + gilspy::testing::raw_frame(input));
  return 0;
}

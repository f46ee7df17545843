#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "format.h"
#include "wire.h"

namespace gilspy::recording {

/// Turns the payloads of a recording's frames, in their order, back into events.
class Decoder {
 public:
  /// All events of a payload, or what is wrong with it: "holds ...", for people. After a problem
  /// the frames that follow cannot be decoded.
  [[nodiscard]] tl::expected<std::vector<Event>, std::string_view> decode(Bytes payload);

 private:
  std::int64_t latest_ns_ = 0;  ///< of the frames so far
};

}  // namespace gilspy::recording

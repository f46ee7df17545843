#pragma once

#include <zstd.h>

#include <cstddef>
#include <istream>
#include <memory>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "wire.h"

namespace gilspy::recording {

/// Makes frames: compressed payloads with their sizes and a checksum in front.
class FrameSealer {
 public:
  FrameSealer();

  /// The frame around a payload; good until the next call.
  [[nodiscard]] Bytes seal(Bytes payload);

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> compressor_;
  std::vector<std::byte> frame_;
};

/// Takes frames off a stream and opens them.
class FrameReader {
 public:
  explicit FrameReader(std::istream& stream);

  /// True: payload() is that of the next frame. False: the stream ended after the last one.
  /// Else what is wrong with the frame, for people: "is cut short ...".
  [[nodiscard]] tl::expected<bool, std::string_view> next();

  [[nodiscard]] Bytes payload() const { return payload_; }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  /// How many of `size` bytes there were.
  [[nodiscard]] std::size_t fill(std::vector<std::byte>& buffer, std::size_t size);
  [[nodiscard]] std::string_view why_short() const;

  std::istream& stream_;
  std::unique_ptr<ZSTD_DCtx, Free> decompressor_;
  std::vector<std::byte> header_;
  std::vector<std::byte> stored_;
  std::vector<std::byte> payload_;
};

}  // namespace gilspy::recording

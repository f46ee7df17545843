#include "frame.h"

#include <zlib.h>

#include <algorithm>
#include <new>

#include "format.h"

namespace gilspy::recording {
namespace {

constexpr int compression_level = 3;
constexpr std::size_t max_stored_size = ZSTD_COMPRESSBOUND(max_payload_size);
constexpr std::size_t sizes_size = frame_header_size - sizeof(std::uint32_t);

uLong continue_checksum(uLong checksum, Bytes bytes) {
  return crc32_z(checksum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

/// Over the two sizes as they stand in the file, and the stored payload.
std::uint32_t checksum_of(Bytes sizes, Bytes stored) {
  return static_cast<std::uint32_t>(continue_checksum(continue_checksum(0, sizes), stored));
}

template <class Context>
Context* or_bad_alloc(Context* context) {
  if (context == nullptr) throw std::bad_alloc{};
  return context;
}

}  // namespace

FrameSealer::FrameSealer() : compressor_(or_bad_alloc(ZSTD_createCCtx())) {}

Bytes FrameSealer::seal(Bytes payload) {
  frame_.resize(frame_header_size + ZSTD_compressBound(payload.size()));
  const std::size_t size = ZSTD_compressCCtx(compressor_.get(), frame_.data() + frame_header_size,
                                             frame_.size() - frame_header_size, payload.data(),
                                             payload.size(), compression_level);
  // The room suffices, so only the compressor's own memory can be missing.
  if (ZSTD_isError(size) != 0) throw std::bad_alloc{};

  std::vector<std::byte> header;
  put_u32(header, static_cast<std::uint32_t>(size));
  put_u32(header, static_cast<std::uint32_t>(payload.size()));
  const Bytes stored = Bytes{frame_}.subspan(frame_header_size, size);
  put_u32(header, checksum_of(header, stored));
  std::ranges::copy(header, frame_.begin());
  return Bytes{frame_}.first(frame_header_size + size);
}

FrameReader::FrameReader(std::istream& stream)
    : stream_(stream), decompressor_(or_bad_alloc(ZSTD_createDCtx())) {}

tl::expected<bool, std::string_view> FrameReader::next() {
  const std::size_t got = fill(header_, frame_header_size);
  if (got == 0 && stream_.eof()) return false;
  if (got < frame_header_size) return tl::make_unexpected(why_short());

  WireReader header{header_};
  const std::size_t stored_size = header.u32();
  const std::size_t payload_size = header.u32();
  const std::uint32_t checksum = header.u32();
  // Before anything is allocated or read by these sizes.
  if (stored_size > max_stored_size || payload_size > max_payload_size) {
    return tl::make_unexpected("is damaged (impossible size)");
  }
  if (fill(stored_, stored_size) < stored_size) return tl::make_unexpected(why_short());
  if (checksum_of(Bytes{header_}.first(sizes_size), stored_) != checksum) {
    return tl::make_unexpected("is damaged (wrong checksum)");
  }
  payload_.resize(payload_size);
  const std::size_t size = ZSTD_decompressDCtx(decompressor_.get(), payload_.data(), payload_size,
                                               stored_.data(), stored_size);
  if (ZSTD_isError(size) != 0 || size != payload_size) {
    return tl::make_unexpected("is damaged (it does not decompress)");
  }
  return true;
}

std::size_t FrameReader::fill(std::vector<std::byte>& buffer, std::size_t size) {
  buffer.resize(size);
  stream_.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(size));
  return static_cast<std::size_t>(stream_.gcount());
}

std::string_view FrameReader::why_short() const {
  return stream_.bad() ? "cannot be read (input error)"
                       : "is cut short, as when gilspy is killed while it writes";
}

}  // namespace gilspy::recording

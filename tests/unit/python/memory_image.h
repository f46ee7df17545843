#pragma once

#include <zstd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "fake_memory.h"
#include "gilspy/base/bytes.h"
#include "gilspy/python_offsets/version.h"

namespace gilspy::testing {

/// What gilspy read of one real target at one moment, made by tests/fixtures/images/make.py. In the
/// file, compressed with zstd: the version as in sys.hexversion, free-threaded or not, where
/// _PyRuntime is, the number of thread ids and these, and for every piece of memory its address,
/// its size and its bytes. All numbers are of 64 bits, little-endian.
struct MemoryImage {
  Version version;
  bool free_threaded = false;
  RemoteAddress runtime;
  std::vector<std::int32_t> tids;
  std::map<std::uint64_t, std::vector<std::byte>> pieces;

  /// Adds what was read; pieces that touch or overlap become one.
  void add(RemoteAddress from, std::span<const std::byte> bytes) {
    std::uint64_t begin = from.value();
    std::vector<std::byte> merged{bytes.begin(), bytes.end()};
    for (auto next = first_touching(begin);
         next != pieces.end() && next->first <= begin + merged.size();) {
      const std::uint64_t end = begin + merged.size();
      const std::uint64_t next_end = next->first + next->second.size();
      if (next->first < begin) {
        merged.insert(merged.begin(), next->second.begin(),
                      next->second.begin() + static_cast<std::ptrdiff_t>(begin - next->first));
        begin = next->first;
      }
      if (next_end > end) {
        merged.insert(merged.end(),
                      next->second.end() - static_cast<std::ptrdiff_t>(next_end - end),
                      next->second.end());
      }
      next = pieces.erase(next);
    }
    pieces.emplace(begin, std::move(merged));
  }

  void put_into(FakeMemory& memory) const {
    for (const auto& [begin, bytes] : pieces) memory.put(RemoteAddress{begin}, bytes);
  }

  void save(const std::string& path) const {
    std::string text;
    const auto number = [&](std::uint64_t value) {
      text.append(reinterpret_cast<const char*>(&value), sizeof(value));
    };
    number(std::uint64_t{version.major} << 24 | std::uint64_t{version.minor} << 16 |
           std::uint64_t{version.micro} << 8);
    number(free_threaded ? 1 : 0);
    number(runtime.value());
    number(tids.size());
    for (const std::int32_t tid : tids) number(static_cast<std::uint64_t>(tid));
    for (const auto& [begin, bytes] : pieces) {
      number(begin);
      number(bytes.size());
      text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    std::string packed(::ZSTD_compressBound(text.size()), '\0');
    packed.resize(::ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 19));
    std::ofstream{path, std::ios::binary} << packed;
  }

  static MemoryImage load(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    const std::string packed{std::istreambuf_iterator<char>{file}, {}};
    std::vector<std::byte> bytes(::ZSTD_getFrameContentSize(packed.data(), packed.size()));
    if (::ZSTD_isError(
            ::ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size())) != 0) {
      throw std::runtime_error("damaged image " + path);
    }
    std::uint64_t at = 0;
    const auto number = [&] {
      const auto value = gilspy::load<std::uint64_t>(bytes, at).value();
      at += sizeof(value);
      return value;
    };
    MemoryImage image;
    image.version = Version::from_hex(number());
    image.free_threaded = number() != 0;
    image.runtime = RemoteAddress{number()};
    image.tids.resize(number());
    for (std::int32_t& tid : image.tids) tid = static_cast<std::int32_t>(number());
    while (at < bytes.size()) {
      const std::uint64_t begin = number();
      const std::uint64_t size = number();
      const auto piece = slice(bytes, at, size).value();
      image.pieces[begin] = {piece.begin(), piece.end()};
      at += size;
    }
    return image;
  }

 private:
  /// The first piece that reaches to an address or lies above it.
  std::map<std::uint64_t, std::vector<std::byte>>::iterator first_touching(std::uint64_t begin) {
    auto next = pieces.lower_bound(begin);
    if (next == pieces.begin()) return next;
    const auto before = std::prev(next);
    return before->first + before->second.size() >= begin ? before : next;
  }
};

}  // namespace gilspy::testing

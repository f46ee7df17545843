#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "gilspy/base/address.h"

namespace gilspy {

/// How often which function was seen called by which, of all stacks that were sure. Where two
/// copies of a frame disagree about whose it is, this can tell which of them belongs to its
/// neighbours.
class KnownCalls {
 public:
  void learn(RemoteAddress caller, RemoteAddress callee) {
    // Code objects that have gone make a wrong choice no more than possible; but they add up.
    if (calls_.size() >= max_calls) calls_.clear();
    ++calls_[key(caller, callee)];
  }
  [[nodiscard]] std::uint32_t times(RemoteAddress caller, RemoteAddress callee) const {
    const auto found = calls_.find(key(caller, callee));
    return found != calls_.end() ? found->second : 0;
  }

 private:
  static constexpr std::size_t max_calls = 65536;

  /// Addresses have 48 bits, of which the lowest four are the same for all objects.
  static std::uint64_t key(RemoteAddress caller, RemoteAddress callee) {
    return (caller.value() * 0x9e3779b97f4a7c15) ^ (callee.value() >> 4);
  }

  std::unordered_map<std::uint64_t, std::uint32_t> calls_;
};

}  // namespace gilspy

#pragma once

#include <string_view>
#include <tl/expected.hpp>

namespace gilspy {

/// What the caller should do about an error; the first question on every hot path.
enum class ErrorClass {
  retry,        ///< torn or transient: try again at the next tick
  drop_thread,  ///< this thread's state cannot be followed any more; the others can
  target_gone,  ///< the process has ended, or become another one by exec
  unsupported,  ///< this target can never be read with what we know
};

/// An error as a value. `what` points at static storage, so making one never allocates.
struct Error {
  ErrorClass kind = ErrorClass::retry;
  std::string_view what;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorClass kind, std::string_view what) {
  return tl::make_unexpected(Error{kind, what});
}

}  // namespace gilspy

#include "frame_writer.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <optional>
#include <utility>

namespace gilspy::recording {
namespace {

/// Starts a thread that no signal is delivered to: those of the process are for the thread that
/// waits for them, and a write that fails is to say so rather than to kill us (SIGPIPE, SIGXFSZ).
template <class Work>
std::thread deaf_thread(Work work) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread{std::move(work)};
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread.native_handle(), "gilspy-writer");
  return thread;
}

/// Returns errno, or 0 when all was written.
int write_all(int file, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (written == 0) {
      return EIO;  // never seen for a non-empty write, and would loop forever
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

FrameWriter::FrameWriter(UniqueFd file, Bytes header)
    : file_(std::move(file)),
      error_(write_all(file_.get(), header)),
      thread_(deaf_thread([this] { work(); })) {}

FrameWriter::~FrameWriter() {
  ending_ = true;
  ++given_;
  given_.notify_all();
  thread_.join();
}

FrameWriter::Payload FrameWriter::empty_payload() {
  Payload payload = spare_.pop().value_or(Payload{});
  payload.clear();
  return payload;
}

void FrameWriter::write(Payload payload) {
  std::uint32_t written = written_;
  while (!waiting_.push(payload)) {
    written_.wait(written);
    written = written_;
  }
  ++given_;
  given_.notify_all();
}

void FrameWriter::finish() const {
  const std::uint32_t given = given_;
  for (std::uint32_t written = written_; written != given; written = written_) {
    written_.wait(written);
  }
}

void FrameWriter::work() {
  while (true) {
    const std::uint32_t given = given_;
    // In this order: what was given before the end came is there.
    const bool ending = ending_;
    std::optional<Payload> payload = waiting_.pop();
    if (!payload) {
      if (ending) return;
      given_.wait(given);
      continue;
    }
    put(*payload);
    static_cast<void>(spare_.push(*payload));
    ++written_;
    written_.notify_all();
  }
}

/// After an error nothing more is written, so that no whole frame follows a torn one.
void FrameWriter::put(const Payload& payload) {
  if (error_ != 0) return;
  try {
    error_ = write_all(file_.get(), sealer_.seal(payload));
  } catch (const std::bad_alloc&) {
    error_ = ENOMEM;
  }
}

}  // namespace gilspy::recording

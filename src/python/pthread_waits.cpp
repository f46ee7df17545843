#include "gilspy/python/pthread_waits.h"

#include <algorithm>

#include "gilspy/base/bytes.h"

namespace gilspy {
namespace {

/// How much of struct pthread is searched, as for PthreadIds.
constexpr std::size_t searched = 1024;
/// A libc that has not told after so many looks at threads that wait has no such mark.
constexpr int most_tries = 64;
/// The handler and its argument are variables of one function: they lie this close together.
constexpr std::uint64_t frame_reach = 512;
/// struct _condvar_cleanup_buffer: uint64_t wseq; pthread_cond_t *cond; ...
constexpr std::uint64_t condition_place = 8;
/// CANCELTYPE_BITMASK of nptl/descr.h.
constexpr std::uint64_t cancelled_at_any_moment = 2;

template <class T>
std::span<std::byte> bytes_of(T& value) {
  return std::as_writable_bytes(std::span{&value, 1});
}

}  // namespace

void PthreadWaits::learn(MemoryReader& memory, std::uint64_t pthread, const GilReader& gil) {
  if (learnt() || tries_ >= most_tries) return;
  ++tries_;
  std::array<std::byte, searched> bytes;
  if (!memory.read(RemoteAddress{pthread}, bytes)) return;
  for (std::uint64_t offset = 0; offset + sizeof(ThreadWords) <= searched; offset += 8) {
    const auto words = load<ThreadWords>(bytes, offset).value_or(ThreadWords{});
    if (words.handler.is_null() || words.handler.value() % alignof(Handler) != 0) continue;
    const auto handler = memory.read_value<Handler>(words.handler);
    if (!handler || handler->argument.value() % 8 != 0) continue;
    const std::uint64_t away = handler->argument - words.handler;
    if (away + frame_reach > 2 * frame_reach) continue;  // on either side
    const auto condition = memory.read_pointer(handler->argument + condition_place);
    if (!condition || !gil.is_cond_address(condition->value())) continue;
    mark_ = Mark{offset, away, (words.cancel_flags & cancelled_at_any_moment) != 0};
    return;
  }
}

PthreadPlace PthreadWaits::place_of(const Mark& mark, const ThreadWords& words, const Found* found,
                                    const GilReader& gil) {
  // A handler of another call may lie where one of the GIL's was: its argument is then another.
  if (found != nullptr && found->handler.argument == words.handler + mark.argument &&
      gil.is_cond_address(found->condition.value())) {
    return PthreadPlace::gil_wait;
  }
  if (!mark.tells_other_calls) return PthreadPlace::elsewhere;
  return (words.cancel_flags & cancelled_at_any_moment) != 0 ? PthreadPlace::other_call
                                                             : PthreadPlace::elsewhere;
}

void PthreadWaits::look(MemoryReader& memory, std::span<Question> questions) {
  for (Question& question : questions) question.place = PthreadPlace::unknown;
  if (!mark_ || questions.empty()) return;
  const Mark mark = *mark_;
  words_.assign(questions.size(), {});
  slots_.clear();
  for (std::size_t i = 0; i < questions.size(); ++i) {
    slots_.push_back({RemoteAddress{questions[i].pthread + mark.offset}, bytes_of(words_[i])});
  }
  const std::size_t told = memory.read_batch(slots_).value_or(0);

  found_.assign(told, {});
  slots_.clear();
  for (std::size_t i = 0; i < told; ++i) {
    const RemoteAddress handler = words_[i].handler;
    if (handler.is_null()) continue;
    slots_.push_back({handler, bytes_of(found_[i].handler)});
    slots_.push_back({handler + mark.argument + condition_place, bytes_of(found_[i].condition)});
  }
  std::size_t left = slots_.empty() ? 0 : memory.read_batch(slots_).value_or(0) / 2;
  for (std::size_t i = 0; i < told; ++i) {
    const bool asked = !words_[i].handler.is_null();
    if (asked && left == 0) continue;  // on a stack that has gone
    if (asked) --left;
    questions[i].place = place_of(mark, words_[i], asked ? &found_[i] : nullptr, *questions[i].gil);
  }
}

}  // namespace gilspy

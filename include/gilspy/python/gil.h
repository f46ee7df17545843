#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "gilspy/base/memory_reader.h"
#include "gilspy/base/time.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// One GIL as it stood at the moment of a read.
struct GilMoment {
  /// What a free-threaded build says of its GIL; `on` everywhere else.
  enum class Power : std::uint8_t {
    off,
    importing,  ///< only while an extension is imported that may turn out to need it
    on,
  } power = Power::on;
  bool locked = false;
  RemoteAddress last_holder;        ///< PyThreadState; holds it only while `locked`
  std::uint64_t switch_number = 0;  ///< grows with every change of holder
  /// Candidates for the number of threads inside a wait on gil.cond and gil.switch_cond, see
  /// CondWaiters.
  std::array<std::uint32_t, 2> cond_words{};
  std::array<std::uint32_t, 2> switch_cond_words{};
  /// Likewise: who uses gil.mutex and gil.switch_mutex, and the native id of the former's owner.
  std::uint32_t mutex_users = 0;
  std::uint32_t mutex_owner = 0;

  [[nodiscard]] bool enabled() const { return power == Power::on; }
  [[nodiscard]] RemoteAddress holder() const { return locked ? last_holder : RemoteAddress{}; }
  /// Nothing that decides who holds it differs: what was read in between was seen under one holder.
  [[nodiscard]] bool same_hold(const GilMoment& other) const {
    return locked == other.locked && last_holder == other.last_holder &&
           switch_number == other.switch_number && power == other.power;
  }
};

/// The parts of a GIL on whose futexes threads wait.
enum class GilFutex : std::uint8_t { none, cond, mutex, switch_cond, switch_mutex };

/// Where to read a GIL, and how to read its bytes. Holds for as long as its interpreter lives.
class GilReader {
 public:
  static constexpr std::size_t max_size = 256;
  using Buffer = std::array<std::byte, max_size>;

  GilReader(const Layout& layout, RemoteAddress gil) : layout_(&layout), gil_(gil) {}

  [[nodiscard]] RemoteAddress address() const { return gil_; }
  /// The read that fills the buffer; callers batch it with others.
  [[nodiscard]] ReadSlot slot(Buffer& buffer) const;
  [[nodiscard]] GilMoment decode(const Buffer& buffer) const;
  /// sys.getswitchinterval(), from the same bytes.
  [[nodiscard]] Duration switch_interval(const Buffer& buffer) const;
  /// A futex at this address is one that threads wait on to take the GIL, or to hand it over.
  [[nodiscard]] bool is_wait_address(std::uint64_t futex) const;
  /// One that they wait on to take it, as opposed to those of the mutexes and of the hand-over.
  [[nodiscard]] bool is_take_address(std::uint64_t futex) const;
  /// All of those addresses.
  [[nodiscard]] RemoteRange wait_range() const;
  /// Which part of the GIL the futex belongs to.
  [[nodiscard]] GilFutex part_of(std::uint64_t futex) const;
  /// One of its condition variables', not of the mutexes beside them.
  [[nodiscard]] bool is_cond_address(std::uint64_t futex) const;

 private:
  const Layout* layout_;
  RemoteAddress gil_;
};

/// Counts the threads inside a wait on gil.cond (to take the GIL) or gil.switch_cond (to hand it
/// over) by glibc's own counts. They tell a waiter that was woken but has no CPU yet from a thread
/// that runs without the GIL. There are two:
///
/// - pthread_mutex_t.__nusers of the mutexes beside them counts a waiter from before it waits until
///   it has the GIL, also while it locks the mutex again; and whoever owns the mutex;
/// - pthread_cond_t.__wrefs >> 3 counts it until it was woken and ran. Its place differs between
///   glibc versions (36 in 2.36, 28 in 2.43).
///
/// Other libcs have none, so a count is believed once waiters were seen, only while it agrees with
/// what /proc shows; __wrefs before that for the flags beside it.
class CondWaiters {
 public:
  static constexpr std::array<std::uint32_t, 2> places{36, 28};

  /// Tells what was seen while no thread was in doubt: so many threads blocked on their futexes.
  /// The moment's mutex_users must be without a holder of the GIL that owns the mutex.
  void learn(const GilMoment& moment, std::uint32_t blocked);
  /// How many threads are inside a wait; nothing while no place can be told.
  [[nodiscard]] std::optional<std::uint32_t> count(const GilMoment& moment) const;
  /// How many of them have left the condition variable and want its mutex, or have it; nothing
  /// while not both counts are known.
  [[nodiscard]] std::optional<std::uint32_t> count_at_mutex(const GilMoment& moment) const;

 private:
  struct Score {
    std::uint32_t agreed = 0;
    std::uint32_t differed = 0;
  };
  [[nodiscard]] bool looks_right(const GilMoment& moment, std::size_t place) const;
  /// By which of the counts: __nusers is the one behind the places of __wrefs.
  static constexpr std::size_t by_users = places.size();
  [[nodiscard]] static std::uint32_t inside(const GilMoment& moment, std::size_t count);
  [[nodiscard]] bool proven(std::size_t count) const;

  std::array<Score, places.size() + 1> scores_{};
};

}  // namespace gilspy

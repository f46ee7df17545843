#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "gilspy/profile/profile.h"
#include "packed.h"
#include "page_clock.h"

/// What the page's timeline draws: for each thread and each GIL a sequence of values over time.
namespace gilspy {

/// From `begin` on the track has this value.
struct Step {
  std::uint32_t begin;
  std::uint32_t value;
  friend bool operator==(const Step&, const Step&) = default;
};

/// A value over time, from its first step to `end`. Neighbours differ.
struct Track {
  std::vector<Step> steps;
  std::uint32_t end = 0;

  /// Goes on with `value` until `until`; what does not take a unit of time vanishes.
  void extend(std::uint32_t until, std::uint32_t value);
};

/// Hand-offs of one GIL at one moment.
struct HandoffCount {
  std::uint32_t at;
  std::uint32_t count;
};

struct GilTrack {
  Track holders;  ///< free_gil, unknown_holder, or first_lane + the holder's lane
  std::vector<HandoffCount> handoffs;
};

inline constexpr std::uint32_t free_gil = 0;
inline constexpr std::uint32_t unknown_holder = 1;
inline constexpr std::uint32_t first_lane = 2;

/// A value of a thread's track that stands for no time of the thread.
inline constexpr std::uint32_t absent = 0;

struct PageTracks {
  /// What a thread's values mean: index 0 is `absent`, and not in use.
  std::vector<ThreadState> states{ThreadState{}};
  std::vector<Track> threads;  ///< like Profile::threads; a thread's index is its lane
  std::vector<GilTrack> gils;  ///< like Profile::gils

  [[nodiscard]] std::size_t size() const;
};

/// Threads by id and time: an id can be used again.
class Lanes {
 public:
  explicit Lanes(const Profile& profile);

  /// The lane of the thread that had this id then; nothing for no_thread and ids never seen.
  [[nodiscard]] std::optional<std::uint32_t> at(Tid tid, Time when) const;

 private:
  const Profile& profile_;
  std::map<Tid, std::vector<std::uint32_t>> by_tid_;
};

[[nodiscard]] PageTracks tracks_of(const Profile& profile, const PageClock& clock,
                                   const Lanes& lanes);

/// The same run as somebody would have seen it who looked once in every `grain` units: all tracks
/// at the same moments, so that who waited for whom stays true.
[[nodiscard]] PageTracks coarsened(const PageTracks& tracks, std::uint32_t grain);

void pack(const Track& track, Packer& packer);
void pack(const GilTrack& gil, Packer& packer);

}  // namespace gilspy

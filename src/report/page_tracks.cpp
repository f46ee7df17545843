#include "page_tracks.h"

#include <algorithm>

namespace gilspy {
namespace {

std::size_t size_of(const GilTrack& gil) { return gil.holders.steps.size() + gil.handoffs.size(); }

/// Numbers thread states in the order in which they come.
class StateTable {
 public:
  explicit StateTable(std::vector<ThreadState>& states) : states_(states) {}

  std::uint32_t number_of(ThreadState state) {
    const auto next = static_cast<std::uint32_t>(states_.size());
    const auto [entry, fresh] = numbers_.try_emplace(state, next);
    if (fresh) states_.push_back(state);
    return entry->second;
  }

 private:
  std::vector<ThreadState>& states_;
  std::map<ThreadState, std::uint32_t> numbers_;
};

/// The part of a tid's intervals that lies in one thread's life.
Track thread_track(const ThreadProfile& thread, const std::vector<Interval>& intervals,
                   const PageClock& clock, StateTable& states) {
  Track track;
  auto interval = std::ranges::upper_bound(intervals, thread.first, {}, &Interval::end);
  track.end = clock.units(thread.first);
  for (; interval != intervals.end() && interval->begin < thread.last; ++interval) {
    track.extend(clock.units(interval->begin), absent);
    track.extend(clock.units(std::min(interval->end, thread.last)),
                 states.number_of(interval->state));
  }
  return track;
}

GilTrack gil_track(const Profile& profile, GilId id, const PageClock& clock, const Lanes& lanes) {
  GilTrack gil;
  if (const auto found = profile.timeline.gils.find(id); found != profile.timeline.gils.end()) {
    if (!found->second.empty()) gil.holders.end = clock.units(found->second.front().begin);
    for (const HolderInterval& interval : found->second) {
      std::uint32_t value = interval.known ? free_gil : unknown_holder;
      if (interval.holder != no_thread) {
        const auto lane = lanes.at(interval.holder, interval.begin);
        value = lane ? first_lane + *lane : unknown_holder;
      }
      gil.holders.extend(clock.units(interval.end), value);
    }
  }
  if (const auto found = profile.timeline.handoffs.find(id);
      found != profile.timeline.handoffs.end()) {
    gil.handoffs.reserve(found->second.size());
    for (const Handoffs& moment : found->second) {
      gil.handoffs.push_back({clock.units(moment.at), moment.count});
    }
  }
  return gil;
}

/// The moment inside a cell at which all tracks are looked at. Not always the same place in it, or
/// a program with a rhythm of its own would be seen always at the same beat. (Fibonacci hashing.)
std::uint32_t moment_of(std::uint32_t cell, std::uint32_t grain) {
  const std::uint64_t spread = cell * 2654435769ULL & 0xFFFFFFFFU;
  return static_cast<std::uint32_t>(spread * grain >> 32U);
}

Track coarse(const Track& track, std::uint32_t grain) {
  Track result;
  if (track.steps.empty()) return track;
  const std::uint32_t begin = track.steps.front().begin;
  result.end = begin;
  auto step = track.steps.begin();
  for (std::uint32_t cell = begin / grain; result.end < track.end; ++cell) {
    const std::uint64_t cell_begin = static_cast<std::uint64_t>(cell) * grain;
    const std::uint64_t look = cell_begin + moment_of(cell, grain);
    while (step + 1 != track.steps.end() && (step + 1)->begin <= look) ++step;
    result.extend(
        static_cast<std::uint32_t>(std::min<std::uint64_t>(track.end, cell_begin + grain)),
        step->value);
  }
  return result;
}

std::vector<HandoffCount> coarse(const std::vector<HandoffCount>& moments, std::uint32_t grain) {
  std::vector<HandoffCount> result;
  for (const HandoffCount& moment : moments) {
    if (!result.empty() && result.back().at / grain == moment.at / grain) {
      result.back().count += moment.count;
    } else {
      result.push_back(moment);
    }
  }
  return result;
}

}  // namespace

void Track::extend(std::uint32_t until, std::uint32_t value) {
  if (until <= end) return;
  if (steps.empty() || steps.back().value != value) steps.push_back({end, value});
  end = until;
}

std::size_t PageTracks::size() const {
  std::size_t sum = 0;
  for (const Track& thread : threads) sum += thread.steps.size();
  for (const GilTrack& gil : gils) sum += size_of(gil);
  return sum;
}

Lanes::Lanes(const Profile& profile) : profile_(profile) {
  for (std::uint32_t i = 0; i < profile.threads.size(); ++i) {
    by_tid_[profile.threads[i].tid].push_back(i);
  }
}

std::optional<std::uint32_t> Lanes::at(Tid tid, Time when) const {
  const auto found = by_tid_.find(tid);
  if (tid == no_thread || found == by_tid_.end()) return std::nullopt;
  for (const std::uint32_t lane : found->second) {
    if (when <= profile_.threads[lane].last) return lane;
  }
  return found->second.back();
}

PageTracks tracks_of(const Profile& profile, const PageClock& clock, const Lanes& lanes) {
  PageTracks tracks;
  StateTable states{tracks.states};
  tracks.threads.reserve(profile.threads.size());
  static const std::vector<Interval> none;
  for (const ThreadProfile& thread : profile.threads) {
    const auto found = profile.timeline.threads.find(thread.tid);
    const auto& intervals = found == profile.timeline.threads.end() ? none : found->second;
    tracks.threads.push_back(thread_track(thread, intervals, clock, states));
  }
  tracks.gils.reserve(profile.gils.size());
  for (const GilProfile& gil : profile.gils) {
    tracks.gils.push_back(gil_track(profile, gil.id, clock, lanes));
  }
  return tracks;
}

PageTracks coarsened(const PageTracks& tracks, std::uint32_t grain) {
  PageTracks result;
  result.states = tracks.states;
  result.threads.reserve(tracks.threads.size());
  for (const Track& track : tracks.threads) result.threads.push_back(coarse(track, grain));
  result.gils.reserve(tracks.gils.size());
  for (const GilTrack& gil : tracks.gils) {
    result.gils.push_back({coarse(gil.holders, grain), coarse(gil.handoffs, grain)});
  }
  return result;
}

// Column after column: equal kinds of numbers beside each other compress better.
void pack(const Track& track, Packer& packer) {
  packer.number(track.steps.size());
  packer.number(track.steps.empty() ? track.end : track.steps.front().begin);
  for (std::size_t i = 0; i < track.steps.size(); ++i) {
    const bool last = i + 1 == track.steps.size();
    packer.number((last ? track.end : track.steps[i + 1].begin) - track.steps[i].begin);
  }
  for (const Step& step : track.steps) packer.number(step.value);
}

void pack(const GilTrack& gil, Packer& packer) {
  pack(gil.holders, packer);
  packer.number(gil.handoffs.size());
  std::uint32_t before = 0;
  for (const HandoffCount& moment : gil.handoffs) {
    packer.number(moment.at - before);
    before = moment.at;
  }
  for (const HandoffCount& moment : gil.handoffs) packer.number(moment.count);
}

}  // namespace gilspy

#include "page_overview.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace gilspy {
namespace {

/// 200 lanes of 4096 cells are some 2 MB in the page, and more lanes than a screen shows.
constexpr std::size_t most_lanes = 200;

using Cells = std::vector<std::array<double, activity_count>>;

/// Spreads a stretch of time over the cells that it touches.
void spread(Cells& cells, double width, double begin, double end, std::size_t activity) {
  auto cell = static_cast<std::size_t>(begin / width);
  while (cell < cells.size() && begin < end) {
    const double until = std::min(end, static_cast<double>(cell + 1) * width);
    cells[cell][activity] += (until - begin) / width;
    begin = until;
    ++cell;
  }
}

}  // namespace

std::vector<std::uint32_t> overview_lanes(const PageTracks& tracks) {
  std::vector<std::uint32_t> lanes;
  for (std::uint32_t lane = 0; lane < tracks.threads.size(); ++lane) {
    if (tracks.threads[lane].steps.size() >= overview_cells) lanes.push_back(lane);
  }
  std::ranges::stable_sort(lanes, std::ranges::greater{},
                           [&](std::uint32_t lane) { return tracks.threads[lane].steps.size(); });
  if (lanes.size() > most_lanes) lanes.resize(most_lanes);
  return lanes;
}

void pack_overview(const PageTracks& tracks, const std::vector<std::uint32_t>& lanes,
                   std::uint32_t end, Packer& packer) {
  const double width = std::max(1.0, static_cast<double>(end)) / overview_cells;
  for (const std::uint32_t lane : lanes) {
    Cells cells(overview_cells);
    const Track& track = tracks.threads[lane];
    for (std::size_t i = 0; i < track.steps.size(); ++i) {
      const Step& step = track.steps[i];
      if (step.value == absent) continue;
      const std::uint32_t until = i + 1 < track.steps.size() ? track.steps[i + 1].begin : track.end;
      spread(cells, width, step.begin, until,
             static_cast<std::size_t>(activity_of(tracks.states[step.value])));
    }
    for (std::size_t activity = 0; activity < activity_count; ++activity) {
      for (const auto& cell : cells) {
        packer.byte(static_cast<std::uint8_t>(std::lround(255 * std::min(1.0, cell[activity]))));
      }
    }
  }
}

}  // namespace gilspy

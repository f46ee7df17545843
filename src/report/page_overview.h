#pragma once

#include <cstdint>
#include <vector>

#include "packed.h"
#include "page_tracks.h"

namespace gilspy {

/// The coarse level of detail, which is there before anything else is unpacked: the run in this
/// many cells, and how much of each a thread spent in each activity.
inline constexpr std::uint32_t overview_cells = 4096;

/// The lanes that have an overview: those of so many steps that drawing them one by one would be
/// felt, the busiest first where there are too many.
[[nodiscard]] std::vector<std::uint32_t> overview_lanes(const PageTracks& tracks);

/// For each lane and activity a row of cells, a byte each: 255 is all of the cell.
void pack_overview(const PageTracks& tracks, const std::vector<std::uint32_t>& lanes,
                   std::uint32_t end, Packer& packer);

}  // namespace gilspy

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gilspy/profile/profile.h"
#include "page_clock.h"
#include "page_tracks.h"

namespace gilspy {

/// How coarse the page's data had to be made.
struct PageDetail {
  std::uint32_t grain = 0;  ///< units between looks; 0: every interval is there
  std::size_t every = 1;    ///< so many stack samples became one
};

/// Everything of the page that is not a track: -f json's figures as they are, and what the tracks'
/// numbers mean. JSON without a "<", so that no name can end the element it is put into.
[[nodiscard]] std::string page_facts(const Profile& profile, const PageClock& clock,
                                     const PageTracks& tracks, const Lanes& lanes,
                                     const std::vector<std::uint32_t>& overview,
                                     const PageDetail& detail);

}  // namespace gilspy

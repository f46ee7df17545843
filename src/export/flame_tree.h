#pragma once

#include <cstdint>
#include <vector>

#include "gilspy/profile/profile.h"
#include "text.h"

namespace gilspy {

/// The stacks of a profile under one weight, merged by common callers. Node 0 is the root; its
/// children are the threads, their children the outermost frames, and so on.
class FlameTree {
 public:
  struct Node {
    FrameText frame;  ///< of a thread: its label as the function
    Duration total{};
    Duration self{};
    std::vector<std::uint32_t> children;  ///< in the order of their frames' texts
  };

  FlameTree(const Profile& profile, Weight weight);

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] const Node& root() const { return nodes_.front(); }

 private:
  std::vector<Node> nodes_;
};

/// A node on the way of a walk, and how far it lies above the root (0).
struct FlameVisit {
  std::uint32_t node;
  std::uint32_t depth;
};

/// All nodes, callers before what they call, siblings in order. Not a recursion: Python stacks
/// may be deeper than ours.
[[nodiscard]] std::vector<FlameVisit> walk(const FlameTree& tree);

}  // namespace gilspy

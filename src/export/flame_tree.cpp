#include "flame_tree.h"

#include <cstddef>
#include <map>
#include <ranges>
#include <utility>

namespace gilspy {
namespace {

using Node = FlameTree::Node;

/// Grows the tree; keeps the children of each node by text while it does.
class Grower {
 public:
  Grower(const Profile& profile, std::vector<Node>& nodes) : profile_(profile), nodes_(nodes) {
    nodes_.push_back(Node{});
    children_.emplace_back();
  }

  void add(const StackWeight& weight) {
    if (weight.time <= Duration::zero()) return;
    std::uint32_t node = 0;
    nodes_[node].total += weight.time;
    const auto descend = [&](FrameText frame) {
      node = child(node, std::move(frame));
      nodes_[node].total += weight.time;
    };
    descend({thread_label(profile_, weight.tid), "", 0, false});
    const auto frames = profile_.tables->frames(weight.stack);
    if (frames.empty()) descend({std::string(no_stack_label), "", 0, false});
    for (const Tables::StackNode& frame : frames) descend(frame_text(*profile_.tables, frame));
    nodes_[node].self += weight.time;
  }

  /// The maps are sorted, so the children come out in order.
  void finish() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (const std::uint32_t index : std::views::values(children_[i])) {
        nodes_[i].children.push_back(index);
      }
    }
  }

 private:
  std::uint32_t child(std::uint32_t parent, FrameText frame) {
    const auto fresh = static_cast<std::uint32_t>(nodes_.size());
    const auto [entry, inserted] = children_[parent].try_emplace(frame, fresh);
    if (!inserted) return entry->second;
    nodes_.push_back(Node{std::move(frame), {}, {}, {}});
    children_.emplace_back();
    return fresh;
  }

  const Profile& profile_;
  std::vector<Node>& nodes_;
  std::vector<std::map<FrameText, std::uint32_t>> children_;
};

}  // namespace

FlameTree::FlameTree(const Profile& profile, Weight weight) {
  Grower grower(profile, nodes_);
  for (const StackWeight& stack : profile.stacks_by(weight)) grower.add(stack);
  grower.finish();
}

std::vector<FlameVisit> walk(const FlameTree& tree) {
  std::vector<FlameVisit> visits;
  std::vector<FlameVisit> ahead{{0, 0}};
  while (!ahead.empty()) {
    const FlameVisit visit = ahead.back();
    ahead.pop_back();
    visits.push_back(visit);
    for (const std::uint32_t child : tree.nodes()[visit.node].children | std::views::reverse) {
      ahead.push_back({child, visit.depth + 1});
    }
  }
  return visits;
}

}  // namespace gilspy

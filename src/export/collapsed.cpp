#include <algorithm>
#include <chrono>
#include <map>
#include <ostream>
#include <string>

#include "flame_tree.h"
#include "gilspy/export/exporter.h"

/// The folded stacks that flamegraph.pl, inferno and speedscope read: a line per stack, its frames
/// from the outermost to the top one with semicolons between them, then the weight.
namespace gilspy {
namespace {

/// Semicolons end a frame in this format, so a name cannot keep its own.
std::string folded(const FrameText& frame) {
  std::string label = frame_label(frame);
  std::ranges::replace(label, ';', ',');
  return label;
}

/// Different stacks can read alike (files of one name in two folders), so times are summed by line.
std::map<std::string, Duration> lines_of(const FlameTree& tree) {
  std::map<std::string, Duration> lines;
  std::string line;
  std::vector<std::size_t> ends;  // of the line, frame by frame
  for (const FlameVisit& visit : walk(tree)) {
    if (visit.depth == 0) continue;
    ends.resize(visit.depth - 1);
    line.resize(ends.empty() ? 0 : ends.back());
    if (!line.empty()) line += ';';
    const FlameTree::Node& node = tree.nodes()[visit.node];
    line += folded(node.frame);
    ends.push_back(line.size());
    if (node.self > Duration::zero()) lines[line] += node.self;
  }
  return lines;
}

class CollapsedExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions& options,
             std::ostream& out) const override {
    for (const auto& [line, time] : lines_of(FlameTree(profile, options.weight))) {
      const auto microseconds = std::chrono::round<std::chrono::microseconds>(time).count();
      if (microseconds > 0) out << line << ' ' << microseconds << '\n';
    }
  }
};

}  // namespace

const Exporter& collapsed_exporter() {
  static const CollapsedExporter exporter;
  return exporter;
}

}  // namespace gilspy

#include <algorithm>
#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "embedded/flamegraph.css.h"
#include "embedded/flamegraph.js.h"
#include "flame_tree.h"
#include "gilspy/base/text.h"
#include "gilspy/export/exporter.h"

/// A flame graph as one SVG file: root at the bottom, widths are time. It needs nothing but a
/// browser, and shows the whole picture even where scripts do not run.
namespace gilspy {
namespace {

constexpr int width = 1200;  // where nothing says how wide; the script makes it fit the window
constexpr int row = 17;
constexpr int header = 56;
constexpr int footer = 48;
/// Nobody sees or hits less than this at the nominal width; the time stays in the callers' widths.
constexpr double narrowest_px = 0.05;

std::string_view meaning_of(Weight weight) {
  switch (weight) {
    case Weight::hold: return "time holding the GIL";
    case Weight::wait: return "time waiting for the GIL";
    case Weight::blame: return "time that others waited while this held the GIL";
    case Weight::cpu: return "time on a CPU";
    case Weight::wall: return "all of the threads' time";
  }
  return "";
}

/// The first so many characters of printable UTF-8.
std::string shortened(const std::string& text, std::size_t limit) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_one = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts_one && ++characters > limit) return text.substr(0, i) + "…";
  }
  return text;
}

/// A warm colour that depends on the function and its file alone, so that a function looks the same
/// in every graph, and a cold one for native functions; threads and the root stay grey.
std::string colour_of(const FrameText& frame, std::uint32_t depth) {
  if (depth < 2 || frame.function == no_stack_label) return "#d5d5d8";
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const std::string* part : {&frame.function, &frame.file}) {
    for (const char c : *part) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  const unsigned red = 205 + hash % 50;
  const unsigned green = 80 + (hash >> 8) % 130;
  const unsigned blue = (hash >> 16) % 70;
  if (frame.native) return fmt::format("#{:02x}{:02x}{:02x}", blue + 60, green + 60, red);
  return fmt::format("#{:02x}{:02x}{:02x}", red, green, blue);
}

class Drawing {
 public:
  Drawing(const Profile& profile, Weight weight, std::ostream& out)
      : profile_(profile),
        weight_(weight),
        tree_(profile, weight),
        visits_(walk(tree_)),
        out_(out) {
    for (const FlameVisit& visit : visits_) {
      if (drawn(visit)) highest_ = std::max(highest_, visit.depth);
    }
  }

  void write() {
    begin();
    write_frames();
    out_ << "</svg>\n<script><![CDATA[\n" << embedded::flamegraph_js << "]]></script>\n</svg>\n";
  }

 private:
  [[nodiscard]] const FlameTree::Node& node(const FlameVisit& visit) const {
    return tree_.nodes()[visit.node];
  }

  /// In percent of the width.
  [[nodiscard]] double share(Duration time) const {
    return 100 * to_seconds(time) / to_seconds(tree_.root().total);
  }

  [[nodiscard]] bool drawn(const FlameVisit& visit) const {
    const Duration total = node(visit).total;
    return total > Duration::zero() && share(total) / 100 * width >= narrowest_px;
  }

  [[nodiscard]] int height() const {
    return header + (static_cast<int>(highest_) + 1) * row + footer;
  }

  void begin() {
    const std::string title =
        // What the width means comes first: a narrow window cuts the end off.
        fmt::format("gilspy: {} ({}) — {}", name_of(weight_), meaning_of(weight_),
                    shortened(printable(profile_.process.command), 60));
    out_ << fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\">\n"
        "<style><![CDATA[\n{2}]]></style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fdfaf3\"/>\n"
        "<text class=\"title\" x=\"50%\" y=\"24\" text-anchor=\"middle\">{3}</text>\n"
        "<text id=\"reset\" class=\"button hidden\" x=\"10\" y=\"46\">Reset zoom (Esc)</text>\n"
        "<text id=\"search\" class=\"button\" x=\"99%\" y=\"46\" text-anchor=\"end\">"
        "Search (Ctrl-F)</text>\n"
        "<text id=\"details\" x=\"10\" y=\"{4}\"> </text>\n"
        "<text id=\"matched\" x=\"99%\" y=\"{4}\" text-anchor=\"end\"> </text>\n"
        "<text class=\"note\" x=\"10\" y=\"{5}\">{6}</text>\n"
        "<svg x=\"0\" y=\"{7}\" width=\"100%\" height=\"{8}\">\n",
        width, height(), embedded::flamegraph_css, markup_text(title), height() - 30, height() - 10,
        markup_text(note()), header, height() - header - footer);
  }

  [[nodiscard]] std::string note() const {
    if (visits_.size() == 1) {
      return fmt::format("No {} was seen. {}", meaning_of(weight_), sampling_line(profile_));
    }
    return fmt::format("{:.3f} s in all. {}", to_seconds(tree_.root().total),
                       sampling_line(profile_));
  }

  void write_frames() {
    // Where the next frame of each depth begins: a child at its caller's left edge, then its
    // siblings to the right of it.
    std::vector<Duration> next{Duration::zero()};
    for (const FlameVisit& visit : visits_) {
      const Duration begin = next[visit.depth];
      next[visit.depth] += node(visit).total;
      next.resize(visit.depth + 1);
      next.push_back(begin);
      if (drawn(visit)) write_frame(visit, begin);
    }
  }

  void write_frame(const FlameVisit& visit, Duration begin) {
    const FlameTree::Node& n = node(visit);
    const bool is_root = visit.depth == 0;
    const std::string label = is_root ? "all threads" : markup_text(frame_label(n.frame));
    const std::string place = is_root ? "all threads" : markup_text(frame_place(n.frame));
    const double percent = share(n.total);
    out_ << fmt::format(
        "<svg class=\"frame\" x=\"{:.5f}%\" y=\"{}\" width=\"{:.5f}%\" height=\"{}\""
        " data-begin=\"{}\" data-time=\"{}\"><title>{}\n{:.6f} s, {:.2f}%</title>"
        "<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>"
        "<text x=\"3\" y=\"13\"{}>{}</text></svg>\n",
        share(begin), (highest_ - visit.depth) * row, percent, row, begin.count(), n.total.count(),
        place, to_seconds(n.total), percent, colour_of(n.frame, visit.depth),
        percent / 100 * width < 20 ? " class=\"hidden\"" : "", label);
  }

  const Profile& profile_;
  Weight weight_;
  FlameTree tree_;
  std::vector<FlameVisit> visits_;
  std::ostream& out_;
  std::uint32_t highest_ = 0;  ///< depth of the highest row drawn
};

class FlamegraphExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions& options,
             std::ostream& out) const override {
    Drawing(profile, options.weight, out).write();
  }
};

}  // namespace

const Exporter& flamegraph_exporter() {
  static const FlamegraphExporter exporter;
  return exporter;
}

}  // namespace gilspy

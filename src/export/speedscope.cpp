#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <ostream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "flame_tree.h"
#include "gilspy/export/exporter.h"
#include "gilspy/profile/version.h"

/// speedscope's own format: a "sampled" profile per thread, frames shared between them.
/// Schema: https://www.speedscope.app/file-format-schema.json
namespace gilspy {
namespace {

using FrameIndex = std::uint32_t;

/// The frames of the file; gives each its index.
class FrameTable {
 public:
  FrameIndex index_of(const FrameText& frame) {
    const auto fresh = static_cast<FrameIndex>(frames_.size());
    const auto [entry, inserted] = indices_.try_emplace(frame, fresh);
    if (inserted) frames_.push_back(&entry->first);
    return entry->second;
  }

  /// speedscope takes frames of equal name, file and line for one, and so do we.
  void write(std::ostream& out) const {
    const char* separator = "";
    for (const FrameText* frame : frames_) {
      out << separator << "{\"name\":" << json_text(frame->function);
      if (!frame->file.empty()) out << ",\"file\":" << json_text(frame->file);
      if (frame->line != 0) out << ",\"line\":" << frame->line;
      out << '}';
      separator = ",\n";
    }
  }

 private:
  std::map<FrameText, FrameIndex> indices_;
  std::vector<const FrameText*> frames_;
};

using Stack = std::vector<FrameIndex>;

/// One profile of the file: stacks with the time they stand for, in the order shown.
struct ThreadSamples {
  std::string name;
  Time start;
  std::vector<std::pair<const Stack*, Duration>> samples;  ///< the maker of this keeps the stacks
};

/// Time in the order it passed: each stack counts until the thread's next one.
class InTimeOrder {
 public:
  InTimeOrder(const Profile& profile, FrameTable& frames) : profile_(profile), frames_(frames) {}

  std::vector<ThreadSamples> collect() {
    std::vector<ThreadSamples> result;
    for (const ThreadProfile& thread : profile_.threads) {
      const auto stacks = profile_.timeline.stacks.find(thread.tid);
      const bool sampled = stacks != profile_.timeline.stacks.end();
      // Native threads without a single Python stack would only be noise.
      if (!sampled && !thread.python) continue;
      static const std::vector<StackMoment> none;
      result.push_back(samples_of(thread, sampled ? stacks->second : none));
    }
    return result;
  }

 private:
  ThreadSamples samples_of(const ThreadProfile& thread, const std::vector<StackMoment>& moments) {
    ThreadSamples result{thread_label(thread), thread.first, {}};
    StackId stack = empty_stack;
    Time since = thread.first;
    const auto count_until = [&](Time until) {
      if (until <= since) return;
      result.samples.emplace_back(&frames_of(stack), until - since);
      since = until;
    };
    for (const StackMoment& moment : moments) {
      if (moment.stack == stack) continue;
      count_until(std::min(moment.at, thread.last));
      stack = moment.stack;
    }
    count_until(thread.last);
    return result;
  }

  const Stack& frames_of(StackId id) {
    const auto [entry, fresh] = stacks_.try_emplace(id);
    Stack& stack = entry->second;
    if (!fresh) return stack;
    const Tables& tables = *profile_.tables;
    for (const Tables::StackNode& node : tables.frames(id)) {
      stack.push_back(frames_.index_of(frame_text(tables, node)));
    }
    if (stack.empty()) stack.push_back(frames_.index_of({std::string(no_stack_label), "", 0}));
    return stack;
  }

  const Profile& profile_;
  FrameTable& frames_;
  std::unordered_map<StackId, Stack> stacks_;
};

/// Sums per stack, equal callers side by side: these weights have no order in time.
class ByWeight {
 public:
  ByWeight(const Profile& profile, Weight weight, FrameTable& frames)
      : tree_(profile, weight), frames_(frames) {}

  std::vector<ThreadSamples> collect() {
    std::vector<ThreadSamples> result;
    Stack path;
    for (const FlameVisit& visit : walk(tree_)) {
      if (visit.depth == 0) continue;
      const FlameTree::Node& node = tree_.nodes()[visit.node];
      if (visit.depth == 1) {
        result.push_back({node.frame.function, Time{}, {}});
        continue;
      }
      path.resize(visit.depth - 2);
      path.push_back(frames_.index_of(node.frame));
      if (node.self <= Duration::zero()) continue;
      result.back().samples.emplace_back(&stacks_.emplace_back(path), node.self);
    }
    return result;
  }

 private:
  FlameTree tree_;
  FrameTable& frames_;
  std::deque<Stack> stacks_;
};

void write_thread(const ThreadSamples& thread, std::ostream& out) {
  Time end = thread.start;
  out << "{\"type\":\"sampled\",\"unit\":\"seconds\",\"name\":" << json_text(thread.name)
      << ",\n\"samples\":[";
  const char* separator = "";
  for (const auto& [stack, time] : thread.samples) {
    out << separator << fmt::format("[{}]", fmt::join(*stack, ","));
    separator = ",";
    end += time;
  }
  out << "],\n\"weights\":[";
  separator = "";
  for (const auto& sample : thread.samples) {
    out << separator << decimal(sample.second.count(), 9);
    separator = ",";
  }
  out << "],\n\"startValue\":" << decimal(to_ns(thread.start), 9)
      << ",\"endValue\":" << decimal(to_ns(end), 9) << '}';
}

class SpeedscopeExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions& options,
             std::ostream& out) const override {
    FrameTable frames;
    InTimeOrder in_time_order(profile, frames);
    ByWeight by_weight(profile, options.weight, frames);
    std::vector<ThreadSamples> threads =
        options.weight == Weight::wall ? in_time_order.collect() : by_weight.collect();
    std::erase_if(threads, [](const ThreadSamples& thread) { return thread.samples.empty(); });
    const std::string name =
        fmt::format("gilspy: {} ({})", printable(profile.process.command), name_of(options.weight));
    out << "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"name\":"
        << json_text(name) << ",\n\"exporter\":\"gilspy " << version << '"'
        << ",\"activeProfileIndex\":0,\n\"gilspy\":{\"sampling\":"
        << json_text(sampling_line(profile)) << "},\n\"shared\":{\"frames\":[\n";
    frames.write(out);
    out << "\n]},\n\"profiles\":[\n";
    const char* separator = "";
    for (const ThreadSamples& thread : threads) {
      out << separator;
      write_thread(thread, out);
      separator = ",\n";
    }
    out << "\n]}\n";
  }
};

}  // namespace

const Exporter& speedscope_exporter() {
  static const SpeedscopeExporter exporter;
  return exporter;
}

}  // namespace gilspy

#include "chrome_stacks.h"

#include <cstddef>
#include <utility>

namespace gilspy {
namespace {

/// Follows one thread's stack from sample to sample.
class Slicer {
 public:
  explicit Slicer(const Tables& tables) : tables_(tables) {}

  void sample(const StackMoment& moment) {
    if (moment.stack == stack_) return;
    stack_ = moment.stack;
    const std::vector<Tables::StackNode> frames = tables_.frames(moment.stack);
    std::size_t common = 0;
    while (common < open_.size() && common < frames.size() &&
           slices_[open_[common]].code == frames[common].code) {
      ++common;
    }
    close_down_to(common, moment.at);
    for (std::size_t i = common; i < frames.size(); ++i) {
      open_.push_back(slices_.size());
      slices_.push_back({moment.at, moment.at, frames[i].code, frames[i].line});
    }
  }

  std::vector<StackSlice> finish(Time end) {
    close_down_to(0, end);
    return std::move(slices_);
  }

 private:
  void close_down_to(std::size_t depth, Time at) {
    for (std::size_t i = depth; i < open_.size(); ++i) slices_[open_[i]].end = at;
    open_.resize(depth);
  }

  const Tables& tables_;
  StackId stack_ = empty_stack;
  std::vector<StackSlice> slices_;
  std::vector<std::size_t> open_;  ///< indices into slices_, outermost first
};

}  // namespace

std::vector<StackSlice> stack_slices(const Tables& tables, const std::vector<StackMoment>& samples,
                                     Time begin, Time end) {
  Slicer slicer(tables);
  for (const StackMoment& moment : samples) {
    if (begin <= moment.at && moment.at <= end) slicer.sample(moment);
  }
  return slicer.finish(end);
}

}  // namespace gilspy

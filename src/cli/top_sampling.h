#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "find_target.h"
#include "gilspy/model/events.h"
#include "gilspy/sample/run.h"

namespace gilspy {

/// A sampler in a thread of its own, so that nothing the view does can delay a tick.
class TopSampling {
 public:
  /// Samples until a watch says that it is over, and returns why there is nothing more to see.
  using Work = std::function<std::string(const std::vector<Watch>&)>;

  /// `ended`: readable once the target has ended. The signals of the calling thread stay blocked in
  /// the new one.
  TopSampling(int ended, Work work);
  /// Ends the sampling and waits for that.
  ~TopSampling();
  TopSampling(const TopSampling&) = delete;
  TopSampling& operator=(const TopSampling&) = delete;

  /// Readable (poll) once it is over by itself.
  [[nodiscard]] int fd() const { return over_.get(); }
  /// Why it is over, once it is.
  [[nodiscard]] std::optional<std::string> over();

 private:
  UniqueFd stop_;
  UniqueFd over_;
  std::string why_;  ///< belongs to the thread until over_ is readable
  std::thread thread_;
};

/// The work for a process that runs already: goes on with the next Python when it execs one.
[[nodiscard]] TopSampling::Work attached_work(FoundTarget found, SampleSink& sink,
                                              RunOptions options);
/// The work for a program that was just launched.
[[nodiscard]] TopSampling::Work launched_work(Pid program, SampleSink& sink, RunOptions options);

}  // namespace gilspy

#include "top_sampling.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <fmt/format.h>

#include <exception>
#include <memory>

#include "launched.h"
#include "session.h"

namespace gilspy {
namespace {

void notify(const UniqueFd& event) {
  static_cast<void>(::eventfd_write(event.get(), 1));  // fails only when 2^64 - 2 were written
}

std::string words_for(EndReason reason) {
  switch (reason) {
    case EndReason::requested: return "sampling was ended";
    case EndReason::target_ended: return "the process has ended";
    case EndReason::target_execed: return "the process has become another program";
    case EndReason::lost: break;
  }
  return "the process cannot be read any more";
}

}  // namespace

TopSampling::TopSampling(int ended, Work work)
    : stop_(::eventfd(0, EFD_CLOEXEC)), over_(::eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this, ended, work = std::move(work)] {
    try {
      why_ = work({{stop_.get(), [] { return std::optional{EndReason::requested}; }},
                   {ended, [] { return std::optional{EndReason::target_ended}; }}});
    } catch (const std::exception& error) {
      why_ = error.what();
    }
    notify(over_);
  });
}

TopSampling::~TopSampling() {
  notify(stop_);
  thread_.join();
}

std::optional<std::string> TopSampling::over() {
  pollfd over{over_.get(), POLLIN, 0};
  if (::poll(&over, 1, 0) != 1) return std::nullopt;
  return why_;
}

TopSampling::Work attached_work(FoundTarget found, SampleSink& sink, RunOptions options) {
  // std::function wants to be able to copy it.
  auto target = std::make_shared<FoundTarget>(std::move(found));
  return [target, &sink, options](const std::vector<Watch>& watches) {
    Interner interner{sink};
    while (true) {
      const EndReason reason =
          sample_target(target->process, target->target, sink, interner, options, watches);
      if (reason != EndReason::target_execed) return words_for(reason);
      *target = find_target(target->process.pid());
    }
  };
}

TopSampling::Work launched_work(Pid program, SampleSink& sink, RunOptions options) {
  return [program, &sink, options](const std::vector<Watch>& watches) -> std::string {
    std::string why;
    bool sampled = false;
    Interner interner{sink};
    while (auto found = wait_for_python(program, watches, why)) {
      sampled = true;
      const EndReason reason =
          sample_target(found->process, found->target, sink, interner, options, watches);
      if (reason == EndReason::requested) return words_for(reason);
    }
    if (sampled || why.empty()) return words_for(EndReason::target_ended);
    return fmt::format("it has ended and was no Python that could be read: {}", why);
  };
}

}  // namespace gilspy

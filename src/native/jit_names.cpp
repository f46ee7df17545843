#include "jit_names.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace gilspy {
namespace {

/// At most so often is the file looked at, whatever is asked: it may be written to without end.
constexpr std::chrono::milliseconds shortest_refresh{20};
constexpr std::size_t max_answers = 1U << 16;

}  // namespace

void JitFile::refresh(Time now) {
  if (read_at_ && now - *read_at_ < shortest_refresh) return;
  read_at_ = now;
  changed_ = file_.refresh() || changed_;
}

JitFile::Answer JitFile::ask(RemoteAddress code, Time now) {
  refresh(now);
  if (answers_.size() >= max_answers) answers_.clear();
  return {code, answers_.insert_or_assign(code, file_.map().at(code)).first->second};
}

std::vector<JitFile::Answer> JitFile::corrections(Time now) {
  std::vector<Answer> corrected;
  refresh(now);
  if (!std::exchange(changed_, false)) return corrected;
  for (auto& [code, function] : answers_) {
    JitFunction is_now = file_.map().at(code);
    if (is_now == function) continue;
    function = std::move(is_now);
    corrected.push_back({code, function});
  }
  return corrected;
}

/// Between the loader's thread, which alone uses `file`, and the sampler's.
class JitNames::Found {
 public:
  explicit Found(PerfMapFile::Open open) : file(std::move(open)) {}

  void put(std::vector<JitFile::Answer> answers) {
    const std::lock_guard lock{mutex_};
    std::ranges::move(answers, std::back_inserter(answers_));
  }
  [[nodiscard]] std::vector<JitFile::Answer> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(answers_, {});
  }

  JitFile file;

 private:
  std::mutex mutex_;
  std::vector<JitFile::Answer> answers_;
};

JitNames::JitNames(NameLoader& loader, PerfMapFile::Open open)
    : loader_(loader), found_(std::make_shared<Found>(std::move(open))) {}
JitNames::~JitNames() = default;

const JitFunction* JitNames::at(RemoteAddress code) {
  const auto after = named_.upper_bound(code);
  if (after != named_.begin()) {
    const JitFunction& function = std::prev(after)->second;
    if (function.range.contains(code)) return &function;
  }
  if (const auto known = nameless_.find(code); known != nameless_.end()) return &known->second;
  if (!asked_.insert(code).second) return nullptr;
  const bool taken =
      loader_.later([code, found = found_] { found->put({found->file.ask(code, now())}); });
  if (!taken) asked_.erase(code);
  return nullptr;
}

std::vector<RemoteRange> JitNames::take() {
  std::vector<RemoteRange> changed;
  for (auto& [code, function] : found_->take()) {
    // Those that were asked for before code has come or gone may not be right any more.
    if (!asked_.contains(code)) continue;
    const auto after = named_.upper_bound(code);
    if (after != named_.begin() && std::prev(after)->second.range.contains(code)) {
      changed.push_back(std::prev(after)->second.range);
      named_.erase(std::prev(after));
    }
    if (nameless_.erase(code) > 0) changed.push_back({code, code + 1});
    if (function.name.empty()) {
      nameless_.emplace(code, std::move(function));
    } else {
      named_.insert_or_assign(function.range.begin, std::move(function));
    }
  }
  return changed;
}

void JitNames::look_again() {
  if (asked_.empty()) return;
  static_cast<void>(
      loader_.later([found = found_] { found->put(found->file.corrections(now())); }));
}

void JitNames::forget() {
  asked_.clear();
  named_.clear();
  nameless_.clear();
}

}  // namespace gilspy

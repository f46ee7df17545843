#include "name_loader.h"

#include <fmt/format.h>

#include <utility>

namespace gilspy {

NameLoader::NameLoader(Read read) : read_(std::move(read)), thread_([this] { work(); }) {}

NameLoader::~NameLoader() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string NameLoader::key_of(const Binary& file) {
  return fmt::format("{:x} {} {}", file.first.range.begin.value(), file.first.inode, file.path);
}

std::shared_ptr<const ModuleNames> NameLoader::names_of(const Binary& file) {
  const std::lock_guard lock{mutex_};
  const auto [entry, fresh] = known_.try_emplace(key_of(file));
  if (fresh) {
    wanted_.push_back(file);
    changed_.notify_all();
  }
  return entry->second;
}

void NameLoader::keep_only(const std::vector<Binary>& files) {
  {
    const std::lock_guard lock{mutex_};
    std::unordered_map<std::string, std::shared_ptr<const ModuleNames>> kept;
    wanted_.clear();
    for (const Binary& file : files) {
      const auto known = known_.find(key_of(file));
      const auto names = known == known_.end() ? nullptr : known->second;
      if (kept.emplace(key_of(file), names).second && names == nullptr) wanted_.push_back(file);
    }
    known_ = std::move(kept);
  }
  changed_.notify_all();
}

bool NameLoader::later(std::function<void()> task) {
  {
    const std::lock_guard lock{mutex_};
    if (tasks_.size() >= max_tasks) return false;
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
  return true;
}

void NameLoader::finish() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return wanted_.empty() && tasks_.empty() && !busy_; });
}

void NameLoader::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !wanted_.empty() || !tasks_.empty(); });
    if (ending_) return;
    busy_ = true;
    wanted_.empty() ? do_next(lock) : read_next(lock);
    busy_ = false;
    changed_.notify_all();
  }
}

void NameLoader::read_next(std::unique_lock<std::mutex>& lock) {
  const Binary file = std::move(wanted_.front());
  wanted_.pop_front();
  lock.unlock();
  auto names = std::make_shared<const ModuleNames>(read_(file));
  lock.lock();
  // Unless it has been forgotten meanwhile.
  if (const auto known = known_.find(key_of(file)); known != known_.end()) {
    known->second = std::move(names);
  }
}

void NameLoader::do_next(std::unique_lock<std::mutex>& lock) {
  const auto task = std::move(tasks_.front());
  tasks_.pop_front();
  lock.unlock();
  task();
  lock.lock();
}

}  // namespace gilspy

#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "gilspy/locate/binaries.h"
#include "module_names.h"

namespace gilspy {

/// Reads the names of files' functions in a thread of its own, and what else takes milliseconds,
/// which a sampler does not have.
class NameLoader {
 public:
  using Read = std::function<ModuleNames(const Binary&)>;

  explicit NameLoader(Read read);
  ~NameLoader();
  NameLoader(const NameLoader&) = delete;
  NameLoader& operator=(const NameLoader&) = delete;

  /// Null until they have been read; asks for it the first time.
  [[nodiscard]] std::shared_ptr<const ModuleNames> names_of(const Binary& file);
  /// Asks for these, and forgets all others.
  void keep_only(const std::vector<Binary>& files);
  /// Does something in that thread, once there is no file to read; false when too much is to be
  /// done already.
  bool later(std::function<void()> task);
  /// Waits until all that was asked for has been read, and done.
  void finish();

 private:
  static constexpr std::size_t max_tasks = 4096;

  static std::string key_of(const Binary& file);
  void work();
  void read_next(std::unique_lock<std::mutex>& lock);
  void do_next(std::unique_lock<std::mutex>& lock);

  Read read_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, std::shared_ptr<const ModuleNames>> known_;
  std::deque<Binary> wanted_;
  std::deque<std::function<void()>> tasks_;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace gilspy

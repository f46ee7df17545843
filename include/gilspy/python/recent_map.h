#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <unordered_map>

#include "gilspy/base/time.h"

namespace gilspy {

/// What is known of things in a target, by their addresses, where things come and go for as long as
/// the target runs: what was not used for a while is forgotten, so that memory stays bounded.
template <class Key, class Value>
class RecentMap {
 public:
  static constexpr Duration patience = std::chrono::seconds{10};

  /// Forgets nothing while there are no more than so many.
  explicit RecentMap(std::size_t spared) : spared_(spared), limit_(spared) {}

  /// Uses the entry; makes it if there is none.
  Value& operator[](const Key& key) {
    Entry& entry = entries_[key];
    entry.used = now_;
    return entry.value;
  }
  /// Uses the entry if there is one.
  Value* use(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    found->second.used = now_;
    return &found->second.value;
  }
  /// Looks at it without using it.
  [[nodiscard]] const Value* find(const Key& key) const {
    const auto found = entries_.find(key);
    return found != entries_.end() ? &found->second.value : nullptr;
  }
  void erase(const Key& key) { entries_.erase(key); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  /// Tells the time. The one place where entries go by themselves: when there are twice as many as
  /// were left the last time.
  void trim(Time now) {
    now_ = now;
    if (entries_.size() <= limit_) return;
    std::erase_if(entries_,
                  [now](const auto& entry) { return now - entry.second.used > patience; });
    limit_ = std::max(spared_, 2 * entries_.size());
  }

 private:
  struct Entry {
    Value value{};
    Time used;
  };

  std::size_t spared_;
  std::size_t limit_;
  Time now_;
  std::unordered_map<Key, Entry> entries_;
};

}  // namespace gilspy

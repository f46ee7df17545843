#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gilspy/base/address.h"
#include "gilspy/base/unique_fd.h"

namespace gilspy {

/// A function that a process has made itself: where none is known, of an empty range.
struct JitFunction {
  RemoteRange range;
  std::string name;
  friend bool operator==(const JitFunction&, const JitFunction&) = default;
};

/// What code that a process has made itself is called: the lines "START SIZE name", in hexadecimal,
/// that JITs write for perf (tools/perf/Documentation/jit-interface.txt in Linux). Of lines for the
/// same place the last one counts.
class PerfMap {
 public:
  /// Adds whole lines; those that make no sense are left out.
  void add(std::string_view lines);
  [[nodiscard]] JitFunction at(RemoteAddress code) const;
  [[nodiscard]] std::size_t size() const { return functions_.size(); }

 private:
  struct Function {
    RemoteAddress end;
    std::string name;
  };
  void put(const RemoteRange& range, std::string_view name);
  void make_room(const RemoteRange& range);

  std::map<RemoteAddress, Function> functions_;  // by where they begin; none lies in another
};

/// Such a file, as far as it has been written and read. Who may write to it is the target's user.
class PerfMapFile {
 public:
  /// Opens what has the name now; none when there is no such file.
  using Open = std::function<UniqueFd()>;

  explicit PerfMapFile(Open open) : open_(std::move(open)) {}
  /// Reads what was added; all, where there is another file or it was written anew. True when there
  /// was something to read.
  bool refresh();
  [[nodiscard]] const PerfMap& map() const { return map_; }

 private:
  struct Identity {
    dev_t device;
    ino_t inode;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  void read_on(int file, off_t size);

  Open open_;
  std::optional<Identity> identity_;
  off_t done_ = 0;  // so much of it was read
  PerfMap map_;
};

}  // namespace gilspy

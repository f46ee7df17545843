#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gilspy/base/time.h"
#include "gilspy/native/code_map.h"
#include "gilspy/native/merge.h"

namespace gilspy {

/// A function of the target's, as people know it.
struct NativeFunction {
  std::string name;
  std::string library;  ///< the file it is in, without its folder
  NativeRole role = NativeRole::plain;
  /// Where it is written, and the line at the address, as far as debug information tells and it has
  /// been read: "" and 0 until then.
  std::string source;
  std::uint32_t first_line = 0;
  std::uint32_t line = 0;
  bool awaits_line = false;  ///< that is being read
};

/// Names the functions of a process. Files are read in a thread of their own; each address is
/// looked up once.
class NativeNames {
 public:
  /// The process must outlive this.
  NativeNames(const ProcDir& process, CodeMap& code);
  ~NativeNames();
  NativeNames(const NativeNames&) = delete;
  NativeNames& operator=(const NativeNames&) = delete;

  /// Begins to read the names of all modules there are, and forgets those of others.
  void prepare();
  /// Waits for all that is being read. Returns those addresses that awaited their line.
  std::vector<RemoteAddress> finish();

  /// The function around an address; null while its file is being read. One that a JIT has made is
  /// called as it says in /tmp/perf-PID.map, which may come late. One without a name is
  /// called by its place in the file. Good until forget() or keep_up().
  [[nodiscard]] const NativeFunction* at(RemoteAddress code);
  /// To be called when code has come or gone.
  void forget();
  /// To be called now and then: takes what was read since, and forgets all when that is too much.
  /// Returns those addresses that no longer await their line.
  std::vector<RemoteAddress> keep_up(Time now);

 private:
  class Loader;
  class Lines;
  struct Source;
  struct Answer;

  [[nodiscard]] std::optional<NativeFunction> file_at(RemoteAddress code, const Module& module);
  [[nodiscard]] std::optional<NativeFunction> generated_at(RemoteAddress code,
                                                           const Module& module);
  void find_lines(RemoteAddress code, NativeFunction& function);
  [[nodiscard]] std::vector<RemoteAddress> take_lines();
  void take_names();
  [[nodiscard]] const Source* source_of(RemoteAddress code) const;
  CodeMap& code_;
  std::shared_ptr<Lines> lines_;
  std::unique_ptr<Loader> loader_;
  std::unordered_map<RemoteAddress, NativeFunction> known_;
  std::map<RemoteAddress, Source> sources_;       // by where the function begins
  std::unordered_set<RemoteAddress> looked_for_;  // likewise
  /// Addresses in those of them that are still being read.
  std::unordered_map<RemoteAddress, std::vector<RemoteAddress>> waiting_;
  std::vector<RemoteAddress> postponed_;  // there was too much to be read already
  Time looked_again_at_;
};

}  // namespace gilspy

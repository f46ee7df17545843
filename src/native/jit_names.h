#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gilspy/base/address.h"
#include "gilspy/base/time.h"
#include "name_loader.h"
#include "perf_map.h"

namespace gilspy {

/// What the file in which JITs write names says, and whether it says the same later on: a name may
/// come after its code has run, or its place be given to another function.
class JitFile {
 public:
  struct Answer {
    RemoteAddress code;
    JitFunction function;
  };

  explicit JitFile(PerfMapFile::Open open) : file_(std::move(open)) {}
  [[nodiscard]] Answer ask(RemoteAddress code, Time now);
  /// Of all that was asked, what has another answer now.
  [[nodiscard]] std::vector<Answer> corrections(Time now);

 private:
  void refresh(Time now);

  PerfMapFile file_;
  std::optional<Time> read_at_;
  bool changed_ = false;
  std::unordered_map<RemoteAddress, JitFunction> answers_;
};

/// The names of such functions. The file is read in the loader's thread.
class JitNames {
 public:
  /// The loader must outlive this.
  JitNames(NameLoader& loader, PerfMapFile::Open open);
  ~JitNames();
  JitNames(const JitNames&) = delete;
  JitNames& operator=(const JitNames&) = delete;

  /// The function around an address; null while it is being looked for, which begins with the first
  /// question. Good until take() or forget().
  [[nodiscard]] const JitFunction* at(RemoteAddress code);
  /// Takes what was found since. Returns where functions have got another name.
  std::vector<RemoteRange> take();
  /// Looks whether the file says more now.
  void look_again();
  /// To be called when code has come or gone.
  void forget();

 private:
  class Found;

  NameLoader& loader_;
  std::shared_ptr<Found> found_;
  std::unordered_set<RemoteAddress> asked_;
  std::map<RemoteAddress, JitFunction> named_;  // by where they begin
  std::unordered_map<RemoteAddress, JitFunction> nameless_;
};

}  // namespace gilspy

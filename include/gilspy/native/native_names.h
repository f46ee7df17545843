#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "gilspy/native/code_map.h"
#include "gilspy/native/merge.h"

namespace gilspy {

/// A function of the target's, as people know it.
struct NativeFunction {
  std::string name;
  std::string library;  ///< the file it is in, without its folder
  NativeRole role = NativeRole::plain;
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
  /// Waits for it.
  void finish();

  /// The function around an address; null while its file is being read. One without a name is
  /// called by its place in the file. Good until forget() or keep_small().
  [[nodiscard]] const NativeFunction* at(RemoteAddress code);
  /// To be called when code has come or gone.
  void forget();
  /// To be called now and then: forgets all when that is too much.
  void keep_small();

 private:
  class Loader;
  CodeMap& code_;
  std::unique_ptr<Loader> loader_;
  std::unordered_map<RemoteAddress, NativeFunction> known_;
};

}  // namespace gilspy

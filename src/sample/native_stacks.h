#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/model/events.h"
#include "gilspy/model/tables.h"
#include "gilspy/native/code_map.h"
#include "gilspy/native/merge.h"
#include "gilspy/native/native_names.h"
#include "gilspy/native/unwinder.h"
#include "gilspy/python/stack_reader.h"
#include "lanes.h"
#include "stack_events.h"

namespace gilspy {

/// Reads stacks with the native functions in them. A thread's native and Python stacks are of one
/// moment: one that blocks has not had a CPU while both were read, and one that runs had the same
/// Python stack before the kernel copied its native one and after it. Where the kernel does not,
/// or stopping was asked for, the thread is stopped, alone, for as long as it takes to copy both.
class NativeStacks {
 public:
  NativeStacks(const ProcDir& process, MemoryReader& memory, StackReader& stacks,
               Interner& interner, bool stop);

  /// Looks at what code is mapped now.
  void refresh(Time at);
  /// Looks again when an address in no code was met since.
  void keep_up(Time at);

  void wait_for_names() { tell_lines(names_.finish()); }

  /// The thread's stack; where the native functions cannot be had, as it is without them. Nothing
  /// when the thread has no CPU, and so cannot make its copy: then it comes with read_late().
  [[nodiscard]] Result<std::optional<StackId>> read(const Lane& lane);
  /// Whether a stack of the thread is still to come.
  [[nodiscard]] bool owes(const Lane& lane) const { return owed_.contains(lane.tid); }
  /// The stack, if it has come: as of now.
  [[nodiscard]] Result<std::optional<StackId>> read_late(const Lane& lane);

  /// What a reader should know, once: that threads are stopped, and why.
  [[nodiscard]] std::optional<std::string> take_note();
  /// The counts since the last time, and begins anew.
  [[nodiscard]] NativeCounted take_counts(Time at);

 private:
  [[nodiscard]] Result<StackId> read_idle(const Lane& lane, const SyscallNow& call);
  /// What a copy that has not come yet was asked for with.
  struct Debt {
    StackId python;  ///< Python's part, as it was then
    Duration ran{};  ///< the thread's time on a CPU until then
  };

  [[nodiscard]] Result<std::optional<StackId>> read_running(const Lane& lane);
  void drop_if_silent(const Lane& lane, const Debt& debt);
  [[nodiscard]] bool copy_running(StackEvent& event);
  [[nodiscard]] Result<StackId> read_stopped(const Lane& lane);
  [[nodiscard]] Result<StackId> read_python_alone(const Lane& lane);
  [[nodiscard]] Result<StackId> python_of(const Lane& lane);
  [[nodiscard]] Result<void> read_python(const Lane& lane);
  void copy_stack();
  [[nodiscard]] Unwound follow();
  [[nodiscard]] StackId put_together();
  [[nodiscard]] StackId intern(const Merged& merged);
  [[nodiscard]] std::uint32_t line_of(CodeId code, const NativeFunction& function);
  void tell_lines(const std::vector<RemoteAddress>& places);

  const ProcDir& process_;
  MemoryReader& memory_;
  StackReader& stacks_;
  Interner& interner_;
  CodeMap code_;
  Unwinder unwinder_;
  NativeNames names_;
  StackEvents events_;
  std::unordered_map<Tid, Debt> owed_;
  bool stop_;
  bool noted_ = false;
  NativeCounted counts_;
  Time refreshed_at_;
  bool lost_ = false;  ///< an address in no code was met
  // Of the thread that is being read.
  ThreadImage image_;
  std::vector<StackReader::Frame> python_;
  std::vector<const NativeFunction*> native_;
  std::vector<RemoteAddress> places_;  // of these
  std::vector<NativeRole> roles_;
  std::vector<ReadSlot> slots_;
};

}  // namespace gilspy

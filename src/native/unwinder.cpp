#include "gilspy/native/unwinder.h"

#include <libunwind.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "call_check.h"
#include "gilspy/base/bytes.h"
#include "trampoline.h"

// Not declared in libunwind.h, but exported for those who look for frame descriptions by
// themselves; perf relies on it too (tools/perf/util/unwind-libunwind-local.c).
#define dwarf_search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
extern "C" int dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t* di,
                                         unw_proc_info_t* pi, int need_unwind_info, void* arg);

namespace gilspy {
namespace {

/// Deeper stacks lose their outermost functions.
constexpr std::size_t max_frames = 512;
/// Reads of the target's words for one stack: descriptions may hold loops.
constexpr std::size_t max_reads = 200'000;
/// Places of a stack that may be where a function was called from.
constexpr std::size_t max_calls = 64;
constexpr std::uint64_t word = 8;

/// DWARF number of each of libunwind's x86-64 registers: they are the same (libunwind-x86_64.h).
static_assert(UNW_X86_64_RBP == Registers::frame_pointer);
static_assert(UNW_X86_64_RSP == Registers::stack_pointer);
static_assert(UNW_X86_64_RIP == Registers::instruction);

/// What the accessors that libunwind calls look at.
struct Source {
  CodeMap& code;
  const std::vector<std::byte>& stack;
  std::uint64_t stack_begin;  ///< where the copy of it was
  Registers registers;
  std::size_t reads = 0;
  bool undescribed = false;       ///< asked for an address that has no description
  bool no_frame_pointer = false;  ///< asked for %rbp, which is not known
};

/// A stack as it was followed.
struct Walk {
  Unwound found;
  std::vector<std::uint64_t> stack_pointers;  ///< of each frame, once what it called is over
  bool no_frame_pointer = false;              ///< why it ends: its last frame is found by %rbp
};

Source& source_of(void* arg) { return *static_cast<Source*>(arg); }

int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t* info, int need,
                   void* arg) {
  Source& source = source_of(arg);
  const Module* module = source.code.module_at(RemoteAddress{ip});
  if (module == nullptr || !module->frames) {
    source.undescribed = true;
    return -UNW_ENOINFO;
  }
  unw_dyn_info_t table{};
  table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  table.start_ip = module->code.front().begin.value();
  table.end_ip = module->code.back().end.value();
  // libunwind's own struct holds a union.
  // NOLINTBEGIN(cppcoreguidelines-pro-type-union-access)
  table.u.rti.segbase = module->frames->header.value();
  table.u.rti.table_data = module->frames->rows.value();
  table.u.rti.table_len = module->frames->count;  // in words, and a row is one
  // NOLINTEND(cppcoreguidelines-pro-type-union-access)
  const int result = dwarf_search_unwind_table(space, ip, &table, info, need, arg);
  if (result == -UNW_ENOINFO) source.undescribed = true;
  return result;
}

// libunwind frees it itself.
void put_unwind_info(unw_addr_space_t /*space*/, unw_proc_info_t* /*info*/, void* /*arg*/) {}

int no_dynamic_info(unw_addr_space_t /*space*/, unw_word_t* /*address*/, void* /*arg*/) {
  return -UNW_ENOINFO;
}

int access_memory(unw_addr_space_t /*space*/, unw_word_t address, unw_word_t* value, int write,
                  void* arg) {
  Source& source = source_of(arg);
  if (write != 0 || ++source.reads > max_reads) return -UNW_EINVAL;
  std::optional<std::uint64_t> found;
  if (address >= source.stack_begin) {
    found = load<std::uint64_t>(source.stack, address - source.stack_begin);
  }
  if (!found) found = source.code.word_at(RemoteAddress{address});
  if (!found) return -UNW_EINVAL;
  *value = *found;
  return 0;
}

int access_register(unw_addr_space_t /*space*/, unw_regnum_t number, unw_word_t* value, int write,
                    void* arg) {
  Source& source = source_of(arg);
  const Registers& registers = source.registers;
  if (write != 0) return -UNW_EREADONLYREG;
  if (number < 0 || !registers.knows(static_cast<std::size_t>(number))) {
    source.no_frame_pointer = source.no_frame_pointer || number == UNW_X86_64_RBP;
    return -UNW_EBADREG;
  }
  *value = registers[static_cast<std::size_t>(number)];
  return 0;
}

int no_float_register(unw_addr_space_t /*space*/, unw_regnum_t /*number*/, unw_fpreg_t* /*value*/,
                      int /*write*/, void* /*arg*/) {
  return -UNW_EBADREG;
}

int no_resume(unw_addr_space_t /*space*/, unw_cursor_t* /*cursor*/, void* /*arg*/) {
  return -UNW_EINVAL;
}

int no_name(unw_addr_space_t /*space*/, unw_word_t /*address*/, char* /*name*/, size_t /*size*/,
            unw_word_t* /*offset*/, void* /*arg*/) {
  return -UNW_ENOINFO;
}

/// A place on a stack that is being followed, one function at a time.
class Cursor {
 public:
  enum class Step : std::uint8_t { done, at_the_end, failed };

  Cursor(unw_addr_space_t space, const Source& source)
      : space_(space), source_(source), good_(unw_init_remote(&cursor_, space_, &source_) == 0) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() = default;

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::optional<std::uint64_t> get(int number) {
    unw_word_t value = 0;
    if (unw_get_reg(&cursor_, number, &value) != 0) return std::nullopt;
    return value;
  }
  [[nodiscard]] bool is_signal_frame() { return unw_is_signal_frame(&cursor_) > 0; }
  /// Whether the last step failed because %rbp was needed, which is not known.
  [[nodiscard]] bool lacks_frame_pointer() const {
    return source_.no_frame_pointer && !source_.undescribed;
  }

  [[nodiscard]] Step step() {
    const auto kind = trampoline();
    if (kind != TrampolineKind::none) return leave_trampoline(kind) ? Step::done : Step::failed;
    source_.undescribed = false;
    const int result = unw_step(&cursor_);
    // Without a description libunwind goes on by %rbp, which may be anything.
    if (result < 0 || source_.undescribed) return Step::failed;
    return result == 0 ? Step::at_the_end : Step::done;
  }

 private:
  [[nodiscard]] TrampolineKind trampoline() {
    const auto back = get(UNW_REG_IP);
    return back ? trampoline_at(source_.code, RemoteAddress{*back}) : TrampolineKind::none;
  }

  /// Begins anew where it was called, with what its caller's registers were.
  [[nodiscard]] bool leave_trampoline(TrampolineKind kind) {
    Registers registers;
    for (std::size_t number = 0; number < Registers::count; ++number) {
      if (const auto value = get(static_cast<int>(number))) registers.set(number, *value);
    }
    const std::uint64_t kept = registers[Registers::stack_pointer];
    unw_word_t back = 0;
    unw_word_t frame_pointer = 0;
    if (access_memory(space_, kept + word, &back, 0, &source_) != 0) return false;
    if (kind == TrampolineKind::frame_pointer) {
      if (access_memory(space_, kept, &frame_pointer, 0, &source_) != 0) return false;
      registers.set(Registers::frame_pointer, frame_pointer);
    }
    registers.set(Registers::stack_pointer, kept + 2 * word);
    registers.set(Registers::instruction, back);
    source_.registers = registers;
    return unw_init_remote(&cursor_, space_, &source_) == 0;
  }

  unw_addr_space_t space_;
  Source source_;
  unw_cursor_t cursor_{};
  bool good_;
};

/// The stack pointer when as many functions are over.
std::optional<std::uint64_t> stack_pointer_after(unw_addr_space_t space, const Source& source,
                                                 std::size_t frames) {
  Cursor cursor{space, source};
  if (!cursor.good()) return std::nullopt;
  for (; frames > 0; --frames) {
    if (cursor.step() == Cursor::Step::failed) return std::nullopt;
  }
  return cursor.get(UNW_REG_SP);
}

Walk follow(unw_addr_space_t space, const Source& source) {
  Walk walk;
  Unwound& found = walk.found;
  Cursor cursor{space, source};
  bool exact = true;  // the address is that of an instruction, not one to return to
  while (cursor.good() && found.frames.size() < max_frames) {
    const auto ip = cursor.get(UNW_REG_IP);
    const auto stack_pointer = cursor.get(UNW_REG_SP);
    if (!ip || *ip == 0 || !stack_pointer) break;
    // What leads out of all code is no frame.
    const RemoteAddress at{exact ? *ip : *ip - 1};
    found.astray = source.code.module_at(at) == nullptr;
    if (found.astray) break;
    found.frames.push_back({at});
    walk.stack_pointers.push_back(*stack_pointer);
    exact = cursor.is_signal_frame();
    const auto step = cursor.step();
    walk.no_frame_pointer = step == Cursor::Step::failed && cursor.lacks_frame_pointer();
    found.whole = step == Cursor::Step::at_the_end;
    if (step != Cursor::Step::done) break;
  }
  return walk;
}

/// The places from a stack pointer on that hold where to return to from a call of this function.
std::vector<std::uint64_t> calls_of(const Source& source, RemoteAddress function,
                                    std::uint64_t stack_pointer) {
  std::vector<std::uint64_t> places;
  const std::uint64_t begin = source.stack_begin;
  for (std::uint64_t at = stack_pointer - begin; places.size() < max_calls; at += word) {
    const auto back = load<std::uint64_t>(source.stack, at);
    if (!back) break;
    const bool is_code = source.code.module_at(RemoteAddress{*back}) != nullptr;
    if (is_code && is_call_to(source.code, RemoteAddress{*back}, function)) {
      places.push_back(begin + at);
    }
  }
  return places;
}

/// Goes on where %rbp is needed and not known. Its value then is still the thread's own, and one
/// that leads to a call of the function that needs it. The memory of a stack may hold calls that
/// are long over: it is sure only when the first such call leads to the thread's first function, by
/// way of all the others.
Walk with_frame_pointer(unw_addr_space_t space, Source source, Walk walk) {
  const std::size_t depth = walk.found.frames.size();
  const std::uint64_t stack_pointer = walk.stack_pointers.back();
  const RemoteAddress at = walk.found.frames.back().at;
  const auto function = source.code.function_begin(*source.code.module_at(at), at);
  if (!function) return walk;
  const auto calls = calls_of(source, *function, stack_pointer);
  if (calls.empty()) return walk;
  source.registers.set(Registers::frame_pointer, stack_pointer);
  const auto end = stack_pointer_after(space, source, depth);
  if (!end) return walk;
  const std::uint64_t distance = *end - stack_pointer;
  source.registers.set(Registers::frame_pointer, calls.front() + word - distance);
  Walk further = follow(space, source);
  const auto is_on_it = [&](std::uint64_t call) {
    return std::ranges::find(further.stack_pointers, call + word) != further.stack_pointers.end();
  };
  const bool sure = further.found.whole && further.stack_pointers.size() > depth &&
                    further.stack_pointers[depth] == calls.front() + word &&
                    std::ranges::all_of(calls, is_on_it);
  return sure ? further : walk;
}

}  // namespace

class Unwinder::Space {
 public:
  explicit Space(CodeMap& code_map) : code(code_map) {
    unw_accessors_t accessors{};
    accessors.find_proc_info = find_proc_info;
    accessors.put_unwind_info = put_unwind_info;
    accessors.get_dyn_info_list_addr = no_dynamic_info;
    accessors.access_mem = access_memory;
    accessors.access_reg = access_register;
    accessors.access_fpreg = no_float_register;
    accessors.resume = no_resume;
    accessors.get_proc_name = no_name;
    handle = unw_create_addr_space(&accessors, 0);
    if (handle != nullptr) unw_set_caching_policy(handle, UNW_CACHE_GLOBAL);
  }
  Space(const Space&) = delete;
  Space& operator=(const Space&) = delete;
  ~Space() {
    if (handle != nullptr) unw_destroy_addr_space(handle);
  }

  CodeMap& code;
  unw_addr_space_t handle = nullptr;
};

Unwinder::Unwinder(CodeMap& code) : space_(std::make_unique<Space>(code)) {}
Unwinder::~Unwinder() = default;

void Unwinder::forget() {
  if (space_->handle != nullptr) unw_flush_cache(space_->handle, 0, 0);
}

Unwound Unwinder::unwind(const ThreadImage& thread) {
  if (space_->handle == nullptr) return {};
  const Source source{space_->code, thread.stack, thread.registers[Registers::stack_pointer],
                      thread.registers};
  Walk walk = follow(space_->handle, source);
  if (walk.no_frame_pointer) walk = with_frame_pointer(space_->handle, source, std::move(walk));
  return std::move(walk.found);
}

}  // namespace gilspy

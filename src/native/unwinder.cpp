#include "gilspy/native/unwinder.h"

#include <libunwind.h>

#include <optional>

#include "gilspy/base/bytes.h"

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

/// DWARF number of each of libunwind's x86-64 registers: they are the same (libunwind-x86_64.h).
static_assert(UNW_X86_64_RSP == Registers::stack_pointer);
static_assert(UNW_X86_64_RIP == Registers::instruction);

/// What the accessors that libunwind calls look at.
struct Source {
  CodeMap& code;
  const ThreadImage& thread;
  std::size_t reads = 0;
  bool undescribed = false;  ///< asked for an address that has no description
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
  const std::uint64_t stack = source.thread.registers[Registers::stack_pointer];
  std::optional<std::uint64_t> word;
  if (address >= stack) word = load<std::uint64_t>(source.thread.stack, address - stack);
  if (!word) word = source.code.word_at(RemoteAddress{address});
  if (!word) return -UNW_EINVAL;
  *value = *word;
  return 0;
}

int access_register(unw_addr_space_t /*space*/, unw_regnum_t number, unw_word_t* value, int write,
                    void* arg) {
  const Registers& registers = source_of(arg).thread.registers;
  if (write != 0) return -UNW_EREADONLYREG;
  if (number < 0 || !registers.knows(static_cast<std::size_t>(number))) return -UNW_EBADREG;
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
  Unwound found;
  Source source{space_->code, thread};
  unw_cursor_t cursor;
  if (space_->handle == nullptr || unw_init_remote(&cursor, space_->handle, &source) != 0) {
    return found;
  }
  bool exact = true;  // the address is that of an instruction, not one to return to
  while (found.frames.size() < max_frames) {
    unw_word_t ip = 0;
    if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 || ip == 0) break;
    // What leads out of all code is no frame.
    const RemoteAddress at{exact ? ip : ip - 1};
    found.astray = space_->code.module_at(at) == nullptr;
    if (found.astray) return found;
    found.frames.push_back({at});
    exact = unw_is_signal_frame(&cursor) > 0;
    source.undescribed = false;
    const int step = unw_step(&cursor);
    // Without a description libunwind goes on by %rbp, which may be anything.
    if (step < 0 || source.undescribed) return found;
    if (step == 0) {
      found.whole = true;
      break;
    }
  }
  return found;
}

}  // namespace gilspy

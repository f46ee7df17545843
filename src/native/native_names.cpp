#include "gilspy/native/native_names.h"

#include <fmt/format.h>

#include <iterator>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "gilspy/base/text.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/os/target_root.h"
#include "jit_names.h"
#include "name_loader.h"
#include "trampoline.h"

namespace gilspy {
namespace {

/// Addresses kept: a program has less that are ever seen on a stack.
constexpr std::size_t max_known = 1U << 18;

/// So often is looked for names that JITs have written down since.
constexpr Duration jit_interval = std::chrono::seconds{1};

constexpr std::string_view generated_library = "[anonymous]";
/// Of the names that CPython gives to its trampolines (Python/perf_trampoline.c).
constexpr std::string_view trampoline_prefix = "py::";

std::string place_in(const Module& module, RemoteAddress begin) {
  const RemoteAddress base = module.file.first.range.begin - module.file.first.offset;
  return fmt::format("+{:#x}", begin - base);
}

/// What is named like this was written by the process, or by whoever may write to its folder.
UniqueFd open_perf_map(const ProcDir& process) {
  const auto pid = process.id_inside(Tid{process.pid().value});
  if (!pid) return UniqueFd{};
  return open_own_in_root(process, fmt::format("/tmp/perf-{}.map", *pid));
}

}  // namespace

class NativeNames::Loader {
 public:
  explicit Loader(const ProcDir& process)
      : memory_(process.pid()),
        files([this, &process](const Binary& file) {
          return read_module_names(process, memory_, file);
        }),
        generated(files, [&process] { return open_perf_map(process); }) {}

 private:
  ProcessMemory memory_;  // of the loader's thread alone

 public:
  NameLoader files;
  JitNames generated;
};

/// A function's source, and what to add to its addresses to get the target's.
struct NativeNames::Source {
  SourceFunction function;
  std::uint64_t bias = 0;

  void put(RemoteAddress code, NativeFunction& into) const {
    into.source = function.file;
    into.first_line = function.first_line;
    into.line = function.line_at(code.value() - bias);
  }
};

struct NativeNames::Answer {
  RemoteAddress begin;  ///< of the function that was asked for
  std::optional<Source> source;
};

/// What the loader's thread has found, to be taken by the sampler's.
class NativeNames::Lines {
 public:
  void put(Answer answer) {
    const std::lock_guard lock{mutex_};
    found_.push_back(std::move(answer));
  }
  [[nodiscard]] std::vector<Answer> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(found_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Answer> found_;
};

NativeNames::NativeNames(const ProcDir& process, CodeMap& code)
    : code_(code), lines_(std::make_shared<Lines>()), loader_(std::make_unique<Loader>(process)) {}
NativeNames::~NativeNames() = default;

void NativeNames::prepare() {
  std::vector<Binary> files;
  for (const Module& module : code_.modules()) files.push_back(module.file);
  loader_->files.keep_only(files);
}

std::vector<RemoteAddress> NativeNames::finish() {
  loader_->files.finish();
  take_names();
  return take_lines();
}

void NativeNames::forget() {
  known_.clear();
  sources_.clear();
  looked_for_.clear();
  waiting_.clear();
  postponed_.clear();
  loader_->generated.forget();
  // What is still to come is of code that is gone.
  lines_ = std::make_shared<Lines>();
}

std::vector<RemoteAddress> NativeNames::keep_up(Time now) {
  if (known_.size() > max_known) forget();
  if (now - looked_again_at_ >= jit_interval) {
    looked_again_at_ = now;
    loader_->generated.look_again();
  }
  take_names();
  std::vector<RemoteAddress> told = take_lines();
  for (const RemoteAddress code : std::exchange(postponed_, {})) {
    const auto known = known_.find(code);
    if (known == known_.end()) continue;
    find_lines(code, known->second);
    if (!known->second.awaits_line) told.push_back(code);
  }
  return told;
}

void NativeNames::take_names() {
  for (const RemoteRange& range : loader_->generated.take()) {
    std::erase_if(known_, [&](const auto& known) { return range.contains(known.first); });
  }
}

std::vector<RemoteAddress> NativeNames::take_lines() {
  std::vector<RemoteAddress> told;
  for (Answer& answer : lines_->take()) {
    if (answer.source) {
      const RemoteAddress begin{answer.source->function.begin + answer.source->bias};
      sources_.insert_or_assign(begin, std::move(*answer.source));
    }
    const auto waiting = waiting_.extract(answer.begin);
    if (waiting.empty()) continue;
    for (const RemoteAddress code : waiting.mapped()) {
      const auto known = known_.find(code);
      if (known == known_.end()) continue;
      known->second.awaits_line = false;
      if (const Source* source = source_of(code)) source->put(code, known->second);
      told.push_back(code);
    }
  }
  return told;
}

const NativeNames::Source* NativeNames::source_of(RemoteAddress code) const {
  const auto after = sources_.upper_bound(code);
  if (after == sources_.begin()) return nullptr;
  const Source& source = std::prev(after)->second;
  return code.value() - source.bias < source.function.end ? &source : nullptr;
}

/// Has them looked up the first time that a function is seen.
void NativeNames::find_lines(RemoteAddress code, NativeFunction& function) {
  function.awaits_line = false;
  if (const Source* source = source_of(code)) {
    source->put(code, function);
    return;
  }
  const Module* module = code_.module_at(code);
  if (module == nullptr) return;
  const RemoteAddress begin = code_.function_begin(*module, code).value_or(code);
  if (looked_for_.contains(begin)) {
    const auto waiting = waiting_.find(begin);
    if (waiting == waiting_.end()) return;
    waiting->second.push_back(code);
    function.awaits_line = true;
    return;
  }
  const auto names = loader_->files.names_of(module->file);
  if (names == nullptr || names->lines == nullptr) return;
  function.awaits_line = true;
  const bool taken = loader_->files.later([code, begin, names, into = lines_] {
    Answer answer{begin, std::nullopt};
    auto found = names->lines->function_at(code.value() - names->bias);
    if (found) answer.source = {std::move(*found), names->bias};
    into->put(std::move(answer));
  });
  if (!taken) {
    postponed_.push_back(code);
    return;
  }
  looked_for_.insert(begin);
  waiting_[begin].push_back(code);
}

const NativeFunction* NativeNames::at(RemoteAddress code) {
  const auto known = known_.find(code);
  if (known != known_.end()) return &known->second;
  const Module* module = code_.module_at(code);
  if (module == nullptr) return nullptr;
  auto function = module->is_generated() ? generated_at(code, *module) : file_at(code, *module);
  if (!function) return nullptr;
  return &known_.emplace(code, std::move(*function)).first->second;
}

std::optional<NativeFunction> NativeNames::file_at(RemoteAddress code, const Module& module) {
  const auto names = loader_->files.names_of(module.file);
  if (names == nullptr) return std::nullopt;
  NativeFunction function;
  function.library = std::string{basename_of(module.file.path)};
  const auto found = names->functions.at(code.value() - names->bias);
  if (!found.name.empty()) {
    function.name = readable_name(found.name);
    function.role = role_of(function.name);
  } else {
    function.name = place_in(module, code_.function_begin(module, code).value_or(code));
    if (names->interpreter) function.role = NativeRole::nameless;
  }
  if (function.role == NativeRole::plain) find_lines(code, function);
  return function;
}

std::optional<NativeFunction> NativeNames::generated_at(RemoteAddress code, const Module& module) {
  NativeFunction function;
  function.library = generated_library;
  if (trampoline_at(code_, code + 1) != TrampolineKind::none) {
    function.role = NativeRole::machinery;
    return function;
  }
  const JitFunction* found = loader_->generated.at(code);
  if (found == nullptr) return std::nullopt;
  function.name = found->name.empty() ? place_in(module, code) : readable_name(found->name);
  // In a trampoline, but not at its call.
  if (found->name.starts_with(trampoline_prefix)) function.role = NativeRole::machinery;
  return function;
}

}  // namespace gilspy

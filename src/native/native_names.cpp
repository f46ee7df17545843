#include "gilspy/native/native_names.h"

#include <fmt/format.h>

#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "gilspy/base/text.h"
#include "gilspy/os/process_memory.h"
#include "name_loader.h"

namespace gilspy {
namespace {

/// Addresses kept: a program has less that are ever seen on a stack.
constexpr std::size_t max_known = 1U << 18;

}  // namespace

class NativeNames::Loader {
 public:
  explicit Loader(const ProcDir& process)
      : memory_(process.pid()), files([this, &process](const Binary& file) {
          return read_module_names(process, memory_, file);
        }) {}

 private:
  ProcessMemory memory_;  // of the loader's thread alone

 public:
  NameLoader files;
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

/// What the loader's thread has found, to be taken by the sampler's.
class NativeNames::Lines {
 public:
  void put(Source found) {
    const std::lock_guard lock{mutex_};
    found_.push_back(std::move(found));
  }
  [[nodiscard]] std::vector<Source> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(found_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Source> found_;
};

NativeNames::NativeNames(const ProcDir& process, CodeMap& code)
    : code_(code), lines_(std::make_shared<Lines>()), loader_(std::make_unique<Loader>(process)) {}
NativeNames::~NativeNames() = default;

void NativeNames::prepare() {
  std::vector<Binary> files;
  for (const Module& module : code_.modules()) files.push_back(module.file);
  loader_->files.keep_only(files);
}

void NativeNames::finish() {
  loader_->files.finish();
  take_lines();
}

void NativeNames::forget() {
  known_.clear();
  sources_.clear();
  looked_for_.clear();
  // What is still to come is of code that is gone.
  lines_ = std::make_shared<Lines>();
}

void NativeNames::keep_up() {
  if (known_.size() > max_known) forget();
  take_lines();
}

void NativeNames::take_lines() {
  for (Source& found : lines_->take()) {
    const RemoteAddress begin{found.function.begin + found.bias};
    const Source& source = sources_.insert_or_assign(begin, std::move(found)).first->second;
    const RemoteRange range{begin, RemoteAddress{source.function.end + source.bias}};
    for (auto& [code, function] : known_) {
      if (range.contains(code)) source.put(code, function);
    }
  }
}

const NativeNames::Source* NativeNames::source_of(RemoteAddress code) const {
  const auto after = sources_.upper_bound(code);
  if (after == sources_.begin()) return nullptr;
  const Source& source = std::prev(after)->second;
  return code.value() - source.bias < source.function.end ? &source : nullptr;
}

/// Has them looked up the first time that a function is seen.
void NativeNames::find_lines(RemoteAddress code, const Module& module, NativeFunction& function) {
  if (const Source* source = source_of(code)) {
    source->put(code, function);
    return;
  }
  if (!looked_for_.insert(code_.function_begin(module, code).value_or(code)).second) return;
  const auto names = loader_->files.names_of(module.file);
  if (names == nullptr || names->lines == nullptr) return;
  loader_->files.later([code, names, into = lines_] {
    auto found = names->lines->function_at(code.value() - names->bias);
    if (found) into->put({std::move(*found), names->bias});
  });
}

const NativeFunction* NativeNames::at(RemoteAddress code) {
  const auto known = known_.find(code);
  if (known != known_.end()) return &known->second;
  const Module* module = code_.module_at(code);
  if (module == nullptr) return nullptr;
  const auto names = loader_->files.names_of(module->file);
  if (names == nullptr) return nullptr;
  NativeFunction function;
  function.library = std::string{basename_of(module->file.path)};
  if (function.library.empty()) function.library = "[anonymous]";
  const auto found = names->functions.at(code.value() - names->bias);
  if (!found.name.empty()) {
    function.name = readable_name(found.name);
    function.role = role_of(function.name);
  } else {
    const RemoteAddress begin = code_.function_begin(*module, code).value_or(code);
    const RemoteAddress base = module->file.first.range.begin - module->file.first.offset;
    function.name = fmt::format("+{:#x}", begin - base);
    if (names->interpreter) function.role = NativeRole::nameless;
  }
  if (function.role == NativeRole::plain) find_lines(code, *module, function);
  return &known_.emplace(code, std::move(function)).first->second;
}

}  // namespace gilspy

#include "gilspy/native/native_names.h"

#include <fmt/format.h>

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

NativeNames::NativeNames(const ProcDir& process, CodeMap& code)
    : code_(code), loader_(std::make_unique<Loader>(process)) {}
NativeNames::~NativeNames() = default;

void NativeNames::prepare() {
  std::vector<Binary> files;
  for (const Module& module : code_.modules()) files.push_back(module.file);
  loader_->files.keep_only(files);
}

void NativeNames::finish() { loader_->files.finish(); }

void NativeNames::forget() { known_.clear(); }

void NativeNames::keep_small() {
  if (known_.size() > max_known) known_.clear();
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
  return &known_.emplace(code, std::move(function)).first->second;
}

}  // namespace gilspy

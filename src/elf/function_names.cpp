#include "gilspy/elf/function_names.h"

#include <cxxabi.h>
#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <tuple>

namespace gilspy {
namespace {

constexpr std::size_t max_functions = 4'000'000;
constexpr std::size_t max_names = std::size_t{256} << 20;
constexpr std::size_t max_length = 4096;
constexpr std::size_t max_shown = 120;

std::size_t underscores(std::string_view name) {
  return std::min(name.find_first_not_of('_'), name.size());
}

}  // namespace

void FunctionNames::add(const ElfFile& file) {
  std::vector<Found> found = known();
  file.visit_functions([&](std::string_view name, const ElfSymbol& symbol, bool global) {
    put(found, name, symbol.address, symbol.address + symbol.size, global);
  });
  settle(std::move(found));
}

void FunctionNames::add(std::span<const NamedFunction> functions) {
  std::vector<Found> found = known();
  for (const NamedFunction& f : functions) put(found, f.name, f.begin, f.end, false);
  settle(std::move(found));
}

std::vector<FunctionNames::Found> FunctionNames::known() const {
  std::vector<Found> found;
  found.reserve(functions_.size());
  for (const Entry& entry : functions_) found.push_back({entry, true, true});
  return found;
}

void FunctionNames::put(std::vector<Found>& found, std::string_view name, std::uint64_t begin,
                        std::uint64_t end, bool global) {
  if (name.empty() || name.size() > max_length || found.size() >= max_functions ||
      names_.size() + name.size() > max_names || end < begin) {
    return;
  }
  const auto at = static_cast<std::uint32_t>(names_.size());
  found.push_back({{begin, end, at, static_cast<std::uint32_t>(name.size())}, global, false});
  names_ += name;
}

void FunctionNames::settle(std::vector<Found> found) {
  // Of several names in one place the plainest is kept: clock_nanosleep, not __clock_nanosleep.
  std::ranges::sort(found, {}, [this](const Found& f) {
    const std::string_view name{names_.data() + f.entry.name, f.entry.length};
    return std::tuple{
        f.entry.begin, !f.known, f.entry.end == f.entry.begin, underscores(name), !f.global,
        name.size(),   name};
  });
  functions_.clear();
  for (const Found& f : found) {
    if (functions_.empty() || functions_.back().begin != f.entry.begin) {
      functions_.push_back(f.entry);
    }
  }
  // Functions written in assembly may have no size: they go on to the next one.
  for (std::size_t i = 0; i + 1 < functions_.size(); ++i) {
    if (functions_[i].end == functions_[i].begin) functions_[i].end = functions_[i + 1].begin;
  }
}

FunctionNames::Function FunctionNames::at(std::uint64_t address) const {
  const auto after = std::ranges::upper_bound(functions_, address, {}, &Entry::begin);
  if (after == functions_.begin()) return {};
  const Entry& entry = *std::prev(after);
  if (address >= entry.end) return {};
  return {entry.begin, entry.end, std::string_view{names_.data() + entry.name, entry.length}};
}

std::string readable_name(std::string_view name) {
  name = name.substr(0, name.find('@'));
  // A dot in front begins a name of its own.
  if (const auto dot = name.find('.', 1); dot != std::string_view::npos) name = name.substr(0, dot);
  std::string text{name};
  if (text.starts_with("_Z")) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> plain{
        abi::__cxa_demangle(text.c_str(), nullptr, nullptr, &status), &std::free};
    if (status == 0 && plain) text = plain.get();
  }
  if (text.size() > max_shown) text = text.substr(0, max_shown) + "...";
  return text;
}

}  // namespace gilspy

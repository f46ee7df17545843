#include "gilspy/model/tables.h"

#include <algorithm>
#include <utility>

namespace gilspy {
namespace {

/// Ids are given out in order, so one beyond the end comes from a damaged stream and is left out.
template <class T>
void put(std::vector<T>& table, std::uint32_t index, T value) {
  if (index == table.size()) {
    table.push_back(std::move(value));
  } else if (index < table.size()) {
    table[index] = std::move(value);
  }
}

std::size_t mix(std::size_t seed, std::uint64_t value) {
  // The multiplier of splitmix64: spreads small dense ids over the whole word.
  return (seed ^ value) * 0x9E3779B97F4A7C15ULL + (seed >> 29);
}

}  // namespace

void Tables::accept(const Event& event) {
  if (const auto* s = std::get_if<StringDefined>(&event)) {
    put(strings_, s->id.value, s->text);
  } else if (const auto* c = std::get_if<CodeDefined>(&event)) {
    put(codes_, c->id.value, Code{c->function, c->file, c->first_line, false, {}});
  } else if (const auto* n = std::get_if<NativeMarked>(&event)) {
    if (n->id.value >= codes_.size()) return;
    Code& code = codes_[n->id.value];
    code.native = true;
    code.library = code.file;
  } else if (const auto* from = std::get_if<NativeSource>(&event)) {
    if (from->id.value >= codes_.size() || !codes_[from->id.value].native) return;
    codes_[from->id.value].file = from->file;
    codes_[from->id.value].first_line = from->first_line;
  } else if (const auto* k = std::get_if<StackDefined>(&event)) {
    // A parent that is not older than its child could make a cycle; such a stack keeps its top
    // frame.
    const StackId parent = k->parent.value < k->id.value ? k->parent : empty_stack;
    if (k->id != empty_stack) put(stacks_, k->id.value, StackNode{parent, k->code, k->line});
  }
}

std::string_view Tables::string(StringId id) const {
  return id.value < strings_.size() ? std::string_view{strings_[id.value]} : std::string_view{};
}

Tables::Code Tables::code(CodeId id) const {
  return id.value < codes_.size() ? codes_[id.value] : Code{};
}

Tables::StackNode Tables::stack(StackId id) const {
  return id.value < stacks_.size() ? stacks_[id.value] : StackNode{};
}

std::vector<Tables::StackNode> Tables::frames(StackId id) const {
  std::vector<StackNode> nodes;
  while (id != empty_stack && id.value < stacks_.size()) {
    nodes.push_back(stacks_[id.value]);
    id = stacks_[id.value].parent;
  }
  std::ranges::reverse(nodes);
  return nodes;
}

std::optional<Tables::StackNode> Tables::python_top(StackId id) const {
  while (id != empty_stack && id.value < stacks_.size()) {
    const StackNode& node = stacks_[id.value];
    if (!is_native(node)) return node;
    id = node.parent;
  }
  return std::nullopt;
}

std::string_view Tables::function_of(const StackNode& node) const {
  return string(code(node.code).function);
}

std::string_view Tables::file_of(const StackNode& node) const {
  return string(code(node.code).file);
}

std::size_t Interner::KeyHash::operator()(const CodeKey& key) const {
  return mix(mix(mix(key.native ? 2 : 0, key.function.value), key.file.value), key.first_line);
}

std::size_t Interner::KeyHash::operator()(const StackKey& key) const {
  return mix(mix(mix(1, key.parent.value), key.code.value), key.line);
}

StringId Interner::string(std::string_view text) {
  if (const auto found = strings_.find(text); found != strings_.end()) return found->second;
  const StringId id = passing_string(text);
  strings_.emplace(text, id);
  return id;
}

StringId Interner::passing_string(std::string_view text) {
  const StringId id{next_string_++};
  sink_.accept(StringDefined{id, std::string(text)});
  return id;
}

CodeId Interner::code(std::string_view function, std::string_view file, std::uint32_t first_line) {
  const CodeKey key{string(function), string(file), first_line};
  const auto [entry, fresh] =
      codes_.try_emplace(key, CodeId{static_cast<std::uint32_t>(codes_.size())});
  if (fresh) sink_.accept(CodeDefined{entry->second, key.function, key.file, key.first_line});
  return entry->second;
}

CodeId Interner::native_code(std::string_view function, std::string_view library) {
  const CodeKey key{string(function), string(library), 0, true};
  const auto [entry, fresh] =
      codes_.try_emplace(key, CodeId{static_cast<std::uint32_t>(codes_.size())});
  if (fresh) {
    sink_.accept(CodeDefined{entry->second, key.function, key.file, 0});
    sink_.accept(NativeMarked{entry->second});
  }
  return entry->second;
}

bool Interner::native_source(CodeId code, std::string_view file, std::uint32_t first_line) {
  const StringId name = string(file);
  const auto [entry, fresh] = sources_.try_emplace(code.value, name);
  if (fresh) sink_.accept(NativeSource{code, name, first_line});
  return entry->second == name;
}

StackId Interner::stack(StackId parent, CodeId code, std::uint32_t line) {
  const StackKey key{parent, code, line};
  if (const auto known = stacks_.find(key); known != stacks_.end()) return known->second;
  if (stacks_.size() >= max_stacks) stacks_.clear();
  const StackId id{next_stack_++};
  stacks_.emplace(key, id);
  sink_.accept(StackDefined{id, parent, code, line});
  return id;
}

StackId Interner::stack_at(StackId parent, CodeId code, std::uint64_t place) {
  const StackKey key{parent, code, 0};
  if (unfinished_.size() >= max_stacks) forget_places();
  std::vector<Unfinished>& same_place = unfinished_[place];
  const auto known = std::ranges::find(same_place, key, &Unfinished::key);
  if (known != same_place.end()) return known->id;
  if (same_place.size() >= max_unfinished) return stack(parent, code, 0);
  const StackId id{next_stack_++};
  same_place.push_back({key, id});
  sink_.accept(StackDefined{id, parent, code, 0});
  return id;
}

void Interner::tell_line(std::uint64_t place, std::uint32_t line) {
  const auto waiting = unfinished_.extract(place);
  if (waiting.empty()) return;
  for (auto [key, id] : waiting.mapped()) {
    key.line = line;
    if (line != 0) sink_.accept(StackDefined{id, key.parent, key.code, line});
    // Where another one of this line is known already, there are two of the same from now on.
    stacks_.emplace(key, id);
  }
}

}  // namespace gilspy

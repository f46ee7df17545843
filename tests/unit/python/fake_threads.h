#pragma once

#include <string_view>

#include "fake_objects.h"

namespace gilspy {

/// An interpreter whose threading module knows some threads.
class FakeThreads {
 public:
  using Items = FakeObjects::Items;
  using Keys = FakeObjects::Keys;

  /// Where a Thread keeps its attributes.
  enum class Storage : std::uint8_t { values, split_dict, str_dict, general_dict, nowhere };

  FakeThreads(FakeMemory& memory, const Layout& layout)
      : memory_(memory), layout_(layout), objects_(memory, layout) {}

  [[nodiscard]] FakeObjects& objects() { return objects_; }
  /// The type object of every thread here, and the dicts `_active` and sys.modules of the last
  /// interpreter().
  [[nodiscard]] RemoteAddress thread_class() const { return thread_class_; }
  [[nodiscard]] RemoteAddress active_dict() const { return active_dict_; }
  [[nodiscard]] RemoteAddress modules_dict() const { return modules_dict_; }

  /// The attributes of every Thread here.
  [[nodiscard]] Items attributes(RemoteAddress name) const {
    return {{started_, none_}, {target_, none_}, {name_, name}, {daemonic_, none_}};
  }

  /// A Thread object, not yet among the active ones.
  RemoteAddress thread(RemoteAddress name, Storage storage) {
    using Way = Traits::InstanceDict;
    const Items items = attributes(name);
    const RemoteAddress object = objects_.allocate(256) + 64;
    objects_.set(object, layout_.at.object.type, thread_class_);
    RemoteAddress dict;
    if (storage == Storage::split_dict) dict = objects_.dict(Keys::split, items);
    if (storage == Storage::str_dict) dict = objects_.dict(Keys::str, items);
    if (storage == Storage::general_dict) dict = objects_.dict(Keys::general, items);
    const bool values = storage == Storage::values;
    switch (layout_.traits.instance_dict) {
      case Way::dictoffset: memory_.put(object + dictoffset, dict); break;
      case Way::before_object:
        memory_.put(object - 24, dict);
        memory_.put(object - 32, values ? objects_.values(items) : RemoteAddress{});
        break;
      case Way::tagged_before:
        memory_.put(object - 24, values ? objects_.values(items) - 1 : dict);
        break;
      case Way::inline_values:
        memory_.put(object - 24, dict);
        if (values) objects_.put_values(object + basicsize, items);
        break;
    }
    return object;
  }

  void add(std::uint64_t ident, RemoteAddress thread) {
    active_.emplace_back(objects_.number(ident), thread);
  }
  void add(std::uint64_t ident, std::string_view name, Storage storage) {
    add(ident, thread(objects_.ascii(name), storage));
  }
  /// A deleted entry.
  void add_hole() { active_.emplace_back(); }

  /// The interpreter, with the threads added so far and this many modules beside `threading`.
  RemoteAddress interpreter(std::size_t others = 300) {
    active_dict_ = objects_.dict(Keys::general, active_);
    const Items globals{
        {objects_.ascii("__name__"), none_}, {}, {objects_.ascii("_active"), active_dict_}};
    const RemoteAddress module = objects_.allocate(layout_.at.module.struct_size);
    objects_.set(module, layout_.at.module.dict, objects_.dict(Keys::str, globals));
    Items modules{{objects_.ascii("threading.local"), none_},
                  {objects_.wide(std::u16string_view{u"m\u0416"}), none_},
                  {unreadable, none_}};
    modules.resize(others, {objects_.ascii("threadimg"), none_});
    modules.emplace_back(objects_.ascii("threading"), module);
    modules_dict_ = objects_.dict(Keys::str, modules);
    const auto at = static_cast<std::size_t>(layout_.at.interpreter.modules.offset);
    const RemoteAddress interpreter = objects_.allocate(at + 8);
    memory_.put(interpreter + at, modules_dict_);
    return interpreter;
  }

  static constexpr RemoteAddress unreadable{0xdead0000};
  static constexpr std::int64_t dictoffset = 32;
  static constexpr std::int64_t basicsize = 48;

 private:
  RemoteAddress make_class() {
    const auto& traits = layout_.traits;
    const RemoteAddress type = objects_.allocate(layout_.at.heap_type.struct_size);
    const bool managed = traits.managed_dict_flag != 0;
    const std::uint64_t flags =
        1U << 9 | 1U << 12 | traits.managed_dict_flag | traits.inline_values_flag;
    objects_.set(type, layout_.at.type.flags, flags);
    objects_.set(type, layout_.at.type.basicsize, basicsize);
    objects_.set(type, layout_.at.type.dictoffset, managed ? std::int64_t{-1} : dictoffset);
    objects_.set(type, layout_.at.heap_type.cached_keys,
                 objects_.keys(Keys::split, attributes({})));
    return type;
  }

  FakeMemory& memory_;
  const Layout& layout_;
  FakeObjects objects_;
  RemoteAddress none_ = objects_.allocate(64);
  RemoteAddress started_ = objects_.ascii("_started");
  RemoteAddress target_ = objects_.ascii("_target");
  RemoteAddress name_ = objects_.ascii("_name");
  RemoteAddress daemonic_ = objects_.ascii("_daemonic");
  RemoteAddress thread_class_ = make_class();
  Items active_;
  RemoteAddress active_dict_;
  RemoteAddress modules_dict_;
};

}  // namespace gilspy

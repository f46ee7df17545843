#include "gilspy/python_offsets/layout.h"
#include "gilspy/python_offsets/debug_offsets.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <set>
#include <string>
#include <type_traits>

#include "python/layouts.h"

namespace gilspy {
namespace {

class LayoutTest : public testing::TestWithParam<Layout> {
 protected:
  const Layout& layout = *layout_for(GetParam().version, GetParam().free_threaded);
  const Traits& traits = layout.traits;
  const Offsets& at = layout.at;
};

INSTANTIATE_TEST_SUITE_P(Versions, LayoutTest, testing::ValuesIn(all_layouts()),
                         [](const auto& test) {
                           return "V3_" + std::to_string(test.param.version.minor) +
                                  (test.param.free_threaded ? "t" : "");
                         });

/// A field that has to be there. Says its name when it is not.
#define EXPECT_PRESENT(field) EXPECT_TRUE(at.field.present()) << #field

TEST_P(LayoutTest, HasWhatEveryVersionNeeds) {
  EXPECT_PRESENT(runtime.interpreters_head);
  EXPECT_PRESENT(runtime.interpreters_main);
  EXPECT_PRESENT(interpreter.next);
  EXPECT_PRESENT(interpreter.id);
  EXPECT_PRESENT(interpreter.threads_head);
  EXPECT_PRESENT(interpreter.modules);
  EXPECT_PRESENT(gil.interval);
  EXPECT_PRESENT(gil.last_holder);
  EXPECT_PRESENT(gil.locked);
  EXPECT_PRESENT(gil.switch_number);
  EXPECT_PRESENT(gil.cond);
  EXPECT_PRESENT(gil.mutex);
  EXPECT_PRESENT(gil.switch_cond);
  EXPECT_PRESENT(gil.switch_mutex);
  EXPECT_PRESENT(thread.next);
  EXPECT_PRESENT(thread.interp);
  EXPECT_PRESENT(thread.thread_id);
  EXPECT_PRESENT(frame.previous);
  EXPECT_PRESENT(frame.code);
  EXPECT_PRESENT(code.name);
  EXPECT_PRESENT(code.filename);
  EXPECT_PRESENT(code.first_line);
  EXPECT_PRESENT(code.line_table);
  EXPECT_PRESENT(object.type);
  EXPECT_PRESENT(var_object.size);
  EXPECT_PRESENT(bytes.data);
  EXPECT_PRESENT(ascii.length);
  EXPECT_PRESENT(ascii.state);
  EXPECT_PRESENT(long_object.tag);
  EXPECT_PRESENT(long_object.digits);
  EXPECT_PRESENT(type.name);
  EXPECT_PRESENT(type.basicsize);
  EXPECT_PRESENT(type.dictoffset);
  EXPECT_PRESENT(type.flags);
  EXPECT_PRESENT(heap_type.cached_keys);
  EXPECT_PRESENT(module.dict);
  EXPECT_PRESENT(dict.used);
  EXPECT_PRESENT(dict.keys);
  EXPECT_PRESENT(dict.values);
  EXPECT_PRESENT(dict_keys.nentries);
  EXPECT_PRESENT(dict_keys.indices);
  EXPECT_PRESENT(dict_entry.key);
  EXPECT_PRESENT(dict_entry.value);
}

TEST_P(LayoutTest, HasTheGilWhereItsTraitsSay) {
  switch (traits.gil_place) {
    case Traits::GilPlace::runtime: EXPECT_PRESENT(runtime.gil); break;
    case Traits::GilPlace::interpreter: EXPECT_PRESENT(interpreter.gil); break;
  }
  // Only a build that can run without it has the switch.
  EXPECT_EQ(at.gil.enabled.present(), layout.free_threaded);
}

TEST_P(LayoutTest, HasTheFramesWhereItsTraitsSay) {
  switch (traits.frame_head) {
    case Traits::FrameHead::frame_object:
      EXPECT_PRESENT(thread.frame);
      EXPECT_PRESENT(code.code_object);
      break;
    case Traits::FrameHead::cframe:
      EXPECT_PRESENT(thread.cframe);
      EXPECT_PRESENT(cframe.current_frame);
      break;
    case Traits::FrameHead::thread: EXPECT_PRESENT(thread.current_frame); break;
  }
  if (traits.frame_head != Traits::FrameHead::frame_object) {
    EXPECT_PRESENT(thread.datastack_chunk);
    EXPECT_PRESENT(chunk.previous);
    EXPECT_PRESENT(chunk.size);
    EXPECT_PRESENT(chunk.data);
    EXPECT_PRESENT(code.bytecode);
    EXPECT_PRESENT(code.qualname);
  }
  if (traits.first_entry_owner != std::numeric_limits<std::int8_t>::max()) {
    EXPECT_PRESENT(frame.owner);
    EXPECT_GT(traits.first_entry_owner, 0);
  }
}

TEST_P(LayoutTest, HasTheInstructionAsItsTraitsSay) {
  switch (traits.instruction) {
    case Traits::Instruction::index_bytes:
    case Traits::Instruction::index_units: EXPECT_PRESENT(frame.lasti); break;
    case Traits::Instruction::last:
    case Traits::Instruction::current: EXPECT_PRESENT(frame.instruction); break;
  }
}

TEST_P(LayoutTest, HasTheThreadIdAsItsTraitsSay) {
  switch (traits.thread_id) {
    case Traits::ThreadId::pthread_only: break;  // thread_id, which every version has
    case Traits::ThreadId::native: EXPECT_PRESENT(thread.native_thread_id); break;
  }
}

TEST_P(LayoutTest, HasDictsAsItsTraitsSay) {
  switch (traits.dict_keys) {
    case Traits::DictKeys::size: EXPECT_PRESENT(dict_keys.size); break;
    case Traits::DictKeys::log2_kind:
      EXPECT_PRESENT(dict_keys.log2_size);
      EXPECT_PRESENT(dict_keys.log2_index_bytes);
      EXPECT_PRESENT(dict_keys.kind);
      EXPECT_PRESENT(dict_unicode_entry.key);
      EXPECT_PRESENT(dict_unicode_entry.value);
      break;
  }
}

TEST_P(LayoutTest, HasInstanceDictsAsItsTraitsSay) {
  const bool managed = traits.instance_dict != Traits::InstanceDict::dictoffset;
  const bool inline_values = traits.instance_dict == Traits::InstanceDict::inline_values;
  EXPECT_EQ(traits.managed_dict_flag != 0, managed);
  EXPECT_EQ(traits.inline_values_flag != 0, inline_values);
  if (managed) {
    EXPECT_GT(traits.managed_dict_words, 0);
    EXPECT_PRESENT(dict_values.values);
  }
  if (inline_values) {
    EXPECT_PRESENT(dict_values.capacity);
    EXPECT_PRESENT(dict_values.valid);
  }
}

/// A field lies where a compiler could have put it, wholly inside its struct.
template <class T>
void expect_inside(Field<T> field, std::uint32_t struct_size, const std::string& name) {
  if (!field.present()) return;
  const auto offset = static_cast<std::uint32_t>(field.offset);
  if constexpr (std::is_same_v<T, Embedded>) {
    // An array of no fixed length begins where its struct ends.
    EXPECT_LE(offset, struct_size) << name;
  } else {
    EXPECT_LE(offset + sizeof(T), struct_size) << name;
    EXPECT_EQ(offset % sizeof(T), 0U) << name;
  }
}

TEST_P(LayoutTest, HasEveryFieldInsideItsStruct) {
#define GILSPY_FIELD(field, type, path) \
  expect_inside<type>(checked.field, checked.struct_size, struct_name + #field);
#define GILSPY_STRUCT(name, fields, c_name)    \
  {                                            \
    const auto& checked = at.name;             \
    const std::string struct_name = #name "."; \
    fields(GILSPY_FIELD)                       \
  }
  GILSPY_STRUCTS(GILSPY_STRUCT)
#undef GILSPY_STRUCT
#undef GILSPY_FIELD
}

/// Remembers where a struct's fields lie.
class Places {
 public:
  template <class T>
  void take(Field<T> field, const char* name) {
    if (!field.present()) return;
    EXPECT_TRUE(taken_.insert(field.offset).second) << name;
  }

 private:
  std::set<std::int32_t> taken_;
};

TEST_P(LayoutTest, HasNoTwoFieldsInOnePlace){
#define GILSPY_FIELD(field, type, path) places.take(checked.field, #field);
#define GILSPY_STRUCT(name, fields, c_name) \
  {                                         \
    SCOPED_TRACE(#name);                    \
    const auto& checked = at.name;          \
    Places places;                          \
    fields(GILSPY_FIELD)                    \
  }
    GILSPY_STRUCTS(GILSPY_STRUCT)
#undef GILSPY_STRUCT
#undef GILSPY_FIELD
}

TEST_P(LayoutTest, HasTheGilsPartsInTheirOrder) {
  // Ranges of addresses are built from this order.
  EXPECT_LT(at.gil.locked.offset, at.gil.cond.offset);
  EXPECT_LT(at.gil.cond.offset, at.gil.mutex.offset);
  EXPECT_LT(at.gil.mutex.offset, at.gil.switch_cond.offset);
  EXPECT_LT(at.gil.switch_cond.offset, at.gil.switch_mutex.offset);
  EXPECT_LT(at.gil.switch_mutex.offset, static_cast<std::int32_t>(at.gil.struct_size));
}

TEST_P(LayoutTest, ServesEveryPatchRelease) {
  for (const int micro : {0, 1, 15, 255}) {
    const Version version{3, GetParam().version.minor, static_cast<std::uint8_t>(micro)};
    EXPECT_EQ(layout_for(version, GetParam().free_threaded), &layout);
  }
}

TEST(LayoutFor, RefusesVersionsItDoesNotKnow) {
  constexpr std::array<Version, 8> versions{{{0, 0, 0},
                                             {2, 7, 18},
                                             {2, 11, 0},
                                             {3, 0, 0},
                                             {3, 6, 15},
                                             {3, 99, 0},
                                             {4, 11, 0},
                                             {255, 255, 255}}};
  for (const Version version : versions) {
    EXPECT_EQ(layout_for(version, false), nullptr) << version.text();
    EXPECT_EQ(layout_for(version, true), nullptr) << version.text();
  }
}

TEST(LayoutFor, KeepsFreeThreadedBuildsApart) {
  for (const Layout& layout : all_layouts()) {
    EXPECT_EQ(layout_for(layout.version, layout.free_threaded), &layout);
    const Layout* const other = layout_for(layout.version, !layout.free_threaded);
    EXPECT_TRUE(other == nullptr || other->free_threaded != layout.free_threaded);
  }
  EXPECT_EQ(layout_for({3, 12, 0}, true), nullptr);
  EXPECT_NE(layout_for({3, 13, 0}, true), nullptr);
}

TEST(SupportedVersions, AreThoseThatHaveALayout) {
  const auto range = [](bool free_threaded) {
    std::string text;
    for (std::uint8_t minor = 0; minor < 99; ++minor) {
      if (layout_for({3, minor, 0}, free_threaded) == nullptr) continue;
      const std::string name = "3." + std::to_string(minor);
      text = text.empty() ? name : text.substr(0, text.find(' ')) + " to " + name;
    }
    return text;
  };
  EXPECT_EQ(supported_versions(), range(false) + ", free-threaded " + range(true));
}

}  // namespace
}  // namespace gilspy

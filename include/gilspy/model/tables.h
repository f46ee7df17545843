#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gilspy/model/events.h"

namespace gilspy {

/// The reader's side of the definitions: looks ids up. Unknown ids (a recording cut short, or a
/// hostile one) give the answers "" and 0, never a crash.
class Tables : public SampleSink {
 public:
  struct Code {
    StringId function;
    StringId file;
    std::uint32_t first_line = 0;
    bool native = false;  ///< not Python's; where its source is not known the file is its library
    StringId library;     ///< of a native one
  };
  struct StackNode {
    StackId parent;
    CodeId code;
    std::uint32_t line = 0;
  };

  /// Takes the definitions out of the stream and ignores the rest.
  void accept(const Event& event) override;

  [[nodiscard]] std::string_view string(StringId id) const;
  [[nodiscard]] Code code(CodeId id) const;
  /// The top frame of a stack; asked for empty_stack it answers a node that is its own parent.
  [[nodiscard]] StackNode stack(StackId id) const;
  /// The stack's nodes from the outermost frame to the top one.
  [[nodiscard]] std::vector<StackNode> frames(StackId id) const;

  /// The innermost Python function of a stack; nothing where there is none.
  [[nodiscard]] std::optional<StackNode> python_top(StackId id) const;

  [[nodiscard]] std::string_view function_of(const StackNode& node) const;
  [[nodiscard]] std::string_view file_of(const StackNode& node) const;
  [[nodiscard]] bool is_native(const StackNode& node) const { return code(node.code).native; }
  [[nodiscard]] std::size_t string_count() const { return strings_.size(); }
  [[nodiscard]] std::size_t code_count() const { return codes_.size(); }
  [[nodiscard]] std::size_t stack_count() const { return stacks_.size(); }

 private:
  std::vector<std::string> strings_;
  std::vector<Code> codes_;
  std::vector<StackNode> stacks_{StackNode{}};
};

/// The writer's side: gives out ids and sends each definition into a sink the first time.
class Interner {
 public:
  explicit Interner(SampleSink& sink) : sink_(sink) {}

  [[nodiscard]] StringId string(std::string_view text);
  /// One that will hardly come again, such as a thread's name: not remembered, so that threads may
  /// come and go for days.
  [[nodiscard]] StringId passing_string(std::string_view text);
  [[nodiscard]] CodeId code(std::string_view function, std::string_view file,
                            std::uint32_t first_line);
  [[nodiscard]] CodeId native_code(std::string_view function, std::string_view library);
  /// Tells where a native function is written, the first time. False when it is known to be written
  /// elsewhere: libraries may have several functions of one name.
  [[nodiscard]] bool native_source(CodeId code, std::string_view file, std::uint32_t first_line);
  /// Once there are very many, all are forgotten: they get new ids when they come again.
  [[nodiscard]] StackId stack(StackId parent, CodeId code, std::uint32_t line);
  /// One whose line will be known later: by `place`, until tell_line(). It has none until then.
  [[nodiscard]] StackId stack_at(StackId parent, CodeId code, std::uint64_t place);
  /// Defines all stacks with this place again.
  void tell_line(std::uint64_t place, std::uint32_t line);
  /// Their stacks stay without a line.
  void forget_places() { unfinished_.clear(); }

 private:
  /// Each takes up about 50 bytes.
  static constexpr std::size_t max_stacks = 1 << 17;
  /// Stacks with one place that wait for its line: a moment's worth of them.
  static constexpr std::size_t max_unfinished = 256;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct CodeKey {
    StringId function, file;
    std::uint32_t first_line;
    bool native = false;
    friend bool operator==(const CodeKey&, const CodeKey&) = default;
  };
  struct StackKey {
    StackId parent;
    CodeId code;
    std::uint32_t line;
    friend bool operator==(const StackKey&, const StackKey&) = default;
  };
  struct Unfinished {
    StackKey key;  ///< without its line
    StackId id;
  };
  struct KeyHash {
    std::size_t operator()(const CodeKey& key) const;
    std::size_t operator()(const StackKey& key) const;
  };

  SampleSink& sink_;
  std::uint32_t next_string_ = 0;
  std::uint32_t next_stack_ = 1;
  std::unordered_map<std::string, StringId, Hash, std::equal_to<>> strings_;
  std::unordered_map<CodeKey, CodeId, KeyHash> codes_;
  std::unordered_map<std::uint32_t, StringId> sources_;  // by code
  std::unordered_map<StackKey, StackId, KeyHash> stacks_;
  std::unordered_map<std::uint64_t, std::vector<Unfinished>> unfinished_;  // by place
};

}  // namespace gilspy

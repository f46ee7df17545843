#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/profile/profile.h"

/// Two runs side by side: the one is called A, the other B. Runs last differently long, so times
/// are compared as what there was of them in a second of the run.
namespace gilspy {

struct Change {
  std::optional<double> a;  ///< nothing: not measured in that run, or not comparable
  std::optional<double> b;

  /// b - a; nothing when either is missing.
  [[nodiscard]] std::optional<double> difference() const;
};

enum class FigureUnit : std::uint8_t { share, seconds, per_second, times };

/// A figure of the whole process.
struct FigureChange {
  std::string_view key;  ///< in JSON
  std::string_view label;
  FigureUnit unit;
  Change value;
};

/// All threads of one name.
struct ThreadChange {
  std::string name;
  std::size_t threads_a = 0;
  std::size_t threads_b = 0;
  std::array<Change, activity_count> shares;  ///< by Activity: seconds in a second of the run
};

/// A function, known by its name and its file's name: the folders differ between two installations.
struct FunctionChange {
  std::string function;
  std::string file;
  std::array<Change, weight_count> self;   ///< by Weight: with the function on top of the stack
  std::array<Change, weight_count> total;  ///< ... or anywhere in it
};

struct Comparison {
  std::vector<std::string> notes;  ///< what is different about the runs and bears on the figures
  std::vector<FigureChange> figures;
  std::vector<ThreadChange> threads;
  std::vector<FunctionChange> functions;
};

/// Why these two cannot be compared, for people; "" when they can.
[[nodiscard]] std::string why_incomparable(const Profile& a, const Profile& b);

[[nodiscard]] Comparison compare(const Profile& a, const Profile& b);

struct DiffSide {
  std::string name;  ///< the recording's file
  const Profile& profile;
};

/// The functions are shown by `weight`.
void write_diff_text(const DiffSide& a, const DiffSide& b, Weight weight, std::ostream& out);
void write_diff_json(const DiffSide& a, const DiffSide& b, std::ostream& out);

}  // namespace gilspy

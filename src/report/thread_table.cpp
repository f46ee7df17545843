#include "thread_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "text_table.h"

namespace gilspy {
namespace {

/// As many as fit on a screen together with the rest of the summary.
constexpr std::size_t most_rows = 20;
constexpr std::size_t widest_name = 32;

/// The first six add up to a thread's life. The others do once more, where there is no GIL.
enum Column : std::uint8_t {
  hold,
  wait,
  run,
  blocked,
  runnable,
  unknown,
  attached,
  detached,
  suspended,
  column_count
};
constexpr std::size_t state_count = attached;

struct Shown {
  std::string_view heading;
  enum : std::uint8_t { with_gil, always, when_seen } when;
};
constexpr std::array<Shown, column_count> columns{{{"hold %", Shown::with_gil},
                                                   {"wait %", Shown::with_gil},
                                                   {"run %", Shown::always},
                                                   {"blocked %", Shown::always},
                                                   {"runnable %", Shown::when_seen},
                                                   {"unknown %", Shown::when_seen},
                                                   {"attached %", Shown::when_seen},
                                                   {"detached %", Shown::when_seen},
                                                   {"suspended %", Shown::when_seen}}};

/// In seconds, as a double: sums over threads of a damaged recording need not fit into nanoseconds.
using Seconds = std::array<double, column_count>;
/// A thousand of these make a whole.
using Permille = std::array<int, column_count>;

Seconds seconds_of(const ThreadProfile& thread) {
  const auto in = [&](Activity activity) { return to_seconds(time_in(thread.times, activity)); };
  const auto as = [&](Attachment attachment) {
    return to_seconds(time_in(thread.attached_times, attachment));
  };
  return {in(Activity::holding_running) + in(Activity::holding_blocked),
          in(Activity::waiting),
          in(Activity::running),
          in(Activity::blocked),
          in(Activity::runnable),
          in(Activity::unknown),
          as(Attachment::attached),
          as(Attachment::detached),
          as(Attachment::suspended)};
}

double lifetime(const Seconds& seconds) {
  return std::accumulate(seconds.begin(), seconds.begin() + state_count, 0.0);
}

/// Rounds so that a row adds up to 100.0 %: what rounding down loses goes where it lost most.
Permille permille_of(const Seconds& seconds) {
  Permille rounded{};
  const double whole = lifetime(seconds);
  if (whole <= 0) return rounded;
  for (std::size_t i = state_count; i < column_count; ++i) {
    rounded[i] = static_cast<int>(std::lround(1000 * seconds[i] / whole));
  }
  std::array<double, state_count> lost{};
  int left = 1000;
  for (std::size_t i = 0; i < state_count; ++i) {
    const double exact = 1000 * seconds[i] / whole;
    rounded[i] = static_cast<int>(exact);
    lost[i] = exact - rounded[i];
    left -= rounded[i];
  }
  for (; left > 0; --left) {
    const auto most = static_cast<std::size_t>(std::ranges::max_element(lost) - lost.begin());
    ++rounded[most];
    lost[most] = -1;
  }
  return rounded;
}

struct Row {
  std::string name;
  std::string tid;
  Seconds seconds{};
  Permille shares{};
};

std::vector<Row> rows_of(const Profile& profile) {
  std::vector<Row> rows;
  for (const ThreadProfile& thread : profile.threads) {
    const std::string name = terminal_text(thread.name);
    rows.push_back(Row{name.empty() ? "(no name)" : shortened(name, widest_name),
                       std::to_string(thread.tid.value),
                       seconds_of(thread),
                       {}});
  }
  std::ranges::stable_sort(rows, std::ranges::greater{}, [](const Row& row) {
    return row.seconds[hold] + row.seconds[wait] + row.seconds[run];
  });
  if (rows.size() > most_rows) {
    Row rest{fmt::format("and {} more threads", rows.size() - most_rows), "", {}, {}};
    for (auto row = rows.begin() + most_rows; row != rows.end(); ++row) {
      for (std::size_t i = 0; i < column_count; ++i) rest.seconds[i] += row->seconds[i];
    }
    rows.resize(most_rows);
    rows.push_back(std::move(rest));
  }
  for (Row& row : rows) row.shares = permille_of(row.seconds);
  return rows;
}

}  // namespace

std::vector<std::string> thread_lines(const Profile& profile) {
  const std::vector<Row> rows = rows_of(profile);
  const auto shown = [&](std::size_t column) {
    if (columns[column].when == Shown::always) return true;
    if (columns[column].when == Shown::with_gil) return profile.has_gil();
    return std::ranges::any_of(rows, [&](const Row& row) { return row.shares[column] > 0; });
  };
  TextTable table;
  table.column("thread", TextTable::Align::left);
  table.column("tid", TextTable::Align::right);
  table.column("alive", TextTable::Align::right);
  for (std::size_t i = 0; i < column_count; ++i) {
    if (shown(i)) table.column(std::string(columns[i].heading), TextTable::Align::right);
  }
  for (const Row& row : rows) {
    std::vector<std::string> cells{row.name, row.tid,
                                   fmt::format("{:.2f} s", lifetime(row.seconds))};
    for (std::size_t i = 0; i < column_count; ++i) {
      if (shown(i)) cells.push_back(fmt::format("{}.{}", row.shares[i] / 10, row.shares[i] % 10));
    }
    table.row(std::move(cells));
  }
  return table.lines();
}

}  // namespace gilspy

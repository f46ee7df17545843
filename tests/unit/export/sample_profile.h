#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "event_helpers.h"
#include "gilspy/export/exporter.h"
#include "gilspy/profile/profile.h"

namespace gilspy::testing {

inline constexpr Pid pid{1000};
inline constexpr Tid main_tid{1000};
inline constexpr Tid worker_tid{1001};
inline constexpr Tid native_tid{1002};
inline constexpr GilId gil{0};

[[nodiscard]] inline Duration ms(double count) {
  return Duration{static_cast<std::int64_t>(count * 1e6)};
}

/// When the worker of SampleProfile gets the GIL: between two microseconds.
inline constexpr Time handed_over = at_ms(4) + Duration{500};

/// Names that try to break out of whatever they are written into.
inline constexpr std::string_view hostile =
    "<b>\"'&amp;]]></script>\\;\n\r\t\x01\x1b[31m\x7f\xc2\x85\xff\xc0\x80\xed\xa0\x80\xef\xbf\xbe";

/// A profile made by hand, with the stacks main -> work (line 20 or 21) -> inner, and main -> rest.
struct SampleProfile {
  explicit SampleProfile(std::string_view function = "work", std::string_view file = "/srv/app.py",
                         std::string_view thread_name = "worker") {
    auto tables = std::make_shared<Tables>();
    Interner names(*tables);
    const CodeId main_code = names.code("main", "/srv/main.py", 1);
    const CodeId work_code = names.code(function, file, 10);
    const CodeId inner_code = names.code("inner", "/srv/lib/app.py", 30);
    in_main = names.stack(empty_stack, main_code, 5);
    in_work = names.stack(in_main, work_code, 20);
    in_work_later = names.stack(in_main, work_code, 21);
    in_inner = names.stack(in_work_later, inner_code, 31);
    profile.tables = tables;
    describe_run(thread_name);
    fill_weights();
    fill_timeline();
  }

  Profile profile;
  StackId in_main;
  StackId in_work;
  StackId in_work_later;
  StackId in_inner;

 private:
  void describe_run(std::string_view thread_name) {
    profile.process.at = at_ms(0);
    profile.process.pid = pid;
    profile.process.command = "python app.py";
    profile.process.python = "3.12.1";
    profile.process.requested_hz = 1000;
    profile.begin = at_ms(0);
    profile.end = at_ms(10);
    profile.progress.ticks = 10;
    profile.progress.missed = 2;
    profile.threads.push_back(
        {main_tid, pid, "MainThread", true, gil, at_ms(0), at_ms(10), {}, {}, {}, 0});
    profile.threads.push_back(
        {worker_tid, pid, std::string(thread_name), true, gil, at_ms(1), at_ms(9), {}, {}, {}, 0});
    profile.threads.push_back(
        {native_tid, pid, "jemalloc_bg", false, {}, at_ms(0), at_ms(10), {}, {}, {}, 0});
    GilProfile figures;
    figures.id = gil;
    figures.interpreters = "main";
    profile.gils.push_back(figures);
  }

  void fill_weights() {
    auto& hold = profile.stacks[static_cast<std::size_t>(Weight::hold)];
    hold = {{main_tid, in_work, ms(2)},       {main_tid, in_inner, ms(1.5)},
            {main_tid, empty_stack, ms(0.5)}, {worker_tid, in_inner, ms(4)},
            {worker_tid, in_work, ms(0)},     {worker_tid, in_main, Duration{400}}};
  }

  void fill_timeline() {
    Timeline& timeline = profile.timeline;
    timeline.threads[main_tid] = {{at_ms(0), at_ms(4), holding},
                                  {at_ms(4), at_ms(8), waiting},
                                  {at_ms(8), at_ms(10), sleeping}};
    timeline.threads[worker_tid] = {{at_ms(1), handed_over, waiting},
                                    {handed_over, at_ms(8), holding},
                                    {at_ms(8), at_ms(9), unknown_state}};
    timeline.threads[native_tid] = {{at_ms(0), at_ms(10), running}};
    timeline.gils[gil] = {{at_ms(0), at_ms(4), main_tid},
                          {at_ms(4), handed_over, no_thread},
                          {handed_over, at_ms(8), worker_tid},
                          {at_ms(8), at_ms(10), no_thread, false}};
    timeline.stacks[main_tid] = {{at_ms(0.25), in_work},  {at_ms(2), in_work_later},
                                 {at_ms(3), in_inner},    {at_ms(5), in_main},
                                 {at_ms(6), empty_stack}, {at_ms(7), in_work}};
    timeline.stacks[worker_tid] = {{at_ms(1), in_inner}};
  }
};

[[nodiscard]] inline std::string written(const Exporter& exporter, const Profile& profile,
                                         Weight weight = Weight::wall) {
  std::ostringstream out;
  ExportOptions options;
  options.weight = weight;
  exporter.write(profile, options, out);
  return out.str();
}

/// A run in which nothing was seen.
[[nodiscard]] inline Profile empty_profile() {
  Profile profile;
  profile.tables = std::make_shared<Tables>();
  return profile;
}

}  // namespace gilspy::testing

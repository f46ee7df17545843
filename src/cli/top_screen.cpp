#include "top_screen.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>

#include "gilspy/recording/writer.h"
#include "gilspy/top/actions.h"
#include "gilspy/top/painter.h"
#include "gilspy/top/render.h"
#include "gilspy/top/terminal.h"

namespace gilspy {
namespace {

using top::Action;
using top::State;

/// As often as a slot of the strips is full.
constexpr Duration refresh_period = top::slot_length;
/// A view that is costly to make (hundreds of threads) is made less often: it and its drawing may
/// take this part of a core.
constexpr double most_of_a_core = 0.006;
constexpr Duration note_time = std::chrono::seconds{5};
constexpr std::string_view quit_question =
    "the program still runs: t ends it (SIGTERM), l leaves it running, any other key goes on";

/// CPU time of the calling thread.
Duration thread_cpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + Duration{time.tv_nsec};
}

void feed(top::EventQueue& queue, top::Live& live) {
  for (const Event& event : queue.take()) live.accept(event);
}

/// A new file in the current folder: never one that is there.
UniqueFd new_recording(Pid pid, std::string& name) {
  const std::time_t seconds = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const std::string base = fmt::format("gilspy-{}-{:%Y%m%d-%H%M%S}", pid.value, local);
  for (int number = 1; number < 100; ++number) {
    name = number == 1 ? base + ".gilspy" : fmt::format("{}-{}.gilspy", base, number);
    UniqueFd file{::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
    if (file || errno != EEXIST) return file;
  }
  return UniqueFd{};
}

/// Answers with a word for the user.
std::string write_recording(const top::WindowRecording& recording, Pid pid) {
  std::string name;
  UniqueFd file = new_recording(pid, name);
  if (!file) return fmt::format("cannot write {}: {}", name, std::strerror(errno));
  RecordingWriter writer{std::move(file)};
  recording.replay_into(writer);
  writer.flush();
  if (writer.error() != 0) {
    return fmt::format("cannot write {}: {}", name, std::strerror(writer.error()));
  }
  return fmt::format("wrote the last {:.1f} s to {}", to_seconds(recording.length()), name);
}

class TopScreen {
 public:
  TopScreen(const TopSubject& subject, SignalQueue& signals, TopSampling& sampling,
            top::EventQueue& queue, top::Live& live)
      : subject_(subject), signals_(signals), sampling_(sampling), queue_(queue), live_(live) {
    state_.command = subject.command;
    state_.look = {top::wants_color(), top::has_unicode()};
  }

  void run() {
    refresh();
    while (!done_) {
      wait();
      take_signals();
      take_keys();
      if (!done_ && now() >= next_refresh_) refresh();
    }
  }

 private:
  void wait() {
    const bool over = !state_.ended.empty();
    const short keys = terminal_.flush() ? POLLIN : POLLIN | POLLOUT;
    std::array<pollfd, 3> fds{{{signals_.fd(), POLLIN, 0},
                               {terminal_.fd(), keys, 0},
                               {over ? -1 : sampling_.fd(), POLLIN, 0}}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_refresh_ - now());
    ::poll(fds.data(), fds.size(), std::max(static_cast<int>(left.count()), 0));
    if ((fds[2].revents & POLLIN) != 0) next_refresh_ = now();
  }

  void take_signals() {
    while (const auto signal = signals_.take()) {
      switch (*signal) {
        case SIGTSTP: suspend(); break;
        case SIGWINCH: draw(); break;
        case SIGINT: interrupt(); break;
        case SIGTERM:
        case SIGHUP:
          if (subject_.child != nullptr) subject_.child->send_signal(*signal);
          done_ = true;
          break;
        default: done_ = true; break;
      }
    }
  }

  /// Gives the terminal back and stops as SIGTSTP would have done.
  void suspend() {
    terminal_.leave();
    ::kill(::getpid(), SIGSTOP);
    terminal_.enter();
    painter_.forget();
    refresh();
  }

  /// Ctrl-C is for the launched program as well, and got to it by itself.
  void interrupt() {
    if (subject_.child == nullptr || !state_.ended.empty()) {
      done_ = true;
    } else {
      say("Ctrl-C went to the program; q quits");
    }
  }

  void take_keys() {
    const std::string bytes = terminal_.read();
    if (!terminal_.alive()) done_ = true;
    const auto keys = top::keys_of(bytes);
    for (const top::Key& key : keys) take(key);
    if (!keys.empty() && !done_) draw();
  }

  void take(const top::Key& key) {
    if (asked_) {
      answer(key);
      return;
    }
    const top::Controls before = state_.controls;
    note_until_ = {};
    switch (top::press(state_, key, terminal_.size())) {
      case Action::none: break;
      case Action::quit: quit(); break;
      case Action::reset:
        live_.reset_window();
        say("the window begins anew");
        break;
      case Action::record: record(); break;
    }
    if (state_.controls.paused && !before.paused) frozen_ = live_.recording();
    if (!state_.controls.paused) frozen_.reset();
    const bool other_figures = state_.controls.reach != before.reach;
    if ((other_figures && !state_.controls.paused) || (before.paused && !frozen_)) look();
  }

  void quit() {
    if (subject_.child == nullptr || subject_.child->try_wait()) {
      done_ = true;
    } else {
      asked_ = true;
    }
  }

  void answer(const top::Key& key) {
    asked_ = false;
    if (key.text == "t") subject_.child->send_signal(SIGTERM);
    done_ = key.text == "t" || key.text == "l";
  }

  void record() {
    if (!live_.started()) {
      say("there is nothing to record yet");
      return;
    }
    say(write_recording(frozen_ ? *frozen_ : live_.recording(), state_.view.profile.process.pid));
  }

  void say(std::string words) {
    state_.note = std::move(words);
    note_until_ = now() + note_time;
  }

  void refresh() {
    const Duration before = thread_cpu();
    feed(queue_, live_);
    if (state_.ended.empty()) look_for_end();
    if (!state_.controls.paused) look();
    draw();
    const auto rest = Duration{
        static_cast<std::int64_t>(to_seconds(thread_cpu() - before) / most_of_a_core * 1e9)};
    next_refresh_ = now() + std::max(refresh_period, rest);
  }

  void look_for_end() {
    auto why = sampling_.over();
    if (!why) return;
    feed(queue_, live_);
    ended_at_ = now();
    state_.ended = std::move(*why);
    if (subject_.child == nullptr) return;
    const auto status = subject_.child->try_wait();
    if (status) state_.ended += fmt::format(", exit status {}", *status);
    state_.ended += fmt::format("; its output: {}", subject_.output_file);
  }

  void look() {
    state_.view = live_.view(state_.controls.reach);
    if (subject_.start) state_.view.uptime = ended_at_.value_or(now()) - *subject_.start;
  }

  void draw() {
    if (!terminal_.flush()) return;  // it has not even taken the last one
    if (asked_) {
      state_.note = quit_question;
    } else if (now() >= note_until_) {
      state_.note.clear();
    }
    terminal_.write(painter_.paint(top::render(state_, terminal_.size())));
  }

  const TopSubject& subject_;
  SignalQueue& signals_;
  TopSampling& sampling_;
  top::EventQueue& queue_;
  top::Live& live_;
  State state_;
  top::Terminal terminal_;
  top::Painter painter_{top::wants_color()};
  std::optional<top::WindowRecording> frozen_;  ///< what was shown when it was paused
  std::optional<Time> ended_at_;
  Time next_refresh_;
  Time note_until_;
  bool asked_ = false;  ///< what to do with the program that still runs
  bool done_ = false;
};

int text_columns() {
  const char* columns = std::getenv("COLUMNS");
  const int wanted = columns != nullptr ? std::atoi(columns) : 0;
  return wanted >= 40 && wanted <= 1000 ? wanted : 100;
}

}  // namespace

SignalQueue top_signals() {
  return SignalQueue{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
}

void run_top_screen(const TopSubject& subject, SignalQueue& signals, TopSampling& sampling,
                    top::EventQueue& queue, top::Live& live) {
  TopScreen{subject, signals, sampling, queue, live}.run();
}

bool print_top_once(const TopSubject& subject, Duration window, SignalQueue& signals,
                    TopSampling& sampling, top::EventQueue& queue, top::Live& live) {
  bool over = false;
  std::optional<Time> end;
  const std::vector<Watch> watches{
      {signals.fd(),
       [&]() -> std::optional<EndReason> {
         const auto signal = signals.take();
         if (signal == SIGTSTP) ::kill(::getpid(), SIGSTOP);
         const bool ends = signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
         if (ends && subject.child != nullptr && signal != SIGINT) {
           subject.child->send_signal(*signal);
         }
         over = over || ends;
         return ends ? std::optional{EndReason::requested} : std::nullopt;
       }},
      {sampling.fd(),
       [&] {
         over = true;
         return std::optional{EndReason::target_ended};
       }},
  };
  // The window begins with the first Python, not with the launch.
  while (!over && (!end || now() < *end)) {
    static_cast<void>(
        wait_until(std::min(now() + refresh_period, end.value_or(Time::max())), watches));
    feed(queue, live);
    if (!end && live.started()) end = now() + window;
  }
  feed(queue, live);
  if (!live.started()) return false;
  State state;
  state.look = {false, top::has_unicode()};
  state.view = live.view(top::Reach::whole);
  if (subject.start) state.view.uptime = now() - *subject.start;
  std::cout << top::render_text(state, text_columns()) << std::flush;
  return true;
}

}  // namespace gilspy

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gilspy/os/child.h"
#include "gilspy/top/event_queue.h"
#include "gilspy/top/live.h"
#include "signals.h"
#include "top_sampling.h"

namespace gilspy {

/// What the view is of.
struct TopSubject {
  std::string command{};        ///< as launched; "" for a process that ran before
  Child* child = nullptr;       ///< the launched program; null likewise
  std::optional<Time> start{};  ///< of the process
  std::string output_file{};    ///< where the launched program's output goes
};

/// The signals that both ways of showing take as data.
[[nodiscard]] SignalQueue top_signals();

/// Draws until the user quits or a signal ends it.
void run_top_screen(const TopSubject& subject, SignalQueue& signals, TopSampling& sampling,
                    top::EventQueue& queue, top::Live& live);

/// Watches for `window`, or until the target ends, and prints the view as text.
/// Returns whether there was anything to print.
[[nodiscard]] bool print_top_once(const TopSubject& subject, Duration window, SignalQueue& signals,
                                  TopSampling& sampling, top::EventQueue& queue, top::Live& live);

}  // namespace gilspy

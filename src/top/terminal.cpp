#include "gilspy/top/terminal.h"

#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdlib>

#include "gilspy/base/failure.h"

namespace gilspy::top {
namespace {

/// The alternate screen, no cursor, no wrapping at the right edge.
constexpr std::string_view enter_sequence = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view leave_sequence = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::array crash_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};

/// What a signal handler needs to give the terminal back: nothing else reaches it.
struct Saved {
  volatile sig_atomic_t taken = 0;
  int fd = -1;
  termios modes{};
  std::array<char, 16384> stack{};  ///< a crash may be that the stack is used up
};
Saved saved;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): for the handler

/// Only async-signal-safe calls.
void give_back() {
  if (saved.taken == 0) return;
  saved.taken = 0;
  // The descriptor does not block, and a moment later there is room; but never wait for ever.
  std::string_view rest = leave_sequence;
  for (int tries = 0; !rest.empty() && tries < 100; ++tries) {
    const ssize_t sent = ::write(saved.fd, rest.data(), rest.size());
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else {
      const timespec moment{0, 1'000'000};
      ::nanosleep(&moment, nullptr);
    }
  }
  ::tcsetattr(saved.fd, TCSANOW, &saved.modes);
}

extern "C" void on_crash(int signal) {
  give_back();
  // SA_RESETHAND has put the default action back: it happens once the handler returns.
  ::raise(signal);
}

void catch_crashes(bool on) {
  stack_t stack{};
  stack.ss_sp = saved.stack.data();
  stack.ss_size = saved.stack.size();
  stack.ss_flags = on ? 0 : SS_DISABLE;
  ::sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_flags = SA_RESETHAND | SA_ONSTACK;
  action.sa_handler = on ? on_crash : SIG_DFL;
  for (const int signal : crash_signals) ::sigaction(signal, &action, nullptr);
}

}  // namespace

Terminal::Terminal()
    // Opened anew: this description is ours alone, so that nobody else's becomes non-blocking.
    : fd_(::open("/proc/self/fd/1", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {
  if (!fd_ || ::tcgetattr(fd_.get(), &saved.modes) != 0) {
    throw Failure(ExitCode::other, "standard output is no terminal that can be read; use --once");
  }
  saved.fd = fd_.get();
  catch_crashes(true);
  enter();
}

Terminal::~Terminal() {
  leave();
  catch_crashes(false);
}

void Terminal::enter() {
  termios modes{};
  ::tcgetattr(fd_.get(), &modes);
  saved.modes = modes;
  // Keys at once and unseen. Ctrl-C and Ctrl-Z stay what they are: they are for the launched
  // program as well.
  modes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  modes.c_iflag &= ~static_cast<tcflag_t>(IXON);
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
  saved.taken = 1;
  ::tcsetattr(fd_.get(), TCSANOW, &modes);
  unsent_.clear();
  write(enter_sequence);
}

void Terminal::leave() {
  unsent_.clear();
  give_back();
}

std::string Terminal::read() {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
  if (got > 0) return {buffer.data(), static_cast<std::size_t>(got)};
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) alive_ = false;
  return {};
}

Size Terminal::size() const {
  winsize size{};
  if (::ioctl(fd_.get(), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

void Terminal::write(std::string_view bytes) {
  unsent_ += bytes;
  flush();
}

bool Terminal::flush() {
  while (!unsent_.empty()) {
    const ssize_t sent = ::write(fd_.get(), unsent_.data(), unsent_.size());
    if (sent > 0) {
      unsent_.erase(0, static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      if (errno != EAGAIN) alive_ = false;
      return false;
    }
  }
  return true;
}

bool can_draw() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && term != nullptr && *term != '\0' &&
         std::string_view{term} != "dumb";
}

bool wants_color() {
  const char* no_color = std::getenv("NO_COLOR");
  return can_draw() && (no_color == nullptr || *no_color == '\0');
}

bool has_unicode() {
  std::setlocale(LC_CTYPE, "");
  return std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
}

}  // namespace gilspy::top

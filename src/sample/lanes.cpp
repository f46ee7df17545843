#include "lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <set>
#include <unordered_set>
#include <utility>

#include "gilspy/python/thread_names.h"
#include "stack_owners.h"

namespace gilspy {
namespace {

/// Names change rarely: a thread that has none yet is asked for soon, so many others each second.
constexpr Duration names_period = std::chrono::seconds{1};
constexpr std::size_t names_again = 32;
/// So long a thread may take from when it was made until it begins.
constexpr Duration longest_start = std::chrono::milliseconds{100};
/// More interpreters that share one GIL are only counted.
constexpr std::size_t most_users_named = 8;

/// "main", "main, 1, 2".
std::string users_text(const std::vector<std::int64_t>& users) {
  std::string text;
  for (std::size_t i = 0; i < users.size() && i < most_users_named; ++i) {
    if (i > 0) text += ", ";
    text += users[i] == 0 ? "main" : fmt::format("{}", users[i]);
  }
  if (users.size() > most_users_named) {
    text += fmt::format(" and {} more", users.size() - most_users_named);
  }
  return text;
}

}  // namespace

LaneTable::LaneTable(const ProcDir& process, MemoryReader& memory, const Target& target,
                     Interner& interner, SampleSink& sink)
    : process_(process), memory_(memory), target_(target), interner_(interner), sink_(sink) {
  same_namespace_ = process.id_inside(Tid{process.pid().value}) == process.pid().value;
}

bool LaneTable::refresh(Time at) {
  follow_tasks(at);
  return refresh_python(at);
}

bool LaneTable::refresh_python(Time at) {
  if (lanes_.empty()) return false;
  auto interpreters = read_interpreters(memory_, *target_.layout, target_.runtime, interpreters_);
  if (!interpreters) return interpreters.error().kind != ErrorClass::target_gone;
  interpreters_ = *interpreters;
  learn_tids(*interpreters);
  follow_python(at, *interpreters);
  follow_names(at, *interpreters);
  return true;
}

void LaneTable::follow_tasks(Time at) {
  const std::vector<Tid> now = process_.threads();
  const std::set<Tid> alive(now.begin(), now.end());
  std::erase_if(lanes_, [&](const Lane& lane) {
    if (alive.contains(lane.tid)) return false;
    // Another thread may come to have its ident.
    for (const Standing& standing : lane.standings) names_.erase(standing.python.ident);
    if (told_.erase(lane.tid) > 0) sink_.accept(ThreadGone{at, lane.tid});
    changed_at_ = at;
    return true;
  });
  for (const Tid tid : now) {
    if (std::ranges::find(lanes_, tid, &Lane::tid) == lanes_.end())
      lanes_.emplace_back(process_, tid, at);
  }
  if (same_namespace_) return;
  namespace_tids_.clear();
  for (const Tid tid : now) {
    if (const auto inside = process_.id_inside(tid)) {
      namespace_tids_[static_cast<std::uint64_t>(*inside)] = tid;
    }
  }
}

bool LaneTable::has_task(std::uint64_t native_id) const {
  return std::ranges::find(lanes_, outside_tid(native_id), &Lane::tid) != lanes_.end();
}

/// Fills in the ids that this CPython does not keep, and those that are not true any more: a
/// program that forks without PyOS_AfterFork_Child (uWSGI) leaves its child with the ids of the
/// parent.
void LaneTable::learn_tids(std::vector<PythonInterpreter>& interpreters) {
  const bool all_known = std::ranges::all_of(interpreters, [&](const PythonInterpreter& one) {
    return std::ranges::all_of(
        one.threads, [&](const PythonThread& thread) { return has_task(thread.native_id); });
  });
  if (all_known) return;
  std::vector<std::int32_t> inside;
  if (same_namespace_) {
    for (const Lane& lane : lanes_) inside.push_back(lane.tid.value);
  } else {
    for (const auto& [id, tid] : namespace_tids_) inside.push_back(static_cast<std::int32_t>(id));
  }
  std::vector<std::uint64_t> idents;
  for (const auto& interpreter : interpreters) {
    for (const PythonThread& thread : interpreter.threads) idents.push_back(thread.ident);
  }
  for (auto& interpreter : interpreters) {
    for (PythonThread& thread : interpreter.threads) {
      if (has_task(thread.native_id)) continue;
      const auto tid = pthread_ids_.tid_of(memory_, thread.ident, idents, inside);
      thread.native_id = static_cast<std::uint64_t>(tid.value_or(0));
    }
  }
}

Tid LaneTable::outside_tid(std::uint64_t native_id) const {
  if (same_namespace_) return Tid{static_cast<std::int32_t>(native_id)};
  const auto found = namespace_tids_.find(native_id);
  return found != namespace_tids_.end() ? found->second : no_thread;
}

std::size_t LaneTable::gil_index(const PythonInterpreter& interpreter) {
  for (std::size_t i = 0; i < gils_.size(); ++i) {
    if (gils_[i].reader.address() == interpreter.gil) return i;
  }
  gils_.emplace_back(GilReader{*target_.layout, interpreter.gil}, GilId{next_gil_++});
  return gils_.size() - 1;
}

void LaneTable::define(GilLane& gil, Time at) {
  gil.defined = true;
  sink_.accept(GilDefined{gil.id, process_.pid(), interner_.string(users_text(gil.users))});
  // Who has not been told of yet is once it is known who it is.
  for (const Lane& lane : lanes_) {
    if (told_.contains(lane.tid)) tell_thread(lane, at);
  }
}

/// A GIL goes with the last interpreter that uses it. Its memory goes as well, and would spoil
/// every later read that it is batched with.
void LaneTable::forget_gils(Time at, const std::vector<PythonInterpreter>& interpreters) {
  std::erase_if(gils_, [&](const GilLane& gil) {
    const bool used = std::ranges::any_of(interpreters, [&](const PythonInterpreter& user) {
      return user.gil == gil.reader.address();
    });
    if (!used && gil.defined) sink_.accept(GilChanged{at, gil.id, no_thread, true, 0});
    return !used;
  });
  for (GilLane& gil : gils_) gil.interpreter = {};
}

void LaneTable::follow_python(Time at, const std::vector<PythonInterpreter>& interpreters) {
  forget_gils(at, interpreters);
  const StackOwners owners{process_, interpreters};
  const auto tids_before = std::exchange(tids_, {});
  awaits_threads_ = false;
  for (Lane& lane : lanes_) lane.standings.clear();
  // The list is headed by the newest interpreter; the main one, at the end, comes first for people.
  for (const PythonInterpreter& interpreter : std::views::reverse(interpreters)) {
    if (interpreter.gil.is_null()) continue;
    const std::size_t gil = gil_index(interpreter);
    join(gils_[gil], interpreter, at);
    find_newcomers(interpreter, at);
    for (PythonThread thread : interpreter.threads) {
      owners.correct(thread);
      const bool on_its_way = is_on_its_way(thread.address, at);
      awaits_threads_ = awaits_threads_ || on_its_way;
      const Tid tid = on_its_way ? no_thread : outside_tid(thread.native_id);
      tids_[thread.address] = tid;
      const auto lane = std::ranges::find(lanes_, tid, &Lane::tid);
      if (lane != lanes_.end()) lane->standings.push_back({thread, gil});
    }
  }
  std::erase_if(newcomers_, [this](const auto& one) { return !tids_.contains(one.first); });
  if (tids_ != tids_before) changed_at_ = at;
  for (Lane& lane : lanes_) {
    // Until something is seen of it, the state made last: a thread makes one to use it.
    const auto stays = std::ranges::find(lane.standings, lane.active_state,
                                         [](const Standing& s) { return s.python.address; });
    lane.active = stays != lane.standings.end()
                      ? static_cast<std::size_t>(stays - lane.standings.begin())
                      : std::max<std::size_t>(lane.standings.size(), 1) - 1;
    lane.active_state =
        lane.standing() != nullptr ? lane.standing()->python.address : RemoteAddress{};
  }
}

/// Up to 3.11 a thread state is made by the thread that starts another one, and has the ids of that
/// one until the new thread sets its own, before it takes the GIL (new_threadstate() of
/// Python/pystate.c, thread_run() of Modules/_threadmodule.c). So where two states of an
/// interpreter seem to be one thread's, the newer one, which comes first, is on its way; if it
/// stays so, the thread does have two.
void LaneTable::find_newcomers(const PythonInterpreter& interpreter, Time at) {
  std::unordered_set<std::uint64_t> older;
  for (const PythonThread& thread : std::views::reverse(interpreter.threads)) {
    if (thread.native_id == 0 || older.insert(thread.native_id).second) {
      newcomers_.erase(thread.address);
    } else {
      newcomers_.try_emplace(thread.address, at);
    }
  }
}

bool LaneTable::is_on_its_way(RemoteAddress thread_state, Time at) const {
  const auto found = newcomers_.find(thread_state);
  return found != newcomers_.end() && at - found->second < longest_start;
}

/// Notes that an interpreter uses a GIL.
void LaneTable::join(GilLane& gil, const PythonInterpreter& interpreter, Time at) {
  if (gil.interpreter.is_null()) {
    gil.interpreter = interpreter.address;
    gil.threads_head = interpreter.threads_head;
  }
  if (std::ranges::find(gil.users, interpreter.id) != gil.users.end()) return;
  gil.users.push_back(interpreter.id);
  // A free-threaded build's waits until it is on.
  if (gil.defined || !target_.layout->free_threaded) define(gil, at);
}

void LaneTable::activate(Lane& lane, std::size_t standing, Time at) {
  if (lane.active == standing) return;
  lane.active = standing;
  lane.active_state = lane.standings[standing].python.address;
  tell_thread(lane, at);
}

void LaneTable::follow_names(Time at, const std::vector<PythonInterpreter>& interpreters) {
  std::unordered_set<std::uint64_t> wanted;
  for (const Lane& lane : lanes_) {
    if (lane.standing() != nullptr) wanted.insert(lane.standing()->python.ident);
  }
  std::erase_if(wanted, [this](std::uint64_t ident) { return names_.contains(ident); });
  if (at - names_read_at_ >= names_period) {
    names_read_at_ = at;
    for (std::size_t i = 0; i < std::min(names_again, lanes_.size()); ++i) {
      const Lane& lane = lanes_[next_named_++ % lanes_.size()];
      if (lane.standing() == nullptr) continue;
      names_.erase(lane.standing()->python.ident);
      wanted.insert(lane.standing()->python.ident);
    }
  }
  if (!wanted.empty()) {
    // The main interpreter's come first: every other calls the thread that made it "MainThread".
    for (const PythonInterpreter& interpreter : std::views::reverse(interpreters)) {
      names_.merge(read_thread_names(memory_, *target_.layout, interpreter.address,
                                     [&](std::uint64_t ident) { return wanted.contains(ident); }));
    }
  }
  for (const Lane& lane : lanes_) tell_thread(lane, at);
}

/// Tells the sink who a thread is, where that is new.
void LaneTable::tell_thread(const Lane& lane, Time at) {
  Identity identity;
  const Standing* standing = lane.standing();
  identity.python = standing != nullptr;
  if (standing != nullptr) {
    if (gils_[standing->gil].defined) identity.gil = gils_[standing->gil].id;
    if (const auto name = names_.find(standing->python.ident); name != names_.end()) {
      identity.name = name->second;
      identity.threading_name = true;
    }
  }
  const auto told = told_.find(lane.tid);
  // A thread that ends leaves `threading` before it leaves the process: it keeps its name.
  if (identity.name.empty() && told != told_.end() && told->second.threading_name) {
    identity.name = told->second.name;
    identity.threading_name = true;
  }
  if (identity.name.empty()) identity.name = process_.thread_name(lane.tid);
  if (told != told_.end() && told->second == identity) return;
  sink_.accept(ThreadSeen{at, process_.pid(), lane.tid, interner_.passing_string(identity.name),
                          identity.python, identity.gil});
  told_[lane.tid] = std::move(identity);
  changed_at_ = at;
}

Tid LaneTable::tid_of(RemoteAddress thread_state) const {
  const auto found = tids_.find(thread_state);
  return found != tids_.end() ? found->second : no_thread;
}

}  // namespace gilspy

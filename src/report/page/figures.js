'use strict';
// Every figure of a range, computed from the intervals as src/profile does it for the whole run.

/** Seven times, waits and the longest ones of one thread, in units. */
function threadFigures(recording, lane, from, to) {
  const times = new Float64Array(ACTIVITIES.length);
  eachStep(lane.track, from, to, (value, begin, end) => {
    if (value !== NO_VALUE) times[recording.activityOf[value]] += end - begin;
  });
  let waits = 0, longestWait = 0, forced = 0;
  const interval = recording.facts.switch_interval * recording.second;
  eachWait(recording, lane, from, to, (begin, end) => {
    ++waits;
    longestWait = Math.max(longestWait, end - begin);
    if (interval > 0 && end - begin > interval) ++forced;
  });
  return {times, waits, longestWait, forced, alive: times.reduce((sum, time) => sum + time, 0)};
}

/** A GIL's holds and hand-offs. A hold ends at a hand-off even where the holder looks the same. */
function holdFigures(gil, from, to, end) {
  const {at, counts} = gil.handoffs;
  let next = lowerBound(at, from, 0, at.length);
  let handoffs = 0;
  for (let i = next; i < at.length && (at[i] < to || to === end); ++i) handoffs += counts[i];
  let held = 0, unknown = 0, longestHold = 0;
  eachStep(gil.holders, from, to, (value, begin, stepEnd) => {
    if (value === UNKNOWN_HOLDER) unknown += stepEnd - begin;
    if (value < FIRST_LANE) return;
    held += stepEnd - begin;
    while (next < at.length && at[next] <= begin) ++next;
    for (; next < at.length && at[next] < stepEnd; ++next) {
      longestHold = Math.max(longestHold, at[next] - begin);
      begin = at[next];
    }
    longestHold = Math.max(longestHold, stepEnd - begin);
  });
  return {held, unknown, handoffs, longestHold};
}

/** Time in which at least one of the lanes waits. */
function contendedTime(recording, lanes, from, to) {
  const changes = [];
  for (const lane of lanes) {
    eachWait(recording, lane, from, to, (begin, end) => changes.push(2 * begin + 1, 2 * end));
  }
  let waiters = 0, since = 0, sum = 0;
  for (const change of new Float64Array(changes).sort()) {
    const at = Math.floor(change / 2);
    if (waiters > 0) sum += at - since;
    waiters += change % 2 === 1 ? 1 : -1;
    since = at;
  }
  return sum;
}

/**
 * For how long how many threads wanted a CPU, and how many of them did not wait for the GIL. From that
 * follows what any number of cores could give: see src/profile/cpu_demand.h.
 */
function cpuDemand(recording, from, to) {
  const states = recording.facts.states;
  const wants = Uint8Array.from(states, (state) => state.wants_cpu ? 1 : 0);
  const mayRun = Uint8Array.from(states, (state) => state.wants_cpu && state.activity !== WAITING ? 1 : 0);
  const changes = [];  // moment, and both differences, each from 0 to 2
  for (const lane of recording.lanes) {
    let want = 0, may = 0, until = from;
    const change = (at, nextWant, nextMay) => {
      if (nextWant === want && nextMay === may) return;
      changes.push(at * 16 + (nextWant - want + 1) * 4 + (nextMay - may + 1));
      want = nextWant;
      may = nextMay;
    };
    eachStep(lane.track, from, to, (value, begin, end) => {
      change(begin, wants[value], mayRun[value]);
      until = end;
    });
    change(until, 0, 0);
  }
  const wanted = [0], had = [0];
  let want = 0, may = 0, since = from;
  for (const change of new Float64Array(changes).sort()) {
    const at = Math.floor(change / 16);
    if (at > since) {
      wanted[want] = (wanted[want] || 0) + at - since;
      had[may] = (had[may] || 0) + at - since;
      since = at;
    }
    want += Math.floor(change % 16 / 4) - 1;
    may += change % 4 - 1;
  }
  const capped = (times, cores) => times.reduce((sum, time, count) => sum + time * Math.min(count, cores), 0);
  return (cores) => {
    const now = capped(had, recording.facts.cores || cores);
    if (now <= 0.01 * (to - from)) return null;
    return clamp(capped(wanted, cores) / now, 1, cores);
  };
}

/** Waiter-time by holder and waiter, and by the holder's stack. */
function blameFigures(recording, from, to) {
  const pairs = [];              // {holder: lane or null, waiter: lane, units}
  const stacks = new Map();      // holder's lane -> Map of stack to units
  for (const gil of recording.gils) {
    const begins = [], holders = [], topStacks = [];
    eachStep(gil.holders, from, to, (value, begin, end) => {
      if (value < FIRST_LANE) {
        begins.push(begin); holders.push(-1); topStacks.push(NO_STACK);
        return;
      }
      const lane = recording.lanes[value - FIRST_LANE];
      eachStack(sampleLists(lane).hold, begin, end, (stack, partBegin) => {
        begins.push(partBegin); holders.push(lane.index); topStacks.push(stack);
      });
    });
    if (begins.length === 0) continue;
    begins.push(to);
    const blamed = new Float64Array(holders.length);
    for (const waiter of recording.lanes.filter((lane) => lane.gil === gil.index)) {
      addBlame(recording, waiter, {begins, holders, blamed}, from, to, pairs);
    }
    holders.forEach((holder, i) => {
      if (holder < 0 || blamed[i] === 0) return;
      if (!stacks.has(holder)) stacks.set(holder, new Map());
      const times = stacks.get(holder);
      times.set(topStacks[i], (times.get(topStacks[i]) || 0) + blamed[i]);
    });
  }
  pairs.sort((a, b) => b.units - a.units);
  return {pairs, stacks};
}

/** Books one thread's waits on the parts of the GIL's time that they fall into. */
function addBlame(recording, waiter, parts, from, to, pairs) {
  const {begins, holders, blamed} = parts;
  const byHolder = new Float64Array(recording.lanes.length + 1);  // the last: nobody, or not known who
  const nobody = recording.lanes.length;
  let part = 0;
  eachWait(recording, waiter, from, to, (begin, end) => {
    while (part + 1 < holders.length && begins[part + 1] <= begin) ++part;
    if (begin < begins[part]) byHolder[nobody] += Math.min(end, begins[part]) - begin;
    for (let i = part; i < holders.length && begins[i] < end; ++i) {
      const time = Math.min(end, begins[i + 1]) - Math.max(begin, begins[i]);
      if (time <= 0) continue;
      // One that is said to hold and to wait was read in between.
      const holder = holders[i] === waiter.index ? -1 : holders[i];
      byHolder[holder < 0 ? nobody : holder] += time;
      if (holder >= 0) blamed[i] += time;
    }
  });
  byHolder.forEach((units, holder) => {
    if (units > 0) pairs.push({holder: holder === nobody ? null : recording.lanes[holder], waiter, units});
  });
}

/** The entry of a Map with the largest value. */
function largest(map) {
  return Array.from(map).reduce((most, entry) => entry[1] > most[1] ? entry : most);
}

/**
 * Python functions by the waiting they caused: [{function, file, line, native, seconds}], the worst first; native
 * is the native function that was on top of it most, '' for none. Stacks without Python go by their top.
 */
function blockersOf(recording, stacks) {
  const functions = new Map();
  for (const times of stacks.values()) {
    for (const [stack, units] of times) {
      const named = pythonPart(recording, stack) || stack;
      const code = named === NO_STACK ? -1 : recording.stacks.code[named];
      const row = functions.get(code) || {units: 0, lines: new Map(), natives: new Map()};
      const line = named === NO_STACK ? 0 : recording.stacks.line[named];
      const native = named === stack ? -1 : recording.stacks.code[stack];
      row.units += units;
      row.natives.set(native, (row.natives.get(native) || 0) + units);
      row.lines.set(line, (row.lines.get(line) || 0) + units);
      functions.set(code, row);
    }
  }
  const rows = Array.from(functions, ([code, row]) => ({
    function: code < 0 ? '' : recording.stacks.functions[code],
    file: code < 0 ? '' : recording.stacks.files[code],
    line: largest(row.lines)[0],
    native: recording.stacks.functions[largest(row.natives)[0]] || '',
    seconds: recording.seconds(row.units),
  }));
  return rows.sort((a, b) => b.seconds - a.seconds);
}

/**
 * All figures of a range, in seconds and shares, named as in -f json. Takes breaths between its parts;
 * `isWanted` is asked after each, and null is the answer when it says no.
 */
async function figuresOf(recording, from, to, isWanted) {
  const wall = to - from;
  const threads = recording.lanes.map((lane) => threadFigures(recording, lane, from, to));
  await breathe();
  const gils = [];
  for (const gil of recording.gils) {
    if (!isWanted()) return null;
    const members = recording.lanes.filter((lane) => lane.gil === gil.index);
    const sum = (pick) => members.reduce((total, lane) => total + pick(threads[lane.index]), 0);
    const hold = holdFigures(gil, from, to, recording.end);
    gils.push({
      held_share: hold.held / wall,
      contended_share: contendedTime(recording, members, from, to) / wall,
      unknown_share: hold.unknown / wall,
      wait_seconds: recording.seconds(sum((thread) => thread.times[WAITING])),
      handoffs: hold.handoffs,
      forced_handoffs: sum((thread) => thread.forced),
      longest_hold_seconds: recording.seconds(hold.longestHold),
      longest_wait_seconds: recording.seconds(
        members.reduce((most, lane) => Math.max(most, threads[lane.index].longestWait), 0)),
    });
    await breathe();
  }
  if (!isWanted()) return null;
  const blame = blameFigures(recording, from, to);
  await breathe();
  if (!isWanted()) return null;
  const unknown = threads.reduce((sum, thread) => sum + thread.times[UNKNOWN], 0);
  const alive = threads.reduce((sum, thread) => sum + thread.alive, 0);
  const tellable = recording.gils.length > 0 && unknown <= 0.5 * alive;
  const potentialOn = tellable ? cpuDemand(recording, from, to) : () => null;
  return {from, to, wall_seconds: recording.seconds(wall), gils, threads, blame,
    blockers: blockersOf(recording, blame.stacks), potentialOn};
}

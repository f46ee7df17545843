'use strict';
// Which stack a moment belongs to. A sample stands for all of its thread's time in the activity it was seen
// in, since the sample before it in the same activity (docs/states.md); after the last one that goes on.

const NO_STACK = 0;

/** A lane's samples by activity, and those of both ways of holding together, each sorted by time. */
function sampleLists(lane) {
  if (lane.lists) return lane.lists;
  const {at, activities, stacks} = lane.samples;
  const pick = (wanted) => {
    const indices = [];
    for (let i = 0; i < at.length; ++i) if (wanted(activities[i])) indices.push(i);
    return {at: Uint32Array.from(indices, (i) => at[i]), stacks: Uint32Array.from(indices, (i) => stacks[i])};
  };
  lane.lists = {
    byActivity: ACTIVITIES.map((_, activity) => pick((seen) => seen === activity)),
    hold: pick((seen) => seen === HOLDING_RUNNING || seen === HOLDING_BLOCKED),
  };
  return lane.lists;
}

/** Index of the sample that speaks for a moment; -1 when there is none at all. */
function sampleFor(list, at) {
  if (list.at.length === 0) return -1;
  return Math.min(lowerBound(list.at, at, 0, list.at.length), list.at.length - 1);
}

function stackAt(lane, activity, at) {
  const list = sampleLists(lane).byActivity[activity];
  const sample = sampleFor(list, at);
  return sample < 0 ? NO_STACK : list.stacks[sample];
}

/** Calls visit(stack, begin, end) for the parts of a stretch that different samples speak for. */
function eachStack(list, begin, end, visit) {
  let sample = sampleFor(list, begin + 1);
  if (sample < 0) {
    visit(NO_STACK, begin, end);
    return;
  }
  const last = list.at.length - 1;
  while (begin < end) {
    const until = sample === last ? end : Math.min(end, Math.max(list.at[sample], begin + 1));
    visit(list.stacks[sample], begin, until);
    begin = until;
    if (sample < last) ++sample;
  }
}

/** A stack's frames from the outermost to the top: [{function, file, line}]. */
function framesOf(recording, stack) {
  const {parent, code, line, functions, files} = recording.stacks;
  const frames = [];
  for (; stack !== NO_STACK; stack = parent[stack]) {
    frames.push({function: functions[code[stack]], file: files[code[stack]], line: line[stack]});
  }
  return frames.reverse();
}

function placeOf(frame) {
  return frame.function + (frame.file ? ' (' + baseName(frame.file) + (frame.line ? ':' + frame.line : '') + ')' : '');
}

/** The stack up to its innermost Python function; NO_STACK where there is none. */
function pythonPart(recording, stack) {
  const {parent, code, native} = recording.stacks;
  while (stack !== NO_STACK && native[code[stack]]) stack = parent[stack];
  return stack;
}

/** "work (app.py:12)", with the native function on top "work (app.py:12) > deflate (libz.so.1)"; "" when no
    stack is known. */
function topOf(recording, stack) {
  if (stack === NO_STACK) return '';
  const {code, line, functions, files} = recording.stacks;
  const place = (at) => placeOf({function: functions[code[at]], file: files[code[at]], line: line[at]});
  const python = pythonPart(recording, stack);
  return python === stack || python === NO_STACK ? place(stack) : place(python) + ' > ' + place(stack);
}

const ACTIVITIES_OF_WEIGHT = {
  hold: [HOLDING_RUNNING, HOLDING_BLOCKED],
  wait: [WAITING],
  cpu: [HOLDING_RUNNING, RUNNING],
  wall: [HOLDING_RUNNING, HOLDING_BLOCKED, WAITING, RUNNING, BLOCKED, RUNNABLE, UNKNOWN],
};

/** A lane's time per stack within a range, under any weight but blame: Map of stack to units. */
function stackTimes(recording, lane, weight, from, to) {
  const counts = new Set(ACTIVITIES_OF_WEIGHT[weight]);
  const lists = sampleLists(lane).byActivity;
  const times = new Map();
  eachStep(lane.track, from, to, (value, begin, end) => {
    if (value === NO_VALUE) return;
    const activity = recording.activityOf[value];
    if (!counts.has(activity)) return;
    eachStack(lists[activity], begin, end, (stack, partBegin, partEnd) => {
      times.set(stack, (times.get(stack) || 0) + partEnd - partBegin);
    });
  });
  return times;
}

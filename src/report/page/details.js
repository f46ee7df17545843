'use strict';
// What is known about one moment of one lane: for the tip beside the pointer and the panel of what is selected.

const MOST_ROWS = 4;

/** Holders during a wait: [{lane or null, units, stack}], the longest first. */
function holdersDuring(recording, lane, begin, end) {
  const gil = recording.gils[lane.gil];
  if (!gil) return [];
  const holders = new Map();
  eachStep(gil.holders, begin, end, (value, stepBegin, stepEnd) => {
    const row = holders.get(value) || {units: 0, longest: 0, at: 0};
    row.units += stepEnd - stepBegin;
    if (stepEnd - stepBegin > row.longest) {
      row.longest = stepEnd - stepBegin;
      row.at = stepEnd;
    }
    holders.set(value, row);
  });
  return Array.from(holders, ([value, row]) => {
    const holder = value >= FIRST_LANE ? recording.lanes[value - FIRST_LANE] : null;
    const samples = holder && sampleLists(holder).hold;
    const sample = holder ? sampleFor(samples, row.at) : -1;
    return {lane: holder, known: value !== UNKNOWN_HOLDER, units: row.units,
      stack: sample < 0 ? NO_STACK : samples.stacks[sample]};
  }).sort((a, b) => b.units - a.units);
}

/** Who waited for a GIL during a stretch: [{lane, units}], the longest first. */
function waitersDuring(recording, gil, begin, end) {
  const waiters = [];
  for (const lane of recording.lanes) {
    if (lane.gil !== gil.index || lane.first >= end || lane.last <= begin) continue;
    let units = 0;
    eachWait(recording, lane, begin, end, (waitBegin, waitEnd) => { units += waitEnd - waitBegin; });
    if (units > 0) waiters.push({lane, units});
  }
  return waiters.sort((a, b) => b.units - a.units);
}

function holdersText(recording, holders) {
  const lines = holders.slice(0, MOST_ROWS).map((row) => {
    const who = row.lane ? row.lane.label : row.known ? 'nobody (hand-over)' : 'unknown';
    const top = row.lane && row.stack !== NO_STACK ? ' in ' + topOf(recording, row.stack) : '';
    return who + ' ' + human(recording.seconds(row.units)) + top;
  });
  if (holders.length > MOST_ROWS) lines.push('and ' + (holders.length - MOST_ROWS) + ' more');
  return lines;
}

function waitersText(recording, waiters) {
  const lines = waiters.slice(0, MOST_ROWS).map((row) => row.lane.label + ' ' + human(recording.seconds(row.units)));
  if (waiters.length > MOST_ROWS) lines.push('and ' + (waiters.length - MOST_ROWS) + ' more');
  return lines;
}

function list(title, lines) {
  return lines.length === 0 ? null : el('div', {}, el('em', {}, title), el('ul', {}, lines.map((line) => el('li', {}, line))));
}

function timesText(recording, begin, end) {
  return human(recording.seconds(end - begin)) + ', ' + moment(recording.seconds(begin)) + ' to ' +
    moment(recording.seconds(end));
}

/** Elements about a thread at a moment; null where it did not exist. */
function aboutThread(recording, lane, at, frames) {
  const span = spanAt(recording, lane, at);
  if (!span) return null;
  const {activity, state, begin, end} = span;
  const stack = framesOf(recording, stackAt(lane, activity, at)).reverse();
  const holds = activity === HOLDING_RUNNING || activity === HOLDING_BLOCKED;
  return [
    el('strong', {}, lane.label + ' ', el('span', {className: 'state ' + ACTIVITIES[activity]}, state.text)),
    el('div', {}, timesText(recording, begin, end)),
    state.syscall ? el('div', {}, 'system call ' + state.syscall) : null,
    activity === WAITING
      ? list('Held meanwhile by', holdersText(recording, holdersDuring(recording, lane, begin, end))) : null,
    holds && recording.gils[lane.gil]
      ? list('Kept waiting', waitersText(recording, waitersDuring(recording, recording.gils[lane.gil], begin, end))) : null,
    stack.length > 0
      ? list('Stack', stack.slice(0, frames).map(placeOf).concat(stack.length > frames ? ['… ' + (stack.length - frames) + ' more'] : []))
      : el('div', {className: 'hint'}, 'no Python stack sampled'),
  ];
}

/** Elements about who holds a GIL at a moment. */
function aboutGil(recording, gil, at) {
  const hold = holdAt(recording, gil, at);
  if (!hold) return null;
  const {holder, begin, end} = hold;
  const samples = holder && sampleLists(holder).hold;
  const sample = holder ? sampleFor(samples, at) : -1;
  return [
    el('strong', {}, holder ? 'GIL held by ' + holder.label : hold.known ? 'GIL free' : 'holder of the GIL unknown'),
    el('div', {}, timesText(recording, begin, end)),
    sample >= 0 ? el('div', {}, 'in ' + topOf(recording, samples.stacks[sample])) : null,
    list('Waiting meanwhile', waitersText(recording, waitersDuring(recording, gil, begin, end))),
  ];
}

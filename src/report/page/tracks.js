'use strict';
// Questions about tracks: what was when, and how much of it in each column of a picture.

/** Index of the step that a moment lies in; -1 outside of the track. */
function stepAt(track, at) {
  if (track.count === 0 || at < track.begins[0] || at >= track.begins[track.count]) return -1;
  const next = lowerBound(track.begins, at, 0, track.count + 1);
  return track.begins[next] === at ? next : next - 1;
}

/** Index of the first step that ends after a moment; track.count when there is none. */
function stepFrom(track, at) {
  const next = lowerBound(track.begins, at, 0, track.count + 1);
  return next <= track.count && track.begins[next] === at ? next : Math.max(0, next - 1);
}

/** Calls visit(value, begin, end) for each step within a range, cut to it. */
function eachStep(track, from, to, visit) {
  for (let i = stepFrom(track, from); i < track.count && track.begins[i] < to; ++i) {
    const begin = Math.max(track.begins[i], from);
    const end = Math.min(track.begins[i + 1], to);
    if (begin < end) visit(track.values[i], begin, end, i);
  }
}

/** Calls visit(begin, end) for each wait of a lane within a range, in one piece however the kernel saw it. */
function eachWait(recording, lane, from, to, visit) {
  let begin = -1, until = -1;
  eachStep(lane.track, from, to, (value, stepBegin, stepEnd) => {
    if (value === NO_VALUE || recording.activityOf[value] !== WAITING) return;
    if (stepBegin !== until) {
      if (until >= 0) visit(begin, until);
      begin = stepBegin;
    }
    until = stepEnd;
  });
  if (until >= 0) visit(begin, until);
}

/** The stretch around a moment in which a lane's activity stays the same; null outside of its life. */
function spanAt(recording, lane, at) {
  const step = stepAt(lane.track, at);
  if (step < 0 || lane.track.values[step] === NO_VALUE) return null;
  const {begins, values, count} = lane.track;
  const activityAt = (i) => values[i] === NO_VALUE ? -1 : recording.activityOf[values[i]];
  const activity = activityAt(step);
  let first = step, last = step;
  while (first > 0 && activityAt(first - 1) === activity) --first;
  while (last + 1 < count && activityAt(last + 1) === activity) ++last;
  return {activity, state: recording.facts.states[values[step]], begin: begins[first], end: begins[last + 1]};
}

/** How a GIL was held around a moment: {holder: lane or null, known, begin, end}; null outside of its life. */
function holdAt(recording, gil, at) {
  const step = stepAt(gil.holders, at);
  if (step < 0) return null;
  const value = gil.holders.values[step];
  return {
    holder: value >= FIRST_LANE ? recording.lanes[value - FIRST_LANE] : null,
    known: value !== UNKNOWN_HOLDER,
    begin: gil.holders.begins[step],
    end: gil.holders.begins[step + 1],
  };
}

/** Adds a stretch of a kind to the columns it touches; `scale` columns make a unit. */
function addToColumns(shares, columns, kinds, kind, begin, end, scale) {
  let x = Math.max(0, begin * scale);
  const until = Math.min(columns, end * scale);
  for (let column = Math.floor(x); x < until; ++column) {
    const edge = Math.min(column + 1, until);
    shares[column * kinds + kind] += edge - x;
    x = edge;
  }
}

/** For each column of a window: the shares of it that a lane spent in each activity. */
function laneShares(recording, lane, from, to, columns) {
  const kinds = ACTIVITIES.length;
  const shares = new Float32Array(columns * kinds);
  const scale = columns / (to - from);
  const cell = recording.end / OVERVIEW_CELLS;
  if (lane.overview && (cell * scale <= 1.5 || !lane.track)) {
    const first = Math.max(0, Math.floor(from / cell));
    const last = Math.min(OVERVIEW_CELLS, Math.ceil(to / cell));
    for (let kind = 0; kind < kinds; ++kind) {
      const row = lane.overview.subarray(kind * OVERVIEW_CELLS, (kind + 1) * OVERVIEW_CELLS);
      for (let i = first; i < last; ++i) {
        if (row[i] === 0) continue;
        const width = cell * row[i] / 255;  // placed at the cell's beginning; it is a pixel and a half
        addToColumns(shares, columns, kinds, kind, i * cell - from, i * cell + width - from, scale);
      }
    }
  } else if (lane.track) {
    eachStep(lane.track, from, to, (value, begin, end) => {
      if (value === NO_VALUE) return;
      addToColumns(shares, columns, kinds, recording.activityOf[value], begin - from, end - from, scale);
    });
  }
  return shares;
}

/** Whether a window shows more steps of a track than can be told apart. */
function isDense(track, from, to, columns) {
  return stepFrom(track, to) - stepFrom(track, from) > columns / 3;
}

'use strict';
// A row for each thread: what the timeline shows, as a table.

const MOST_THREADS = 50;
const THREAD_COLUMNS = [
  ['hold', (t) => t[HOLDING_RUNNING] + t[HOLDING_BLOCKED]], ['wait', (t) => t[WAITING]], ['run', (t) => t[RUNNING]],
  ['blocked', (t) => t[BLOCKED]], ['runnable', (t) => t[RUNNABLE]], ['unknown', (t) => t[UNKNOWN]],
];

/** A thread's seven times as parts of one bar. */
function timesBar(times, alive) {
  const parts = STACKING.filter((activity) => times[activity] > 0).map((activity) => el('i', {
    className: ACTIVITIES[activity], title: ACTIVITY_TEXTS[activity] + ' ' + human(times[activity]),
    style: {width: (100 * times[activity] / alive).toFixed(2) + '%'},
  }));
  return el('td', {className: 'times', 'aria-hidden': 'true'}, parts);
}

/** `rows`: for each lane its seven times in seconds, and its longest hold and wait where they are known. */
function showThreads(recording, rows, goToLane) {
  const busy = (times) => times[HOLDING_RUNNING] + times[HOLDING_BLOCKED] + times[WAITING] + times[RUNNING];
  const order = recording.lanes.filter((lane) => rows[lane.index].alive > 0)
    .sort((a, b) => busy(rows[b.index].times) - busy(rows[a.index].times));
  const hasGil = recording.summary.process.gil_enabled !== false;
  const columns = hasGil ? THREAD_COLUMNS : THREAD_COLUMNS.slice(2);
  const waits = (cells) => (hasGil ? cells : []);
  const head = el('thead', {}, el('tr', {},
    ['thread', 'tid', 'alive', ''].map((text) => el('th', {scope: 'col'}, text)),
    columns.map(([name]) => el('th', {scope: 'col', className: 'number'}, name + ' %')),
    waits(['waits', 'longest wait']).map((text) => el('th', {scope: 'col', className: 'number'}, text))));
  const body = el('tbody', {}, order.map((lane, i) => {
    const row = rows[lane.index];
    const open = el('button', {type: 'button', className: 'link', onclick: () => goToLane(lane)}, lane.label);
    return el('tr', {hidden: i >= MOST_THREADS, 'data-lane': lane.index},
      el('th', {scope: 'row'}, open), el('td', {className: 'number'}, String(lane.tid)),
      el('td', {className: 'number'}, human(row.alive)), timesBar(row.times, row.alive),
      columns.map(([, pick]) => el('td', {className: 'number'}, (100 * pick(row.times) / row.alive).toFixed(1))),
      waits([String(row.waits), human(row.longestWait)]).map((text) => el('td', {className: 'number'}, text)));
  }));
  byId('threads').replaceChildren(head, body);
  if (order.length <= MOST_THREADS) return;
  const all = el('button', {type: 'button'}, 'All ' + order.length + ' threads');
  all.addEventListener('click', () => {
    for (const row of body.children) row.hidden = false;
    all.remove();
  });
  byId('threads').append(el('caption', {}, all));
}

/** The rows of the whole run, from -f json's figures. */
function rowsOfRun(recording) {
  return recording.summary.threads.map((thread, i) => {
    const times = ACTIVITIES.map((name) => secondsOf(thread, name));
    return {times, alive: times.reduce((sum, time) => sum + time, 0), waits: recording.facts.lanes[i].waits,
      longestWait: recording.facts.lanes[i].longest_wait_seconds};
  });
}

/** The rows of a range, from its computed figures. */
function rowsOfRange(recording, figures) {
  return figures.threads.map((thread) => ({
    times: Array.from(thread.times, (units) => recording.seconds(units)), alive: recording.seconds(thread.alive),
    waits: thread.waits, longestWait: recording.seconds(thread.longestWait),
  }));
}

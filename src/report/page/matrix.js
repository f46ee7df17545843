'use strict';
// Who waited for whom: a heat map of waiter-time by waiter (rows) and holder (columns).

const MOST_IN_MATRIX = 16;

/** The lanes with most time in pairs; null stands for nobody (a hand-over) or an unknown holder. */
function topLanes(pairs, pick) {
  const sums = new Map();
  for (const pair of pairs) sums.set(pick(pair), (sums.get(pick(pair)) || 0) + pair.units);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([lane]) => lane);
}

function showMatrix(recording, pairs, chooseHolder) {
  const table = byId('matrix');
  if (pairs.length === 0) {
    table.replaceChildren(el('tr', {}, el('td', {}, 'No thread waited.')));
    return;
  }
  const holders = topLanes(pairs, (pair) => pair.holder), waiters = topLanes(pairs, (pair) => pair.waiter);
  const shownHolders = holders.slice(0, MOST_IN_MATRIX), shownWaiters = waiters.slice(0, MOST_IN_MATRIX);
  const cells = new Map();
  for (const {holder, waiter, units} of pairs) {
    const column = shownHolders.includes(holder) ? holder : 'rest';
    const row = shownWaiters.includes(waiter) ? waiter : 'rest';
    if (!cells.has(row)) cells.set(row, new Map());
    cells.get(row).set(column, (cells.get(row).get(column) || 0) + units);
  }
  const columns = holders.length > shownHolders.length ? [...shownHolders, 'rest'] : shownHolders;
  const rows = waiters.length > shownWaiters.length ? [...shownWaiters, 'rest'] : shownWaiters;
  // The rest is a sum of many: the colours compare threads.
  const most = Math.max(...shownWaiters.flatMap((row) => shownHolders.map((column) => cells.get(row).get(column) || 0)), 1);
  const name = (lane, count) => lane === 'rest' ? count + ' others' : lane === null ? 'nobody or unknown' : lane.label;
  const holderName = (lane) => name(lane, holders.length - shownHolders.length);
  const waiterName = (lane) => name(lane, waiters.length - shownWaiters.length);

  const head = el('tr', {}, el('td', {className: 'corner'}, 'waiter ↓   holder →'), columns.map((lane) =>
    el('th', {scope: 'col'}, lane && lane !== 'rest'
      ? el('button', {type: 'button', className: 'link', onclick: () => chooseHolder(lane)}, holderName(lane)) : holderName(lane))));
  const body = rows.map((row) => el('tr', {}, el('th', {scope: 'row'}, waiterName(row)), columns.map((column) => {
    const units = cells.get(row).get(column) || 0;
    const heat = Math.round(100 * Math.min(1, units / most));
    const text = units > 0 ? human(recording.seconds(units)) : '';
    return el('td', {
      className: 'heat number', style: {backgroundColor: 'color-mix(in srgb, var(--waiting) ' + Math.round(heat * 0.75) + '%, transparent)'},
      title: units > 0 ? waiterName(row) + ' waited ' + text + ' while ' + holderName(column) + ' held the GIL' : '',
    }, text);
  })));
  table.replaceChildren(el('thead', {}, head), el('tbody', {}, body));
}

'use strict';
// Draws rows of the timeline onto a canvas. Knows nothing of pointers and keys.

const HOLDER_COLOURS = 8;               // --holder-0 to --holder-7 in page.css
const OTHER_HOLDER = HOLDER_COLOURS, NO_HOLDER_KNOWN = HOLDER_COLOURS + 1;
/** From the bottom of a lane to its top where a column of pixels has several. */
const STACKING = [HOLDING_RUNNING, HOLDING_BLOCKED, WAITING, RUNNING, RUNNABLE, UNKNOWN, BLOCKED];

/** The page's colours, as CSS texts and as the pixels of an ImageData. */
class Palette {
  constructor() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue('--' + name).trim();
    this.activities = ACTIVITIES.map((name) => colour(name.replace('_', '-')));
    this.holders = Array.from({length: HOLDER_COLOURS}, (_, i) => colour('holder-' + i));
    this.holders.push(colour('holder-other'), colour('unknown'));
    this.text = colour('text');
    this.faint = colour('faint');
    this.line = colour('line');
    this.background = colour('background');
    this.accent = colour('accent');
    this.onActivities = ACTIVITIES.map((name) => colour('on-' + name.replace('_', '-')));
  }

  /** "#rrggbb" as a pixel, whose bytes are red, green, blue and alpha in this order. */
  static pixel(colour) {
    const value = parseInt(colour.slice(1), 16);
    return (0xff000000 | (value & 0xff) << 16 | value & 0xff00 | value >> 16) >>> 0;
  }
}

/** Where a picture lies on its canvas, in CSS pixels, and which window of time it shows. */
class Frame {
  constructor(context, left, width, from, to) {
    Object.assign(this, {context, left, width, from, to});
    this.ratio = window.devicePixelRatio || 1;
    this.columns = Math.max(1, Math.round(width * this.ratio));
  }

  x(at) {
    return this.left + (at - this.from) / (this.to - this.from) * this.width;
  }
}

/** Paints shares as columns of pixels, one kind above the other. */
function drawShares(frame, shares, kinds, order, colours, top, height) {
  const rows = Math.round(height * frame.ratio);
  const image = frame.context.createImageData(frame.columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const ink = colours.map((colour) => colour === null ? 0 : Palette.pixel(colour));
  for (let column = 0; column < frame.columns; ++column) {
    let sum = 0, row = rows;
    for (const kind of order) {
      sum += shares[column * kinds + kind];
      const until = Math.max(0, rows - Math.round(sum * rows));
      for (; row > until; --row) pixels[(row - 1) * frame.columns + column] = ink[kind];
    }
  }
  frame.context.putImageData(image, Math.round(frame.left * frame.ratio), Math.round(top * frame.ratio));
}

/** Stripes: the GIL held across a system call is told from other states without its colour, too. */
function drawStripes(context, x, y, width, height, colour) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colour;
  context.beginPath();
  for (let i = x - height; i < x + width; i += 6) {
    context.moveTo(i, y + height);
    context.lineTo(i + height, y);
  }
  context.stroke();
  context.restore();
}

function drawBox(frame, begin, end, top, height, fill, text, textColour) {
  const {context} = frame;
  const x = Math.max(frame.x(begin), frame.left);
  const right = Math.min(frame.x(end), frame.left + frame.width);
  context.fillStyle = fill;
  context.fillRect(x, top, Math.max(right - x, 0.5), height);
  if (!text || right - x < 46) return;
  context.save();
  context.beginPath();
  context.rect(x, top, right - x - 2, height);
  context.clip();
  context.fillStyle = textColour;
  context.fillText(text, x + 4, top + height / 2);
  context.restore();
}

function drawLane(frame, recording, lane, shares, palette, hidden, top, height) {
  const dense = !lane.track || isDense(lane.track, frame.from, frame.to, frame.columns);
  if (dense) {
    const colours = palette.activities.map((colour, activity) => hidden.has(activity) ? null : colour);
    drawShares(frame, shares, ACTIVITIES.length, STACKING, colours, top, height);
    return;
  }
  eachBox(recording, lane, frame.from, frame.to, (activity, state, begin, end) => {
    if (hidden.has(activity)) return;
    // A thread in the background needs less ink than one that does something.
    const inset = activity === BLOCKED ? height / 3 : 0;
    drawBox(frame, begin, end, top + inset, height - 2 * inset, palette.activities[activity],
      inset ? '' : state.text, palette.onActivities[activity]);
    if (activity !== HOLDING_BLOCKED) return;
    const x = Math.max(frame.x(begin), frame.left);
    const right = Math.min(frame.x(end), frame.left + frame.width);
    if (right - x > 3) drawStripes(frame.context, x, top, right - x, height, palette.background);
  });
}

/** Calls visit(activity, state, begin, end) for what is one box: a wait, however the kernel saw it, is one. */
function eachBox(recording, lane, from, to, visit) {
  let box = null;
  const finish = () => { if (box) visit(box.activity, box.state, box.begin, box.end); };
  eachStep(lane.track, from, to, (value, begin, end) => {
    const state = recording.facts.states[value];
    const activity = value === NO_VALUE ? -1 : state.activity;
    if (box && activity === WAITING && box.activity === WAITING && box.end === begin) {
      box.end = end;
      return;
    }
    finish();
    box = activity < 0 ? null : {activity, state, begin, end};
  });
  finish();
}

/** For each column: the share of it that holders of each colour had the GIL. */
function holderShares(frame, recording, gil, laneColours, allShares) {
  const kinds = HOLDER_COLOURS + 2;
  const shares = new Float32Array(frame.columns * kinds);
  const scale = frame.columns / (frame.to - frame.from);
  const zoomedOut = recording.end / OVERVIEW_CELLS * scale <= 1.5;
  if (gil.holders && (!zoomedOut || gil.holders.count < 100000)) {
    eachStep(gil.holders, frame.from, frame.to, (value, begin, end) => {
      if (value === FREE) return;
      const kind = value === UNKNOWN_HOLDER ? NO_HOLDER_KNOWN : laneColours[value - FIRST_LANE];
      addToColumns(shares, frame.columns, kinds, kind, begin - frame.from, end - frame.from, scale);
    });
    return shares;
  }
  for (const [lane, own] of allShares) {
    if (lane.gil !== gil.index) continue;
    const kind = laneColours[lane.index];
    for (let column = 0; column < frame.columns; ++column) {
      const at = column * ACTIVITIES.length;
      shares[column * kinds + kind] += own[at + HOLDING_RUNNING] + own[at + HOLDING_BLOCKED];
    }
  }
  return shares;
}

function drawGil(frame, recording, gil, laneColours, allShares, palette, top, height) {
  const {holders} = gil;
  if (!holders || isDense(holders, frame.from, frame.to, frame.columns)) {
    const order = Array.from(palette.holders.keys());
    drawShares(frame, holderShares(frame, recording, gil, laneColours, allShares), palette.holders.length, order,
      palette.holders, top, height);
    return;
  }
  eachStep(holders, frame.from, frame.to, (value, begin, end) => {
    if (value === FREE) return;
    const lane = value >= FIRST_LANE ? recording.lanes[value - FIRST_LANE] : null;
    const colour = palette.holders[lane ? laneColours[lane.index] : NO_HOLDER_KNOWN];
    drawBox(frame, begin, end, top, height, colour, lane ? lane.label : 'unknown', palette.background);
  });
}

/** How many threads wait: an area, as high as the most at any time of the window. */
function drawWaiters(frame, gil, allShares, palette, top, height) {
  const counts = new Float32Array(frame.columns);
  for (const [lane, shares] of allShares) {
    if (lane.gil !== gil.index) continue;
    for (let column = 0; column < frame.columns; ++column) counts[column] += shares[column * ACTIVITIES.length + WAITING];
  }
  const most = Math.max(1, Math.ceil(counts.reduce((a, b) => Math.max(a, b), 0) - 0.01));
  const {context} = frame;
  const pixel = 1 / frame.ratio;
  context.fillStyle = palette.activities[WAITING];
  counts.forEach((count, column) => {
    const size = count / most * height;
    if (count > 0) context.fillRect(frame.left + column * pixel, top + height - size, pixel, size);
  });
  return most;
}

/** A round number of seconds between marks that leaves room for their texts. */
function markDistance(seconds, width) {
  const least = seconds / Math.max(1, width / 90);
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((distance) => distance >= least);
}

function drawRuler(frame, recording, palette, height, bottom) {
  const {context} = frame;
  const from = recording.seconds(frame.from), to = recording.seconds(frame.to);
  const distance = markDistance(to - from, frame.width);
  const decimals = clamp(Math.ceil(-Math.log10(distance)), 0, 6);
  for (let i = Math.ceil(from / distance); i * distance <= to; ++i) {
    const x = Math.round(frame.x(i * distance * recording.second)) + 0.5;
    context.fillStyle = palette.line;
    context.fillRect(x, height - 6, 1, bottom - height + 6);
    context.fillStyle = palette.faint;
    if (x < frame.left + frame.width - 50) context.fillText((i * distance).toFixed(decimals) + ' s', x + 3, height / 2);
  }
}

/** An arrow from one row to another at a moment: from who waits to who holds. */
function drawArrow(context, x, fromY, toY, colour) {
  const down = toY > fromY ? 1 : -1;
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, fromY);
  context.lineTo(x, toY - 6 * down);
  context.stroke();
  context.beginPath();
  context.moveTo(x, toY);
  context.lineTo(x - 5, toY - 8 * down);
  context.lineTo(x + 5, toY - 8 * down);
  context.fill();
}

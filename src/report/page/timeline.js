'use strict';
// The timeline: which rows there are, which window is shown, and what pointer and keys do to it.

const RULER = 22, GIL_ROW = 26, WAITERS_ROW = 26, LANE_ROW = 22, GAP = 4;
const MOST_HEIGHT = 620;
const LEAST_WINDOW = 20;  // units

class Timeline {
  /** `changed(range)` is called when another range is selected: {from, to}, or null for the whole run. */
  constructor(recording, changed) {
    Object.assign(this, {recording, changed, from: 0, to: recording.end, range: null, hover: null, selected: null});
    this.hidden = new Set();
    this.allLanes = false;
    this.canvas = byId('lanes');
    this.overlay = byId('overlay');
    this.box = byId('timeline');
    this.rank();
    this.showLegend();
    this.layOut();
  }

  /** Lanes by what they have to do with the GIL; those without any of it are "idle". */
  rank() {
    const {recording} = this;
    const times = recording.summary.threads;
    const seconds = (i, activity) => secondsOf(times[i], activity);
    const hold = (i) => seconds(i, 'holding_running') + seconds(i, 'holding_blocked');
    const busy = (i) => hold(i) + seconds(i, 'waiting') + seconds(i, 'running');
    this.order = recording.lanes.map((lane) => lane.index).sort((a, b) => busy(b) - busy(a) || a - b);
    const least = recording.summary.wall_seconds / 1000;
    this.idleFrom = this.order.findIndex((i) => busy(i) < least);
    if (this.idleFrom < 0 || this.order.length <= 6) this.idleFrom = this.order.length;
    this.laneColours = new Uint8Array(recording.lanes.length).fill(OTHER_HOLDER);
    [...this.order].sort((a, b) => hold(b) - hold(a)).slice(0, HOLDER_COLOURS)
      .forEach((lane, i) => { this.laneColours[lane] = i; });
  }

  showLegend() {
    ACTIVITIES.forEach((name, activity) => {
      const button = el('button', {type: 'button', className: 'state ' + name, 'aria-pressed': 'true'}, ACTIVITY_TEXTS[activity]);
      button.addEventListener('click', () => {
        if (!this.hidden.delete(activity)) this.hidden.add(activity);
        button.setAttribute('aria-pressed', String(!this.hidden.has(activity)));
        this.draw();
      });
      byId('legend').append(button);
    });
    const idle = this.order.length - this.idleFrom;
    byId('idle').hidden = idle === 0;
    byId('idle').textContent = 'Show ' + idle + ' idle thread' + (idle === 1 ? '' : 's');
    byId('idle').addEventListener('click', () => {
      this.allLanes = !this.allLanes;
      byId('idle').textContent = (this.allLanes ? 'Hide ' : 'Show ') + idle + ' idle thread' + (idle === 1 ? '' : 's');
      this.layOut();
    });
  }

  /** Places the rows: ruler, GILs and waiters stay, the lanes below them scroll. */
  layOut() {
    this.palette = new Palette();
    this.heads = [];
    let y = RULER;
    for (const gil of this.recording.gils) {
      this.heads.push({gil, top: y, height: GIL_ROW - GAP, kind: 'gil'});
      y += GIL_ROW;
      this.heads.push({gil, top: y, height: WAITERS_ROW - GAP, kind: 'waiters'});
      y += WAITERS_ROW;
    }
    this.lanesTop = y + GAP;
    this.shownLanes = this.order.slice(0, this.allLanes ? this.order.length : this.idleFrom)
      .map((index) => this.recording.lanes[index]);
    this.rowOf = new Map(this.shownLanes.map((lane, row) => [lane, row]));
    const total = this.lanesTop + this.shownLanes.length * LANE_ROW + GAP;
    const width = this.box.clientWidth;
    const height = Math.min(total, MOST_HEIGHT);
    byId('height').style.height = total + 'px';
    byId('view').style.height = this.box.style.height = height + 'px';
    this.left = width < 700 ? 110 : 190;
    this.width = Math.max(50, this.box.clientWidth - this.left - 4);
    this.height = height;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.overlay]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = width + 'px';
      canvas.style.height = height + 'px';
      canvas.getContext('2d').setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.draw();
  }

  laneTop(lane) {
    const row = this.rowOf.get(lane);
    return row === undefined ? -1 : this.lanesTop + row * LANE_ROW - this.box.scrollTop;
  }

  frame(canvas) {
    const context = canvas.getContext('2d');
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    return new Frame(context, this.left, this.width, this.from, this.to);
  }

  /** Draws soon, and once however often it is asked. */
  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.drawNow();
      this.drawOverlay();
    });
  }

  /** Every lane's shares of the window: the count of waiters needs also those that are scrolled away. */
  sharesOf(frame) {
    const key = [frame.from, frame.to, frame.columns, this.recording.complete].join();
    if (this.sharesKey === key) return this.shares;
    this.sharesKey = key;
    this.shares = new Map();
    for (const lane of this.recording.lanes) {
      if (lane.first >= frame.to || lane.last <= frame.from) continue;
      this.shares.set(lane, laneShares(this.recording, lane, frame.from, frame.to, frame.columns));
    }
    return this.shares;
  }

  drawNow() {
    const {palette, recording} = this;
    const frame = this.frame(this.canvas);
    const {context} = frame;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    drawRuler(frame, recording, palette, RULER, this.height);
    const shares = this.sharesOf(frame);
    this.shownLanes.forEach((lane) => {
      const top = this.laneTop(lane);
      if (top <= this.lanesTop - LANE_ROW || top >= this.height || !shares.has(lane)) return;
      drawLane(frame, recording, lane, shares.get(lane), palette, this.hidden, top, LANE_ROW - GAP);
    });
    context.fillStyle = palette.background;
    context.fillRect(0, 0, this.left + this.width + 4, this.lanesTop);
    drawRuler(frame, recording, palette, RULER, this.lanesTop);
    for (const row of this.heads) {
      if (row.kind === 'gil') {
        drawGil(frame, recording, row.gil, this.laneColours, shares, palette, row.top, row.height);
      } else {
        row.most = drawWaiters(frame, row.gil, shares, palette, row.top, row.height);
      }
    }
    this.drawLabels(context);
  }

  drawLabels(context) {
    const {palette} = this;
    const label = (text, top, height, colour) => {
      context.save();
      context.beginPath();
      context.rect(0, top, this.left - 8, height);
      context.clip();
      context.fillStyle = colour;
      context.fillText(text, 14, top + height / 2);
      context.restore();
    };
    context.fillStyle = palette.background;
    context.fillRect(0, 0, this.left, this.height);
    for (const lane of this.shownLanes) {
      const top = this.laneTop(lane);
      if (top < this.lanesTop - LANE_ROW || top > this.height) continue;
      label(lane.label + '  ' + lane.tid, top, LANE_ROW - GAP, palette.text);
      if (this.laneColours[lane.index] < HOLDER_COLOURS) {
        context.fillStyle = palette.holders[this.laneColours[lane.index]];
        context.fillRect(2, top, 7, LANE_ROW - GAP);
      }
    }
    context.fillStyle = palette.background;
    context.fillRect(0, 0, this.left, this.lanesTop);
    const several = this.recording.gils.length > 1;
    for (const row of this.heads) {
      const of = several ? ' ' + row.gil.interpreters : '';
      label(row.kind === 'gil' ? 'GIL' + of + ', by holder' : 'waiting, of ' + row.most, row.top, row.height, palette.text);
    }
  }

  drawOverlay() {
    const frame = this.frame(this.overlay);
    const {context} = frame;
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    context.save();
    context.beginPath();
    context.rect(this.left, 0, this.width, this.height);
    context.clip();
    if (this.range) this.drawRange(frame);
    if (this.selected) this.drawSelected(frame, this.selected, true);
    if (this.hover) this.drawSelected(frame, this.hover, false);
    context.restore();
  }

  drawRange(frame) {
    const {context} = frame;
    const x = frame.x(this.range.from), right = frame.x(this.range.to);
    context.globalAlpha = 0.6;
    context.fillStyle = this.palette.background;
    context.fillRect(this.left, RULER, x - this.left, this.height);
    context.fillRect(right, RULER, this.left + this.width - right, this.height);
    context.globalAlpha = 1;
    context.fillStyle = this.palette.accent;
    context.fillRect(x - 1, 0, 2, this.height);
    context.fillRect(right - 1, 0, 2, this.height);
    context.fillRect(x, RULER - 5, right - x, 3);
  }

  /** The stretch that a spot lies in, and arrows between who waits there and who holds. */
  drawSelected(frame, spot, strong) {
    const {context} = frame;
    const {recording, palette} = this;
    const x = frame.x(spot.at);
    context.fillStyle = palette.faint;
    if (!strong) context.fillRect(x, 0, 1, this.height);
    if (!spot.lane || !recording.complete) return;
    const span = spanAt(recording, spot.lane, spot.at);
    const top = this.laneTop(spot.lane);
    if (!span || top < 0) return;
    const outline = (begin, end, y, height) => {
      context.lineWidth = 2;
      context.strokeStyle = palette.text;
      context.strokeRect(frame.x(begin), y - 1, Math.max(2, frame.x(end) - frame.x(begin)), height + 2);
    };
    outline(span.begin, span.end, top, LANE_ROW - GAP);
    const gil = recording.gils[spot.lane.gil];
    if (!gil) return;
    const middle = (y) => y + (LANE_ROW - GAP) / 2;
    const hold = holdAt(recording, gil, spot.at);
    const arrow = (waiter, holder) => {
      const from = this.laneTop(waiter), to = this.laneTop(holder);
      if (from >= 0 && to >= 0) drawArrow(context, x, middle(from), middle(to), palette.text);
    };
    if (span.activity === WAITING && hold && hold.holder && hold.holder !== spot.lane) {
      const row = this.heads.find((head) => head.kind === 'gil' && head.gil === gil);
      outline(hold.begin, hold.end, row.top, row.height);
      if (this.laneTop(hold.holder) >= 0) outline(hold.begin, hold.end, this.laneTop(hold.holder), LANE_ROW - GAP);
      arrow(spot.lane, hold.holder);
    } else if (span.activity === HOLDING_RUNNING || span.activity === HOLDING_BLOCKED) {
      for (const lane of this.shownLanes) {
        const other = lane.gil === gil.index && lane !== spot.lane ? spanAt(recording, lane, spot.at) : null;
        if (other && other.activity === WAITING) arrow(lane, spot.lane);
      }
    }
  }
}

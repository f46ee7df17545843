'use strict';
// What pointer, wheel and keys do to the timeline.

class TimelineInput {
  constructor(timeline) {
    this.timeline = timeline;
    this.recording = timeline.recording;
    this.drag = null;
    const {overlay, box} = timeline;
    overlay.addEventListener('pointerdown', (event) => this.press(event));
    overlay.addEventListener('pointermove', (event) => this.move(event));
    overlay.addEventListener('pointerup', (event) => this.release(event));
    overlay.addEventListener('pointerleave', () => this.point(null));
    overlay.addEventListener('dblclick', () => this.zoomToSelected());
    overlay.addEventListener('wheel', (event) => this.wheel(event), {passive: false});
    overlay.addEventListener('keydown', (event) => this.key(event));
    box.addEventListener('scroll', () => timeline.draw());
    for (const button of document.querySelectorAll('#tools button')) {
      button.addEventListener('click', () => this.act(button.dataset.key));
    }
    for (const id of ['range-from', 'range-to']) {
      byId(id).addEventListener('change', () => this.readRange());
    }
    new ResizeObserver(() => timeline.layOut()).observe(box);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => timeline.layOut());
  }

  timeAt(event) {
    const {left, width, from, to} = this.timeline;
    return from + clamp((event.offsetX - left) / width, 0, 1) * (to - from);
  }

  /** What lies under the pointer: {at, lane} or {at, gil}. */
  spotAt(event) {
    const {timeline} = this;
    const at = Math.floor(this.timeAt(event));
    const y = event.offsetY;
    if (event.offsetX < timeline.left) return null;
    if (y < timeline.lanesTop) {
      const row = timeline.heads.find((head) => y >= head.top && y < head.top + head.height + GAP);
      return row ? {at, gil: row.gil} : {at};
    }
    const lane = timeline.shownLanes[Math.floor((y - timeline.lanesTop + timeline.box.scrollTop) / LANE_ROW)];
    return {at, lane};
  }

  press(event) {
    if (event.button > 1 || event.offsetX < this.timeline.left) return;
    this.timeline.overlay.focus({preventScroll: true});
    this.timeline.overlay.setPointerCapture(event.pointerId);
    const pans = event.shiftKey || event.button === 1 || event.offsetY < RULER;
    this.drag = {x: event.offsetX, at: this.timeAt(event), from: this.timeline.from, pans, moved: false};
    event.preventDefault();
  }

  move(event) {
    const {timeline, drag} = this;
    if (!drag) {
      this.point(this.spotAt(event), event);
      return;
    }
    if (Math.abs(event.offsetX - drag.x) > 3) drag.moved = true;
    if (!drag.moved) return;
    if (drag.pans) {
      const units = (drag.x - event.offsetX) / timeline.width * (timeline.to - timeline.from);
      this.show(drag.from + units, drag.from + units + timeline.to - timeline.from);
    } else {
      const at = this.timeAt(event);
      this.setRange(Math.min(at, drag.at), Math.max(at, drag.at), false);
    }
  }

  release(event) {
    const drag = this.drag;
    this.drag = null;
    if (!drag) return;
    if (!drag.moved) this.select(this.spotAt(event));
    if (drag.moved && !drag.pans) this.timeline.changed(this.timeline.range);
  }

  /** The tip beside the pointer. */
  point(spot, event) {
    this.timeline.hover = spot;
    this.timeline.drawOverlay();
    const about = spot && this.recording.complete ? this.describe(spot, 8) : null;
    const tip = byId('tip');
    tip.hidden = !about;
    if (!about) return;
    tip.replaceChildren(...about.filter(Boolean));
    const left = event.clientX + 16, top = event.clientY + 16;
    tip.style.left = Math.max(4, Math.min(left, innerWidth - tip.offsetWidth - 8)) + 'px';
    tip.style.top = (top + tip.offsetHeight < innerHeight ? top : Math.max(4, event.clientY - tip.offsetHeight - 12)) + 'px';
  }

  describe(spot, frames) {
    if (spot.lane) return aboutThread(this.recording, spot.lane, spot.at, frames);
    if (spot.gil) return aboutGil(this.recording, spot.gil, spot.at);
    return null;
  }

  select(spot) {
    const {timeline} = this;
    const about = spot && this.recording.complete ? this.describe(spot, 60) : null;
    timeline.selected = about ? spot : null;
    byId('selected').replaceChildren(...(about || []).filter(Boolean));
    timeline.drawOverlay();
  }

  wheel(event) {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    const zooms = event.ctrlKey || event.metaKey || document.activeElement === this.timeline.overlay;
    const {timeline} = this;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const units = sideways / timeline.width * (timeline.to - timeline.from);
      this.show(timeline.from + units, timeline.to + units);
    } else if (zooms && event.offsetX >= timeline.left) {
      this.zoom(Math.exp(clamp(event.deltaY, -200, 200) / 300), this.timeAt(event));
    } else {
      return;  // the page scrolls
    }
    event.preventDefault();
  }

  zoom(factor, around) {
    const {from, to} = this.timeline;
    this.show(around - (around - from) * factor, around + (to - around) * factor);
  }

  show(from, to) {
    const {timeline} = this;
    const size = clamp(to - from, Math.min(LEAST_WINDOW, this.recording.end), this.recording.end);
    const begin = clamp((from + to - size) / 2, 0, this.recording.end - size);
    timeline.from = begin;
    timeline.to = begin + size;
    timeline.draw();
  }

  /** Selects a range; `tell` says whether everything is computed anew now. */
  setRange(from, to, tell) {
    const {timeline, recording} = this;
    from = clamp(Math.round(from), 0, recording.end);
    to = clamp(Math.round(to), 0, recording.end);
    timeline.range = to > from ? {from, to} : null;
    byId('range-from').value = timeline.range ? recording.seconds(from).toFixed(6) : '';
    byId('range-to').value = timeline.range ? recording.seconds(to).toFixed(6) : '';
    timeline.drawOverlay();
    if (tell) timeline.changed(timeline.range);
  }

  readRange() {
    const number = (id, otherwise) => {
      const text = byId(id).value.trim().replace(',', '.');
      const value = text === '' ? NaN : Number(text) * this.recording.second;
      return Number.isFinite(value) ? value : otherwise;
    };
    const from = number('range-from', 0), to = number('range-to', this.recording.end);
    if (to > from) this.setRange(from, to, true);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.act(event.key)) event.preventDefault();
  }

  /** What a key does, and the button that names it. */
  act(key) {
    const {timeline} = this;
    const {from, to, range, hover, selected} = timeline;
    const around = hover ? hover.at : selected ? clamp(selected.at, from, to) : (from + to) / 2;
    const step = (to - from) / 5;
    switch (key) {
      case 'w': case '+': this.zoom(2 / 3, around); break;
      case 's': case '-': this.zoom(3 / 2, around); break;
      case 'a': this.show(from - step, to - step); break;
      case 'd': this.show(from + step, to + step); break;
      case '0': case 'Home': this.show(0, this.recording.end); break;
      case 'r': this.setRange(from, to, true); break;
      case 'f': if (range) this.show(range.from, range.to); break;
      case 'm': this.rangeOfSelected(); break;
      case 'Enter': this.zoomToSelected(); break;
      case 'ArrowLeft': this.walk(-1); break;
      case 'ArrowRight': this.walk(1); break;
      case 'ArrowUp': this.walkLanes(-1); break;
      case 'ArrowDown': this.walkLanes(1); break;
      case 'Escape': this.select(null); this.setRange(0, 0, true); break;
      default: return false;
    }
    return true;
  }

  selectedSpan() {
    const spot = this.timeline.selected;
    if (!spot) return null;
    return spot.lane ? spanAt(this.recording, spot.lane, spot.at) : holdAt(this.recording, spot.gil, spot.at);
  }

  rangeOfSelected() {
    const span = this.selectedSpan();
    if (span) this.setRange(span.begin, span.end, true);
  }

  zoomToSelected() {
    const span = this.selectedSpan();
    if (span) this.show(span.begin - (span.end - span.begin), span.end + (span.end - span.begin));
  }

  /** To the state before or after the selected one. */
  walk(direction) {
    const spot = this.timeline.selected;
    if (!spot) {
      this.walkLanes(0);
      return;
    }
    const span = this.selectedSpan();
    const at = direction < 0 ? span.begin - 1 : span.end;
    this.goToSpot({...spot, at});
  }

  walkLanes(direction) {
    const {selected, shownLanes, from, to} = this.timeline;
    if (shownLanes.length === 0) return;
    const row = selected && selected.lane ? shownLanes.indexOf(selected.lane) : -1;
    const lane = shownLanes[clamp(row + direction, 0, shownLanes.length - 1)];
    const at = selected ? selected.at : Math.floor((from + to) / 2);
    this.goToSpot({lane, at: clamp(at, lane.first, Math.max(lane.first, lane.last - 1))});
  }

  /** Selects a spot and brings it into sight. */
  goToSpot(spot) {
    if (!this.recording.complete || !this.describe(spot, 1)) return;
    const {timeline} = this;
    if (spot.at < timeline.from || spot.at >= timeline.to) {
      const half = (timeline.to - timeline.from) / 2;
      this.show(spot.at - half, spot.at + half);
    }
    if (spot.lane) this.bringLane(spot.lane);
    this.select(spot);
  }

  bringLane(lane) {
    const {timeline} = this;
    if (timeline.laneTop(lane) < 0 && !timeline.rowOf.has(lane)) byId('idle').click();
    const row = timeline.rowOf.get(lane);
    const room = timeline.height - timeline.lanesTop;
    const top = row * LANE_ROW;
    const scroll = timeline.box.scrollTop;
    if (top < scroll || top + LANE_ROW > scroll + room) timeline.box.scrollTop = top - room / 2;
    timeline.draw();
  }

  /** Shows a stretch of a lane with some of what was around it, and selects it. */
  goTo({begin, end, lane}) {
    const margin = Math.max(2 * (end - begin), 0.01 * this.recording.second);
    this.show(begin - margin, end + margin);
    if (lane !== undefined) this.goToSpot({lane: this.recording.lanes[lane], at: Math.floor((begin + end) / 2)});
    timelineIntoView(this.timeline);
  }
}

function timelineIntoView(timeline) {
  timeline.overlay.focus({preventScroll: true});
  byId('timeline-title').scrollIntoView({block: 'start'});
}

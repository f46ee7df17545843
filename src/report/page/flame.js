'use strict';
// Flame graphs of a range, root at the top: one for each meaning of width, of one thread or all.

const WEIGHTS = {
  blame: 'time that others waited while this held the GIL',
  hold: 'time holding the GIL',
  wait: 'time waiting for the GIL',
  cpu: 'time on a CPU, with the GIL or without',
  wall: 'all of the threads’ time',
};
const FLAME_ROW = 18;
const NARROWEST = 0.0006;  // of the width; nobody sees or hits less
const MOST_TABLE_ROWS = 40;

/** A tree of frames: {name, title, units, self, children: Map, parent}. */
class FlameTree {
  constructor(name) {
    this.root = FlameTree.node(name, name, null, 0);
  }

  static node(name, title, parent, native) {
    return {name, title, native, units: 0, self: 0, children: new Map(), parent};
  }

  add(frames, units) {
    let node = this.root;
    node.units += units;
    for (const {key, name, title, native} of frames) {
      let child = node.children.get(key);
      if (!child) node.children.set(key, child = FlameTree.node(name, title, node, native));
      node = child;
      node.units += units;
    }
    node.self += units;
  }
}

class FlameGraph {
  constructor(recording) {
    const weight = recording.summary.gil ? 'blame' : 'cpu';
    Object.assign(this, {recording, weight, thread: null, from: 0, to: recording.end, blame: null, zoomed: null});
    const radios = byId('weights');
    for (const [name, meaning] of Object.entries(WEIGHTS)) {
      const input = el('input', {type: 'radio', name: 'weight', value: name, checked: name === weight});
      input.addEventListener('change', () => this.choose(name));
      radios.append(el('label', {title: meaning}, input, name));
    }
    byId('flame-thread').addEventListener('change', (event) => {
      this.thread = event.target.value === '' ? null : this.recording.lanes[event.target.value];
      this.build();
    });
    byId('flame-search').addEventListener('input', () => this.mark());
    byId('flame-reset').addEventListener('click', () => this.zoom(null));
    byId('flame').addEventListener('keydown', (event) => this.key(event));
  }

  choose(weight) {
    this.weight = weight;
    for (const input of document.querySelectorAll('#weights input')) input.checked = input.value === weight;
    this.build();
  }

  chooseThread(lane, weight) {
    this.thread = lane;
    byId('flame-thread').value = lane ? String(lane.index) : '';
    this.choose(weight);
  }

  /** Another range; `figures` are its own. */
  update(figures) {
    this.from = figures.from;
    this.to = figures.to;
    this.blame = figures.blame.stacks;
    const select = byId('flame-thread');
    const chosen = select.value;
    const lanes = this.recording.lanes.filter((lane) => lane.first < this.to && lane.last > this.from && lane.samples.at.length > 0);
    select.replaceChildren(el('option', {value: ''}, 'all, merged'),
      ...lanes.map((lane) => el('option', {value: String(lane.index)}, lane.label + ' (' + lane.tid + ')')));
    select.value = chosen;
    if (select.selectedIndex < 0) {
      select.value = '';
      this.thread = null;
    }
    this.build();
  }

  timesOf(lane) {
    if (this.weight === 'blame') return this.blame.get(lane.index) || new Map();
    return stackTimes(this.recording, lane, this.weight, this.from, this.to);
  }

  /** Lines of a function are one frame; the line is told where it is the top. */
  framesOf(stack) {
    const {parent, code, functions, files, native} = this.recording.stacks;
    const frames = [];
    for (; stack !== NO_STACK; stack = parent[stack]) {
      const name = functions[code[stack]], file = files[code[stack]];
      frames.push({key: code[stack], name, title: name + (file ? ' (' + file + ')' : ''), native: native[code[stack]]});
    }
    return frames.length > 0 ? frames.reverse() : [{key: -1, name: '[no Python stack]', title: 'no Python stack was sampled'}];
  }

  build() {
    if (!this.recording.complete || !this.blame) return;
    this.tree = new FlameTree(this.thread ? this.thread.label : 'all threads');
    const merged = new Map();
    for (const lane of this.thread ? [this.thread] : this.recording.lanes) {
      for (const [stack, units] of this.timesOf(lane)) merged.set(stack, (merged.get(stack) || 0) + units);
    }
    for (const [stack, units] of merged) this.tree.add(this.framesOf(stack), units);
    byId('flame-meaning').textContent = 'Width: ' + WEIGHTS[this.weight] + '; ' +
      human(this.recording.seconds(this.tree.root.units)) + ' in all.';
    this.showTable();
    this.zoom(null);
  }

  zoom(node) {
    this.zoomed = node || this.tree.root;
    byId('flame-reset').hidden = this.zoomed === this.tree.root;
    this.show();
  }

  show() {
    const flame = byId('flame');
    this.boxes = [];
    if (this.tree.root.units === 0) {
      flame.style.height = 'auto';
      flame.replaceChildren('No such time here.');
      byId('flame-found').textContent = '';
      return;
    }
    const above = [];
    for (let node = this.zoomed.parent; node; node = node.parent) above.unshift(node);
    above.forEach((node, depth) => this.box(node, depth, 0, 1, 'around'));
    let deepest = above.length;
    const ahead = [{node: this.zoomed, depth: above.length, left: 0}];
    while (ahead.length > 0) {
      const {node, depth, left} = ahead.pop();
      this.box(node, depth, left, node.units / this.zoomed.units, '');
      deepest = Math.max(deepest, depth);
      let next = left;
      for (const child of [...node.children.values()].sort((a, b) => b.units - a.units)) {
        const width = child.units / this.zoomed.units;
        if (width >= NARROWEST) ahead.push({node: child, depth: depth + 1, left: next});
        next += width;
      }
    }
    flame.style.height = (deepest + 1) * FLAME_ROW + 'px';
    flame.replaceChildren(...this.boxes.map((box) => box.element));
    this.boxes[above.length].element.tabIndex = 0;
    this.mark();
  }

  box(node, depth, left, width, kind) {
    const time = human(this.recording.seconds(node.units));
    const share = percent(node.units / this.tree.root.units);
    const element = el('button', {
      type: 'button', className: 'frame ' + kind, tabIndex: -1, role: 'treeitem', 'aria-level': String(depth + 1),
      title: node.title + '\n' + time + ', ' + share + (node.self > 0 ? '; itself ' + human(this.recording.seconds(node.self)) : ''),
      style: {left: (100 * left).toFixed(4) + '%', width: (100 * width).toFixed(4) + '%', top: depth * FLAME_ROW + 'px'},
    }, node.name);
    if (node.parent) element.style.backgroundColor = FlameGraph.colourOf(node.title, node.native);
    element.addEventListener('click', () => {
      this.zoom(node);
      const again = this.boxes.find((box) => box.node === node);
      if (again) again.element.focus();
    });
    this.boxes.push({element, node});
  }

  /** By the name alone, so that a function looks the same in every graph; native ones in cold colours. */
  static colourOf(text, native) {
    let hash = 2166136261;  // FNV-1a
    for (let i = 0; i < text.length; ++i) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619) >>> 0;
    return 'hsl(' + (native ? 188 : 0) + (18 + hash % 38) + ' ' + (70 + (hash >>> 8) % 25) + '% ' + (64 + (hash >>> 16) % 14) + '%)';
  }

  /** Marks what is searched for, and adds up its time; a match inside of a match counts once. */
  mark() {
    const wanted = byId('flame-search').value.trim().toLowerCase();
    const matches = (node) => wanted !== '' && node.title.toLowerCase().includes(wanted);
    for (const {element, node} of this.boxes) element.classList.toggle('found', matches(node));
    const found = byId('flame-found');
    found.textContent = '';
    if (wanted === '' || !this.tree) return;
    let units = 0;
    const ahead = [this.tree.root];
    while (ahead.length > 0) {
      const node = ahead.pop();
      if (matches(node)) units += node.units; else ahead.push(...node.children.values());
    }
    found.textContent = percent(this.tree.root.units > 0 ? units / this.tree.root.units : 0) + ' found';
  }

  key(event) {
    const i = this.boxes.findIndex((box) => box.element === document.activeElement);
    if (i < 0) return;
    const node = this.boxes[i].node;
    const childrenOf = (parent) => this.boxes.filter((box) => parent && box.node.parent === parent)
      .sort((a, b) => b.node.units - a.node.units);
    const siblings = childrenOf(node.parent);
    const at = siblings.findIndex((box) => box.node === node);
    const next = {
      ArrowUp: () => this.boxes.find((box) => box.node === node.parent),
      ArrowDown: () => childrenOf(node)[0],
      ArrowLeft: () => siblings[at - 1],
      ArrowRight: () => siblings[at + 1],
    }[event.key];
    if (event.key === 'Escape') this.zoom(null);
    if (!next && event.key !== 'Escape') return;
    event.preventDefault();
    const target = next ? next() : null;
    if (target) target.element.focus();
  }

  /** The same as a table: functions by their own time and by that of all they call. */
  showTable() {
    const rows = new Map();
    const ahead = [{node: this.tree.root, over: new Set()}];
    while (ahead.length > 0) {
      const {node, over} = ahead.pop();
      let inside = over;
      if (node.parent) {
        const row = rows.get(node.title) || {self: 0, total: 0};
        row.self += node.self;
        if (!over.has(node.title)) row.total += node.units;  // a recursion counts once
        rows.set(node.title, row);
        inside = new Set(over).add(node.title);
      }
      for (const child of node.children.values()) ahead.push({node: child, over: inside});
    }
    const all = this.tree.root.units;
    const sorted = [...rows].sort((a, b) => b[1].self - a[1].self || b[1].total - a[1].total).slice(0, MOST_TABLE_ROWS);
    byId('flame-table').replaceChildren(
      el('tr', {}, ['function', 'itself', '', 'with callees', ''].map((text) => el('th', {scope: 'col'}, text))),
      ...sorted.map(([title, row]) => el('tr', {}, el('td', {}, title),
        ...[row.self, row.total].flatMap((units) => [
          el('td', {className: 'number'}, human(this.recording.seconds(units))),
          el('td', {className: 'number'}, percent(units / all))]))));
  }
}

'use strict';
// Unpacks what the page carries of the recording. Times are whole units since the run began.

const NO_VALUE = 0;        // of a thread's track: no time of the thread
const FREE = 0;            // of a GIL's track: nobody holds it
const UNKNOWN_HOLDER = 1;  // it could not be told who
const FIRST_LANE = 2;      // FIRST_LANE + i: the thread of lane i

const ACTIVITIES = ['holding_running', 'holding_blocked', 'waiting', 'running', 'blocked', 'runnable', 'unknown'];
const HOLDING_RUNNING = 0, HOLDING_BLOCKED = 1, WAITING = 2, RUNNING = 3, BLOCKED = 4, RUNNABLE = 5, UNKNOWN = 6;
/** A thread's time in one of them, by its row of the summary; what needs a GIL is absent where there is none. */
const secondsOf = (thread, activity) => thread[activity + '_seconds'] || 0;
const ACTIVITY_TEXTS = ['holds the GIL', 'holds the GIL, blocked', 'waits for the GIL', 'runs without the GIL',
  'blocked', 'runnable, no CPU', 'unknown'];
const OVERVIEW_CELLS = 4096;

/** Reads what packed.h's Packer wrote. */
class Unpacker {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  number() {
    let byte = this.bytes[this.at++];
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let factor = 128; byte >= 128; factor *= 128) {
      byte = this.bytes[this.at++];
      value += (byte & 127) * factor;
    }
    return value;
  }

  numbers(into) {
    for (let i = 0; i < into.length; ++i) into[i] = this.number();
    return into;
  }

  text() {
    const size = this.number();
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + size));
    this.at += size;
    return text;
  }
}

function decodeBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The bytes in a data element, which is emptied: they are megabytes. */
async function inflate(id) {
  const element = byId(id);
  const bytes = decodeBase64(element.textContent);
  element.remove();
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A value over time: from begins[i] to begins[i + 1] it is values[i]. */
function readTrack(from) {
  const count = from.number();
  const begins = new Uint32Array(count + 1);
  begins[0] = from.number();
  for (let i = 0; i < count; ++i) begins[i + 1] = begins[i] + from.number();
  return {count, begins, values: from.numbers(new Uint32Array(count))};
}

function readHandoffs(from) {
  const at = from.numbers(new Uint32Array(from.number()));
  for (let i = 1; i < at.length; ++i) at[i] += at[i - 1];
  return {at, counts: from.numbers(new Uint32Array(at.length))};
}

function readSamples(from) {
  const count = from.number();
  const at = from.numbers(new Uint32Array(count));
  for (let i = 1; i < count; ++i) at[i] += at[i - 1];
  const activities = from.bytes.slice(from.at, from.at + count);
  from.at += count;
  return {at, activities, stacks: from.numbers(new Uint32Array(count))};
}

function readStacks(from) {
  const count = from.number();
  const stacks = {
    count,
    parent: from.numbers(new Uint32Array(count)),
    code: from.numbers(new Uint32Array(count)),
    line: from.numbers(new Uint32Array(count)),
  };
  const codes = from.number();
  const functions = from.numbers(new Uint32Array(codes));
  const files = from.numbers(new Uint32Array(codes));
  stacks.native = from.bytes.slice(from.at, from.at + codes);
  from.at += codes;
  const strings = Array.from({length: from.number()}, () => from.text());
  stacks.functions = Array.from(functions, (string) => strings[string] || '[unknown function]');
  stacks.files = Array.from(files, (string) => strings[string]);
  return stacks;
}

/** The whole recording as the page knows it. First only facts; the rest comes with load...(). */
class Recording {
  constructor(facts) {
    this.facts = facts;
    this.summary = facts.summary;
    this.second = 1e9 / facts.unit_ns;  // in units
    this.end = Math.max(facts.end, 1);
    this.activityOf = Uint8Array.from(facts.states, (state) => state.activity);
    this.lanes = facts.lanes.map((lane, index) => ({
      ...lane, index, label: lane.name || 'thread ' + lane.tid, track: null, overview: null, samples: null,
    }));
    this.gils = facts.gils.map((gil, index) => ({...gil, index, holders: null, handoffs: null}));
    this.stacks = null;
    this.complete = false;
  }

  seconds(units) {
    return units / this.second;
  }

  async loadOverview() {
    const bytes = await inflate('overview');
    this.facts.overview.forEach((lane, i) => {
      const size = OVERVIEW_CELLS * ACTIVITIES.length;
      this.lanes[lane].overview = bytes.subarray(i * size, (i + 1) * size);
    });
  }

  async loadDetail() {
    const from = new Unpacker(await inflate('detail'));
    await breathe();
    for (const lane of this.lanes) lane.track = readTrack(from);
    await breathe();
    for (const gil of this.gils) {
      gil.holders = readTrack(from);
      gil.handoffs = readHandoffs(from);
    }
    for (const lane of this.lanes) lane.samples = readSamples(from);
    this.stacks = readStacks(from);
    this.complete = true;
  }
}

'use strict';
// Words, numbers and elements. Text of the recording comes from a program that may be hostile: it goes
// into the page as text nodes and attributes only, never as HTML.

/** Three digits and a unit, as the terminal's summary has it: "12.3 ms". */
function human(seconds) {
  if (!(seconds > 0)) return '0 s';
  const digits = (value) => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
  if (seconds < 0.9995e-6) return Math.round(seconds * 1e9) + ' ns';
  if (seconds < 0.9995e-3) return digits(seconds * 1e6) + ' µs';
  if (seconds < 0.9995) return digits(seconds * 1e3) + ' ms';
  if (seconds < 119.95) return digits(seconds) + ' s';
  const whole = Math.round(seconds);
  if (whole < 7200) return Math.floor(whole / 60) + ' min ' + whole % 60 + ' s';
  return Math.floor(whole / 3600) + ' h ' + Math.floor(whole / 60) % 60 + ' min';
}

function percent(share) {
  return (share * 100).toFixed(1) + ' %';
}

/** "+12.345 s": a moment of the run. */
function moment(seconds) {
  return '+' + seconds.toFixed(seconds < 100 ? 4 : 3) + ' s';
}

function baseName(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

/** An element with properties ("aria-..." and "data-..." as attributes) and children, texts among them. */
function el(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name.includes('-') || name === 'role') {
      element.setAttribute(name, value);
    } else if (name === 'style') {
      Object.assign(element.style, value);
    } else {
      element[name] = value;
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

/** The first index from `low` on whose number is not below `value`; `high` when there is none. */
function lowerBound(numbers, value, low, high) {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle] < value) low = middle + 1; else high = middle;
  }
  return low;
}

/** Lets the browser paint and take input before long work goes on. */
function breathe() {
  return new Promise((resolve) => setTimeout(resolve));
}

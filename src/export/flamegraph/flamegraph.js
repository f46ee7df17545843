'use strict';
// Zoom, search and the line of details. The picture is complete without this script: it only moves
// what is there. Every frame is an <svg> element of its own, so the browser clips its text.
(function () {
  const root = document.documentElement;
  const details = document.getElementById('details');
  const matched = document.getElementById('matched');
  const reset = document.getElementById('reset');
  // In drawing order: callers before what they call, from left to right.
  const frames = Array.from(document.getElementsByClassName('frame'), (element, order) => {
    const title = element.getElementsByTagName('title')[0].textContent;
    return {
      element: element,
      order: order,
      text: element.getElementsByTagName('text')[0],
      title: title,
      place: title.split('\n')[0],
      begin: Number(element.getAttribute('data-begin')),
      time: Number(element.getAttribute('data-time')),
    };
  });
  if (frames.length === 0) return;
  const whole = frames[0];
  let zoomed = whole;
  let pattern = null;

  function encloses(outer, inner) {
    return outer.begin <= inner.begin && inner.begin + inner.time <= outer.begin + outer.time;
  }

  function place(frame, x, width) {
    frame.element.setAttribute('x', x + '%');
    frame.element.setAttribute('width', width + '%');
    frame.text.classList.toggle('hidden', width / 100 * root.getBoundingClientRect().width < 20);
  }

  function draw() {
    for (const frame of frames) {
      // A caller may take just as long as what it calls; then their order tells which is which.
      const below = frame.order < zoomed.order && encloses(frame, zoomed);
      const above = frame.order >= zoomed.order && encloses(zoomed, frame);
      frame.element.classList.toggle('hidden', !below && !above);
      frame.element.classList.toggle('around', below);
      if (below) place(frame, 0, 100);
      if (above) {
        place(frame, 100 * (frame.begin - zoomed.begin) / zoomed.time, 100 * frame.time / zoomed.time);
      }
    }
    reset.classList.toggle('hidden', zoomed === whole);
    mark();
  }

  function mark() {
    let time = 0;
    let counted_to = -1;
    for (const frame of frames) {
      const found = pattern !== null && pattern.test(frame.place);
      frame.element.classList.toggle('found', found);
      // A match above another match is part of its time already.
      const shown = frame.order >= zoomed.order && encloses(zoomed, frame);
      if (!found || !shown || frame.begin < counted_to) continue;
      time += frame.time;
      counted_to = frame.begin + frame.time;
    }
    matched.textContent = pattern === null ? ''
      : 'matched: ' + (100 * time / zoomed.time).toFixed(2) + '%';
  }

  function zoom(frame) {
    zoomed = frame;
    draw();
  }

  function search() {
    const asked = window.prompt('Search functions and files (regular expression)', pattern ? pattern.source : '');
    if (asked === null) return;
    try {
      pattern = asked === '' ? null : new RegExp(asked);
    } catch (error) {
      pattern = new RegExp(asked.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    }
    mark();
  }

  frames.forEach((frame) => {
    frame.element.addEventListener('click', () => zoom(frame));
    frame.element.addEventListener('mouseenter', () => {
      details.textContent = frame.title.replace('\n', ' — ');
    });
    frame.element.addEventListener('mouseleave', () => { details.textContent = ''; });
  });
  reset.addEventListener('click', () => zoom(whole));
  document.getElementById('search').addEventListener('click', search);
  window.addEventListener('keydown', (event) => {
    if (event.key === 'f' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      search();
    } else if (event.key === 'Escape') {
      pattern = null;
      zoom(whole);
    }
  });
  window.addEventListener('resize', draw);
  root.setAttribute('width', '100%');
  draw();
})();

'use strict';
// The list of findings; each leads to its place in the timeline.

function showFindings(recording, goTo) {
  const findings = recording.facts.findings;
  if (findings.length === 0) {
    byId('findings').append(el('li', {className: 'none'},
      'No long holds, no system calls with the GIL held, no convoys, no starving threads.'));
  }
  const most = 4;
  findings.forEach((finding, i) => {
    byId('findings').append(el('li', {hidden: i >= most},
      el('span', {className: 'kind'}, finding.kind),
      el('button', {type: 'button', className: 'link', onclick: () => goTo(finding)}, finding.title),
      el('details', {}, el('summary', {}, finding.text), el('p', {}, finding.advice))));
  });
  if (findings.length <= most) return;
  const more = el('button', {type: 'button'}, 'and ' + (findings.length - most) + ' more');
  more.addEventListener('click', () => {
    for (const item of byId('findings').children) item.hidden = false;
    more.remove();
  });
  byId('findings').after(more);
}

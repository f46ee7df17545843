'use strict';
// The list of findings; each leads to its place in the timeline.

function showFindings(recording, goTo) {
  const findings = recording.facts.findings;
  if (findings.length === 0) {
    byId('findings').append(el('li', {className: 'none'},
      'No long holds, no system calls with the GIL held, no convoys, no starving threads.'));
  }
  const most = 5;
  findings.forEach((finding, i) => {
    byId('findings').append(el('li', {hidden: i >= most},
      el('button', {type: 'button', className: 'link', onclick: () => goTo(finding)},
        el('span', {className: 'kind'}, finding.kind), ' ', finding.title),
      el('p', {}, finding.text)));
  });
  if (findings.length <= most) return;
  const more = el('button', {type: 'button'}, 'and ' + (findings.length - most) + ' more');
  more.addEventListener('click', () => {
    for (const item of byId('findings').children) item.hidden = false;
    more.remove();
  });
  byId('findings').after(more);
}

'use strict';
// The top of the page: the verdict, the figures as cards, who is in the way, and how the run was sampled.

const MOST_BLOCKERS = 8;
const LEAST_BLAME = 0.002;  // of all waiting
const END_REASONS = ['', 'to the end of the process', 'until the process became another program',
  'until the process could not be read any more'];

function showRun(recording) {
  const {process, verdict, wall_seconds: wall} = recording.summary;
  byId('verdict').classList.add(verdict.kind);
  const python = 'Python ' + (process.python || '?') + (process.free_threaded ? ' free-threaded' : '');
  const reason = recording.facts.end_reason;
  const ending = reason === undefined ? 'cut short' : END_REASONS[reason];
  byId('run').append(
    'Process ' + process.pid + ', ' + python + ', watched for ' + human(wall) + (ending ? ', ' + ending : '') + ': ',
    el('code', {}, recording.facts.command));
}

function card(name, value, note, kind) {
  return el('li', {className: kind || '', 'data-figure': name}, el('b', {}, value), el('span', {}, note));
}

/** The cards of the whole run (figures as in -f json) or of a range (the same names). */
function showCards(recording, gils, wall, potential, inRange) {
  const cards = byId('cards');
  cards.replaceChildren();
  cards.classList.toggle('in-range', inRange);
  if (gils.length === 0) {
    const off = recording.summary.process.gil_enabled === false;
    cards.append(card('gil', off ? 'off' : 'not seen', 'the GIL'));
    return;
  }
  const where = inRange ? ', in the range' : '';
  gils.forEach((gil, i) => {
    const of = gils.length > 1 ? ' (interpreter ' + recording.gils[i].interpreters + ')' : '';
    const name = (figure) => gils.length > 1 ? figure + '-' + i : figure;
    cards.append(
      card(name('held_share'), percent(gil.held_share || 0), 'of the time the GIL was held' + of + where),
      card(name('contended_share'), percent(gil.contended_share || 0),
        'of the time at least one thread waited for it', gil.contended_share >= 0.2 ? 'bad' : ''),
      card(name('wait_seconds'), human(gil.wait_seconds), 'waited, all threads together'),
      card(name('longest_wait_seconds'), human(gil.longest_wait_seconds), 'longest wait'),
      card(name('longest_hold_seconds'), human(gil.longest_hold_seconds), 'longest hold'),
      card(name('handoffs'), wall > 0 ? (gil.handoffs / wall).toFixed(gil.handoffs / wall < 10 ? 1 : 0) + '/s' : '0',
        'hand-offs' + (gil.forced_handoffs === undefined ? '' : ', ' + gil.forced_handoffs + ' forced')));
    if (gil.unknown_share >= 0.0005) {
      cards.append(card(name('unknown_share'), percent(gil.unknown_share), 'of the time the holder is unknown'));
    }
  });
  if (potential >= 1.05) {
    cards.append(card('potential', 'up to ' + potential.toFixed(1) + ' ×',
      'as fast without it, on ' + recording.facts.cores + ' cores'));
  }
}

function showBlockers(recording, blockers, waited) {
  const rows = blockers.filter((row) => row.seconds >= LEAST_BLAME * waited).slice(0, MOST_BLOCKERS).map((row) => {
    const share = waited > 0 ? row.seconds / waited : 0;
    const place = row.file ? baseName(row.file) + (row.line ? ':' + row.line : '') : '';
    return el('tr', {title: row.file},
      el('td', {}, (row.function || '(no stack sampled)') + (row.native ? ' > ' + row.native : ''), el('small', {}, place)),
      el('td', {className: 'number'}, human(row.seconds)),
      el('td', {className: 'bar'}, el('i', {style: {width: (100 * share).toFixed(1) + '%'}}), percent(share)));
  });
  const head = el('tr', {}, el('th', {scope: 'col'}, 'While this held the GIL'),
    el('th', {scope: 'col', className: 'number'}, 'others waited'), el('th', {scope: 'col'}, 'of all waiting'));
  byId('blockers').replaceChildren(...(rows.length > 0 ? [head, ...rows]
    : [el('tr', {}, el('td', {}, 'Nobody: no thread was seen waiting for another.'))]));
}

/** " (3 changed, 1 thread gone)". */
function dropReasons(counts) {
  const reasons = Object.entries(counts).filter(([, count]) => count > 0);
  if (reasons.length === 0) return '';
  return ' (' + reasons.map(([reason, count]) => count + ' ' + reason.replace('_', ' ')).join(', ') + ')';
}

function showAbout(recording) {
  const {facts, summary} = recording;
  const sampling = summary.sampling;
  const lines = [
    (sampling.requested_hz > 0 ? sampling.requested_hz.toFixed(0) + ' Hz asked' : 'as many Hz as go') + ', ' +
      (sampling.achieved_hz || 0).toFixed(1) + ' Hz achieved; ' + sampling.ticks + ' ticks, ' + sampling.missed +
      ' missed' + (sampling.missed_for_room ? ' (' + sampling.missed_for_room + ' for want of room)' : '') + ', ' + sampling.unstable + ' unstable; ' + sampling.stacks + ' stacks, ' + sampling.stacks_dropped +
      ' dropped' + dropReasons(sampling.stacks_dropped_by_reason) + ', ' + sampling.stacks_retried + ' read again (' +
      sampling.stack_retries + ' times in all); gilspy used ' + human(sampling.cpu_seconds) + ' of CPU',
    ...(sampling.late_seconds_median === undefined ? [] : ['Half of the ticks were no more than ' +
      human(sampling.late_seconds_median) + ' late, 99 % ' + human(sampling.late_seconds_p99) + ', the worst ' +
      human(sampling.late_seconds_worst) + '.']),
    'What is shorter than ' + human(sampling.resolution_seconds || 0) + ', the time between two ticks, is not seen one ' +
      'by one. Hand-offs are counted by the GIL itself.',
    'gilspy ' + summary.gilspy,
  ];
  if (facts.grain > 0) {
    lines.unshift('To keep this page small its timeline shows one look in every ' +
      human(recording.seconds(facts.grain)) + '. The figures of the whole run are exact, those of a range come ' +
      'from the looks.');
  }
  if (facts.sample_every > 1) lines.unshift('One of ' + facts.sample_every + ' stack samples is in this page.');
  byId('about').append(...lines.map((line) => el('li', {}, line)));
  for (const note of facts.notes) {
    byId('about').append(el('li', {}, moment(recording.seconds(note.at)) + '  ' + note.text));
  }
}

/** What other numbers of cores could give, and what that takes for granted. */
function showWhatIf(recording, figures) {
  const cores = recording.facts.cores;
  const counts = [...new Set([1, 2, 4, 8, 16, cores])].filter((count) => count > 0).sort((a, b) => a - b);
  const known = figures.potentialOn(cores || 1);
  if (known === null) {
    byId('what-if').replaceChildren(el('p', {}, 'It cannot be told what this would gain: there was no GIL, hardly any ' +
      'thread ran, or too much is unknown.'));
    return;
  }
  byId('what-if').replaceChildren(
    el('table', {},
      el('tr', {}, el('th', {scope: 'row'}, 'cores'), ...counts.map((count) =>
        el('td', {className: count === cores ? 'here number' : 'number'}, String(count)))),
      el('tr', {}, el('th', {scope: 'row'}, 'up to'), ...counts.map((count) =>
        el('td', {className: count === cores ? 'here number' : 'number'},
          figures.potentialOn(count).toFixed(1) + ' ×')))),
    el('p', {className: 'hint'}, 'Compared with what its threads could do here' + (cores ? ', on ' + cores + ' cores' : '') +
      '. It assumes that each thread that waited for the GIL would have run instead; that nothing else ' +
      'stands in its way (other locks, memory bandwidth, other programs on these cores); that a free-threaded build ' +
      'runs each thread as fast as this one; and that the extensions in use work without the GIL.'));
}

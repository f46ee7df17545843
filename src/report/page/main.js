'use strict';
// Puts the page together: first what the facts alone can show, then, once the bulk of the data has arrived,
// everything that is computed from it; again for each range that is selected.

const page = {};

function showFirst() {
  const recording = new Recording(JSON.parse(byId('facts').textContent));
  page.recording = recording;
  const {summary} = recording;
  document.querySelector('main').hidden = false;
  showRun(recording);
  const gils = summary.gils || (summary.gil ? [summary.gil] : []);
  page.showWholeRun = () => {
    const waited = gils.reduce((sum, gil) => sum + gil.wait_seconds, 0);
    showCards(recording, gils, summary.wall_seconds, summary.gil ? summary.gil.potential : undefined, false);
    showBlockers(recording, recording.facts.blockers, waited);
    showThreads(recording, rowsOfRun(recording), goToLane);
  };
  page.timeline = new Timeline(recording, (range) => selectRange(range));
  page.input = new TimelineInput(page.timeline);
  page.flame = new FlameGraph(recording);
  page.showWholeRun();
  showFindings(recording, (finding) => page.input.goTo(finding));
  showAbout(recording);
}

function goToLane(lane) {
  const {timeline, input} = page;
  input.goToSpot({lane, at: clamp(Math.floor((timeline.from + timeline.to) / 2), lane.first, Math.max(lane.first, lane.last - 1))});
  timelineIntoView(timeline);
}

/** Computes the figures of a range, or of the whole run for null, and shows them everywhere. */
async function selectRange(range) {
  const {recording} = page;
  if (!recording.complete) return;
  const turn = page.turn = (page.turn || 0) + 1;
  const from = range ? range.from : 0, to = range ? range.to : recording.end;
  document.body.classList.add('busy');
  const figures = await figuresOf(recording, from, to, () => page.turn === turn);
  if (!figures || page.turn !== turn) return;
  page.figures = figures;
  if (range) {
    const waited = figures.gils.reduce((sum, gil) => sum + gil.wait_seconds, 0);
    showCards(recording, figures.gils, figures.wall_seconds, figures.potentialOn(recording.facts.cores || 1), true);
    showBlockers(recording, figures.blockers, waited);
    showThreads(recording, rowsOfRange(recording, figures), goToLane);
  } else {
    page.showWholeRun();
  }
  const where = range ? moment(recording.seconds(from)) + ' to ' + moment(recording.seconds(to)) : '';
  for (const title of document.querySelectorAll('h2')) title.dataset.range = where;
  showMatrix(recording, figures.blame.pairs, (holder) => page.flame.chooseThread(holder, 'blame'));
  showWhatIf(recording, figures);
  page.flame.update(figures);
  document.body.classList.remove('busy');
}

async function loadRest() {
  const {recording, timeline} = page;
  try {
    await recording.loadOverview();
    timeline.draw();
    await recording.loadDetail();
  } catch (error) {
    byId('selected').textContent = 'The data of this page cannot be read: ' + error +
      '. A current browser is needed (DecompressionStream), and the whole file.';
    throw error;
  }
  timeline.draw();
  await selectRange(null);
  document.body.dataset.ready = 'true';
}

showFirst();
document.addEventListener('DOMContentLoaded', loadRest);

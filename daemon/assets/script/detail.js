// One process in full: what it does, what it uses, why it ended, its logs.

const FACTS = [
  ['Pid', (process) => (process.pid ? String(process.pid) : '–')],
  ['Started', (process) => (process.info.start ? clock(process.info.start) : 'never')],
  ['Uptime', (process) => (process.state === 'RUNNING' ? duration(model.now() - process.info.start) : '–')],
  ['Starts', (process) => count(process.info.record?.starts)],
  ['Failed starts', (process) => count(process.info.record?.failed_starts)],
  ['Ends', (process) => endCounts(process.info.record?.exits)],
  ['Open descriptors', (process) => count(process.usage?.descriptors)],
  ['CPU time', (process) => (process.usage ? duration(process.usage.cpu_seconds) : '–')],
  ['Standard output', (process) => process.info.stdout_logfile || 'not kept'],
  ['Standard error', (process) => process.info.stderr_logfile || 'not kept'],
];

function count(number) {
  return number === undefined || number === null ? '–' : number.toLocaleString('en');
}

function endCounts(exits = {}) {
  const parts = Object.entries(exits).filter(([, number]) => number > 0);
  return parts.map(([cause, number]) => `${number.toLocaleString('en')} ${cause.replace('_', ' ')}`).join(', ') || 'none';
}

/** Lines of the logs shown with an end. */
const LAST_LINES = 12;

class FigureView {
  constructor(kind, title) {
    this.value = el('span.figure-value');
    this.top = el('span.figure-top');
    this.chart = new Chart(kind, SAMPLES / 2, 600, 96);
    const head = el('figcaption', {}, el('span', {}, title), this.value);
    const axis = el('div.figure-axis', { 'aria-hidden': 'true' }, el('span', {}, '5 min ago'), el('span', {}, 'now'));
    this.node = el('figure.figure', {}, head, el('div.figure-frame', {}, this.chart.node, this.top), axis);
  }

  draw(history, value, floor, format) {
    const top = this.chart.draw(history, floor);
    put(this.value, Number.isNaN(value) ? '–' : format(value));
    put(this.top, format(top));
  }
}

/** The file of a log; empty for one that is not kept, and for the overview. */
function keptIn(process, tab) {
  return process.info[`${tab}_logfile`] ?? '';
}

function notKept(channel) {
  const redirected = channel === 'stderr' ? ', or redirect_stderr has it written to the output' : '';
  return `Nothing is kept of this: ${channel}_logfile is NONE${redirected}.`;
}

const detail = {
  key: null,
  tab: null,
  log: null,

  build() {
    detail.node = el('aside.detail', { hidden: true, 'aria-label': 'Program', tabindex: '-1' });
    return detail.node;
  },

  show(key, tab) {
    const process = model.processes.get(key);
    if (!process) return detail.hide();
    if (detail.key !== key) detail.make(process);
    const kept = keptIn(process, tab);
    if (detail.tab !== tab || detail.kept !== kept) {
      detail.tab = tab;
      detail.kept = kept;
      detail.fill(process);
    }
    return detail.draw();
  },

  hide() {
    detail.closeLog();
    detail.key = null;
    detail.tab = null;
    detail.node.hidden = true;
    detail.node.replaceChildren();
    app.node.classList.remove('with-detail');
  },

  closeLog() {
    detail.log?.close();
    detail.log = null;
  },

  make(process) {
    detail.key = process.key;
    detail.tab = null;
    detail.node.dataset.key = process.key;
    detail.node.setAttribute('aria-label', `Program ${process.title}`);
    detail.badge = el('span.state', {}, el('span.lamp', { 'aria-hidden': 'true' }), el('span.word'));
    detail.summary = el('p.summary');
    detail.toggle = button('toggle', '', null);
    detail.others = [
      button('restart', 'Restart', 'restart'),
      button('signal', 'Signal …', 'signal'),
      button('clear-logs', 'Clear logs', 'clear'),
    ];
    detail.tabs = ['overview', 'stdout', 'stderr'].map((tab) => el(
      'a', { href: route.to('process', process.key, tab), 'data-tab': tab },
      { overview: 'Overview', stdout: 'Output', stderr: 'Errors' }[tab],
    ));
    const close = button('close', 'Close', 'close', { 'aria-label': 'Close', class: 'quiet close' });
    detail.content = el('div.detail-content');
    detail.node.replaceChildren(
      el('header.detail-head', {}, detail.badge, el('h2', {}, process.title), close),
      detail.summary,
      el('div.detail-do', {}, detail.toggle, ...detail.others),
      el('nav.tabs', { 'aria-label': 'About this program' }, ...detail.tabs),
      detail.content,
    );
    detail.node.hidden = false;
    app.node.classList.add('with-detail');
  },

  fill(process) {
    detail.closeLog();
    for (const tab of detail.tabs) mark(tab, 'aria-current', tab.dataset.tab === detail.tab ? 'page' : null);
    detail.content.classList.toggle('fills', detail.tab !== 'overview');
    if (detail.tab === 'overview') return detail.fillOverview(process);
    if (!keptIn(process, detail.tab)) return detail.content.replaceChildren(el('p.nothing', {}, notKept(detail.tab)));
    detail.log = new LogView(api.process(process.key, 'logs', detail.tab), `${detail.tab} of ${process.title}`);
    return detail.content.replaceChildren(detail.log.node);
  },

  fillOverview(process) {
    detail.cpu = new FigureView('cpu', 'CPU');
    detail.memory = new FigureView('memory', 'Memory');
    detail.figures = el('div.figures', {}, detail.cpu.node, detail.memory.node);
    detail.end = el('section.end', { hidden: true });
    detail.endAt = null;
    detail.facts = FACTS.map(([name, value]) => ({ node: el('dd'), name, value }));
    const facts = detail.facts.flatMap(({ name, node }) => [el('dt', {}, name), node]);
    detail.content.replaceChildren(
      detail.end,
      detail.figures,
      el('dl.facts', {}, ...facts),
    );
    detail.drawEnd(process);
  },

  draw() {
    const process = model.processes.get(detail.key);
    if (!process) return;
    if (keptIn(process, detail.tab) !== detail.kept) detail.show(process.key, detail.tab);
    mark(detail.badge, 'data-state', process.state);
    put(detail.badge.lastChild, process.state.toLowerCase());
    put(detail.summary, process.busy ?? process.info.description ?? '');
    mark(detail.node, 'aria-busy', process.busy ? 'true' : null);
    drawToggle(detail.toggle, process);
    const [restart, signal, clear] = detail.others;
    const may = rights.may(process.key) && process.busy === null;
    mark(restart, 'disabled', !may || !process.isAlive);
    mark(signal, 'disabled', !may || !process.pid);
    mark(clear, 'disabled', !may);
    if (detail.tab === 'overview') detail.drawOverview(process);
  },

  drawOverview(process) {
    detail.figures.hidden = !process.isAlive && process.memory.last(SAMPLES / 2).every(Number.isNaN);
    detail.cpu.draw(process.cpu, process.cpuNow, LEAST_CPU, percent);
    detail.memory.draw(process.memory, process.memoryNow, LEAST_MEMORY, bytes);
    for (const { node, value } of detail.facts) put(node, value(process));
    detail.drawEnd(process);
  },

  /** Why it ended. The lines that tell are read once for each end. */
  drawEnd(process) {
    const end = process.lastEnd;
    // What went wrong comes first; of one that runs again, what it does now.
    if (process.isAlive) detail.figures.after(detail.end);
    else detail.content.prepend(detail.end);
    const trouble = !end && TROUBLE.includes(process.state) ? process.info.spawnerr : '';
    const id = `${end?.time ?? trouble} ${process.state}`;
    if (detail.endAt === id) return;
    detail.endAt = id;
    detail.end.hidden = !end && !trouble;
    if (detail.end.hidden) return;
    const lines = el('div.last-lines');
    detail.end.classList.toggle('bad', !process.isAlive && end?.cause !== 'stopped' && end?.cause !== 'expected');
    detail.end.replaceChildren(...(end ? tellEnd(process, end) : tellTrouble(trouble)), lines);
    readLastLines(process, lines);
  },
};

function tellEnd(process, end) {
  const heading = process.isAlive ? 'Its last end' : 'Why it ended';
  const parts = [
    el('h3', {}, heading),
    el('p.verdict', {}, `${capitalised(describeEnd(end))}.`),
    el('p', {}, CAUSES[end.cause] ?? ''),
    el('dl.facts', {}, ...[
      ['When', clock(end.time)], ['Most memory', bytes(end.peak_memory)], ['CPU time used', duration(end.cpu_seconds)],
    ].flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
  ];
  if (process.info.spawnerr && !process.isAlive) parts.splice(2, 0, el('p.spawnerr', {}, process.info.spawnerr));
  return parts;
}

function tellTrouble(trouble) {
  return [el('h3', {}, 'Why it does not run'), el('p.verdict', {}, trouble)];
}

function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

async function readLastLines(process, node) {
  let info;
  try {
    info = await api.get(`${api.process(process.key)}?log_lines=${LAST_LINES}`);
  } catch {
    return;
  }
  for (const [channel, title] of [['stderr', 'The last errors'], ['stdout', 'The last output']]) {
    const lines = info.log_tail[channel];
    if (lines.length > 0) node.append(el('h4', {}, title), el('pre', {}, lines.map(asTerminal).join('\n')));
  }
}

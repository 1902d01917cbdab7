// One process in the list.

const rowTemplate = once(() => {
  const cell = (name, ...children) => el(`div.cell.${name}`, { role: 'cell' }, ...children);
  return el(
    'div.row',
    { role: 'row', tabindex: '-1' },
    cell('c-state', el('span.state', {}, el('span.lamp', { 'aria-hidden': 'true' }), el('span.word'))),
    cell('c-name', el('a.open', {}), el('span.why')),
    cell('c-uptime'),
    cell('c-cpu', el('span.value')),
    cell('c-memory', el('span.value')),
    cell('c-restarts'),
    cell('c-end'),
    cell(
      'c-do',
      button('toggle', 'Stop', 'stop'),
      button('restart', 'Restart', 'restart'),
      button('log', 'Log', 'log'),
    ),
  );
});

function once(make) {
  let made = null;
  return () => (made ??= make());
}

class Row {
  constructor(process) {
    this.process = process;
    this.node = rowTemplate().cloneNode(true);
    this.node.dataset.key = process.key;
    const [state, name, uptime, cpu, memory, restarts, end, actions] = this.node.children;
    const [open, why] = name.children;
    const [toggle, restart, log] = actions.children;
    Object.assign(this, { uptime, restarts, end, why, toggle, restart });
    this.badge = state.firstChild;
    this.word = this.badge.lastChild;
    this.cpu = cpu.firstChild;
    this.memory = memory.firstChild;
    this.cpuChart = new Chart('cpu', SPARK, 64, 20);
    this.memoryChart = new Chart('memory', SPARK, 64, 20);
    cpu.prepend(this.cpuChart.node);
    memory.prepend(this.memoryChart.node);
    put(open, process.title);
    open.href = route.to('process', process.key);
    log.setAttribute('aria-label', `Log of ${process.title}`);
    restart.setAttribute('aria-label', `Restart ${process.title}`);
  }

  /** Draws what has changed. */
  draw() {
    const { process } = this;
    mark(this.badge, 'data-state', process.state);
    put(this.word, process.state.toLowerCase());
    mark(this.node, 'data-alive', process.isAlive ? 'yes' : 'no');
    mark(this.node, 'aria-busy', process.busy ? 'true' : null);
    put(this.why, reason(process));
    put(this.restarts, String(process.restarts));
    put(this.cpu, Number.isNaN(process.cpuNow) ? '–' : percent(process.cpuNow));
    put(this.memory, Number.isNaN(process.memoryNow) ? '–' : bytes(process.memoryNow));
    this.drawActions();
    this.tick();
  }

  drawActions() {
    const { process } = this;
    drawToggle(this.toggle, process);
    mark(this.restart, 'disabled', !rights.may(process.key) || process.busy !== null || !process.isAlive);
  }

  /** What changes as time goes by. */
  tick() {
    const { process } = this;
    const now = model.now();
    const up = process.state === 'RUNNING' || process.state === 'STOPPING';
    put(this.uptime, up && process.info.start ? duration(now - process.info.start) : '–');
    put(this.end, endInShort(process, now));
  }

  drawCharts() {
    this.cpuChart.draw(this.process.cpu, LEAST_CPU);
    this.memoryChart.draw(this.process.memory, LEAST_MEMORY);
  }
}

/** Start where there is nothing to stop, Stop elsewhere: the way back is where the way forth was. */
function drawToggle(node, process) {
  const stops = process.isAlive || process.state === 'STOPPING';
  const text = stops ? 'Stop' : 'Start';
  if (node.dataset.verb !== text) {
    node.dataset.verb = text;
    node.replaceChildren(icon(text.toLowerCase()), el('span.label', {}, text));
    node.setAttribute('aria-label', `${text} ${process.title}`);
  }
  mark(node, 'disabled', !rights.may(process.key) || process.busy !== null || process.state === 'STOPPING');
}

/** Why a process that is in trouble is. */
function reason(process) {
  if (process.busy) return process.busy;
  if (!TROUBLE.includes(process.state)) return '';
  if (process.info.spawnerr) return process.info.spawnerr;
  return process.lastEnd ? describeEnd(process.lastEnd) : '';
}

function endInShort(process, now) {
  const end = process.lastEnd;
  if (!end) return '–';
  const word = end.signal === null ? `status ${end.exitstatus}` : fullName(end.signal);
  return `${word}, ${ago(now - end.time)}`;
}

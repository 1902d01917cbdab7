// The list of processes by groups.

/** Programs that are alone in groups of their own name come together under this heading. */
const SINGLES = 'Programs';

class GroupView {
  /** `name` is `null` for the programs without a group. */
  constructor(name) {
    this.name = name;
    this.id = `group-${name ?? ''}`;
    this.collapsed = memory.get(`collapsed.${name ?? ''}`) === 'yes';
    this.counts = el('span.counts');
    this.sums = el('span.sums');
    this.fold = el(
      'button.fold',
      { type: 'button', 'data-do': 'fold' },
      icon('chevron'),
      el('span.group-name', {}, name ?? SINGLES),
    );
    this.actions = el('div.group-do');
    if (name !== null) this.actions.append(...toMany(`all of ${name}`));
    this.head = el('div.group-head', {}, this.fold, this.counts, this.sums, this.actions);
    this.body = el('div.rows', { role: 'presentation' });
    this.node = el('section.group', { role: 'rowgroup', 'aria-label': name ?? SINGLES }, this.head, this.body);
    if (name !== null) this.node.dataset.group = name;
    this.setCollapsed(this.collapsed);
  }

  setCollapsed(collapsed) {
    this.collapsed = collapsed;
    memory.set(`collapsed.${this.name ?? ''}`, collapsed ? 'yes' : 'no');
    this.fold.setAttribute('aria-expanded', String(!collapsed));
    this.body.hidden = collapsed;
  }

  draw(processes) {
    const counts = countStates(processes);
    const wanted = STATES.filter((state) => counts[state]).map((state) => `${counts[state]} ${state.toLowerCase()}`);
    if (this.drawn !== wanted.join()) {
      this.drawn = wanted.join();
      const present = STATES.filter((state) => counts[state]);
      this.counts.replaceChildren(
        ...present.map((state, at) => el('span.count', { 'data-state': state }, wanted[at])),
      );
    }
    put(this.sums, sums(processes));
    if (this.name === null) return;
    const [start, ...others] = this.actions.children;
    const may = rights.mayGroup(this.name, processes);
    const some = processes.some((process) => process.isAlive);
    mark(start, 'disabled', !may || processes.every((process) => process.isAlive));
    for (const other of others) mark(other, 'disabled', !may || (!some && other.dataset.do !== 'clear-logs'));
  }
}

/** What processes use together, in words. */
function sums(processes) {
  let [cpu, used] = [0, 0];
  for (const process of processes) {
    cpu += process.cpuNow || 0;
    used += process.memoryNow || 0;
  }
  return used > 0 ? `${percent(cpu)} · ${bytes(used)}` : '';
}

const list = {
  rows: new Map(),
  groups: new Map(),
  /** Rows on the screen, and only they have their charts drawn. */
  visible: new Set(),
  /** The row that keys act on. */
  current: null,
  words: '',
  state: null,

  build() {
    const column = (name, text) => el(`div.cell.${name}`, { role: 'columnheader' }, text);
    list.head = el(
      'div.row.head',
      { role: 'row' },
      column('c-state', 'State'), column('c-name', 'Name'), column('c-uptime', 'Uptime'), column('c-cpu', 'CPU'),
      column('c-memory', 'Memory'), column('c-restarts', 'Restarts'), column('c-end', 'Last end'), column('c-do', 'Actions'),
    );
    list.table = el('div.list', { role: 'table', 'aria-label': 'Programs' }, el('div.heads', { role: 'rowgroup' }, list.head));
    list.nothing = el('p.nothing', { hidden: true });
    list.node = el('div.list-frame', {}, list.table, list.nothing);
    list.watcher = new IntersectionObserver(list.seen, { rootMargin: '200px' });
    return list.node;
  },

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = list.rows.get(target.dataset.key);
      if (!row) continue;
      if (isIntersecting) {
        list.visible.add(row);
        row.drawCharts();
      } else {
        list.visible.delete(row);
      }
    }
  },

  /** Puts rows and groups where they belong, after processes came or went. Rows that stay are left alone. */
  arrange() {
    for (const [key, row] of list.rows) {
      if (model.processes.get(key) !== row.process) list.remove(key, row);
    }
    const sections = list.sections();
    for (const [name, view] of list.groups) {
      if (sections.has(name)) continue;
      view.node.remove();
      list.groups.delete(name);
    }
    let before = list.table.firstChild;
    for (const [name, processes] of sections) {
      const view = list.group(name);
      if (before.nextSibling !== view.node) before.after(view.node);
      before = view.node;
      list.fill(view, processes);
    }
    list.filter();
  },

  /** Groups in order, programs without a group first, under `null`. */
  sections() {
    const sections = new Map([[null, []]]);
    for (const [name, processes] of model.groups()) {
      const isAlone = processes.length === 1 && processes[0].name === name;
      if (isAlone) sections.get(null).push(processes[0]);
      else sections.set(name, processes);
    }
    if (sections.get(null).length === 0) sections.delete(null);
    return sections;
  },

  group(name) {
    if (!list.groups.has(name)) list.groups.set(name, new GroupView(name));
    return list.groups.get(name);
  },

  fill(view, processes) {
    let at = view.body.firstChild;
    for (const process of processes) {
      const row = list.rows.get(process.key) ?? list.add(process);
      if (at === row.node) at = at.nextSibling;
      else view.body.insertBefore(row.node, at);
    }
  },

  add(process) {
    const row = new Row(process);
    list.rows.set(process.key, row);
    list.watcher.observe(row.node);
    row.draw();
    return row;
  },

  remove(key, row) {
    list.watcher.unobserve(row.node);
    list.visible.delete(row);
    row.node.remove();
    list.rows.delete(key);
    if (list.current === key) list.current = null;
  },

  draw() {
    for (const row of list.rows.values()) row.draw();
    for (const row of list.visible) row.drawCharts();
    list.drawGroups();
    if (list.state !== null) list.filter();
  },

  drawGroups() {
    for (const [name, processes] of list.sections()) list.groups.get(name)?.draw(processes);
  },

  /** Draws one process again. */
  touch(key) {
    const row = list.rows.get(key);
    if (!row) return;
    row.draw();
    frame.ask(list.drawGroups);
    if (list.state !== null) frame.ask(list.filter);
  },

  tick() {
    for (const row of list.visible) row.tick();
  },

  /** Shows those whose name, state or trouble holds all the words and whose state is the one chosen, if one is. */
  filter() {
    const words = list.words.toLowerCase().split(/\s+/).filter(Boolean);
    let any = false;
    for (const view of list.groups.values()) view.matches = 0;
    for (const row of list.rows.values()) {
      const { process } = row;
      const text = `${process.key} ${process.state} ${reason(process)}`.toLowerCase();
      const match = (list.state === null || process.state === list.state) && words.every((word) => text.includes(word));
      if (row.node.hidden === match) row.node.hidden = !match;
      if (!match) continue;
      any = true;
      list.groups.get(row.node.closest('.group').dataset.group ?? null).matches += 1;
    }
    for (const view of list.groups.values()) {
      const isHidden = view.matches === 0;
      if (view.node.hidden !== isHidden) view.node.hidden = isHidden;
    }
    list.nothing.hidden = any;
    put(list.nothing, list.rows.size === 0 ? 'No programs to manage' : 'Nothing matches. Esc clears the filter.');
  },

  /** Rows that can be gone to, from top to bottom. */
  reachable() {
    return [...list.table.querySelectorAll('.group:not([hidden]) .rows:not([hidden]) > .row:not([hidden])')];
  },

  /** Goes `by` rows on, and never out of the list. */
  move(by) {
    const rows = list.reachable();
    if (rows.length === 0) return;
    const at = rows.findIndex((row) => row.dataset.key === list.current);
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by));
    list.choose(rows[next].dataset.key);
    rows[next].focus({ preventScroll: true });
    rows[next].scrollIntoView({ block: 'nearest' });
  },

  choose(key) {
    list.rows.get(list.current)?.node.classList.remove('current');
    list.current = key;
    list.rows.get(key)?.node.classList.add('current');
  },
};

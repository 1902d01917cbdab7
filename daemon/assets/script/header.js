// What stands above everything: who this is, how it is, and what can be done with all.

/** Six lamps of a call board. */
const LOGO = [[1, 1], [8.5, 1], [16, 1], [1, 8.5], [8.5, 8.5], [16, 8.5]];

const VIEWS = [['programs', 'Programs'], ['listeners', 'Listeners'], ['activity', 'Activity'], ['log', 'Main log']];

const LINKS = { open: 'live', lost: 'no connection', asleep: 'paused', crowded: 'every 2 s' };

const CROWDED = 'Browsers have few connections: other windows have all there are for what happens as it happens';

const header = {
  build() {
    const lamps = LOGO.map(([x, y], at) => svg('rect', { x, y, width: 6, height: 6, rx: 1.6, class: `lamp-${at}` }));
    header.name = el('span.identity');
    header.about = el('span.about');
    header.link = el('span.link', { role: 'status' });
    header.theme = button('theme', 'Theme', null, { class: 'quiet theme' });
    header.tabs = VIEWS.map(([view, title]) => el(
      'a', { href: route.to(view), 'data-view': view }, title, el('span.badge', { hidden: true }),
    ));
    header.node = el(
      'header.top',
      {},
      el('h1', {}, svg('svg', { class: 'logo', viewBox: '0 0 23 16', 'aria-hidden': 'true' }, ...lamps), header.name),
      header.about,
      el('nav.tabs', { 'aria-label': 'Views' }, ...header.tabs),
      header.link,
      header.theme,
      button('help', 'Keys', 'help', { class: 'quiet', 'aria-label': 'Keys', title: 'Keys (?)' }),
    );
    header.drawTheme();
    return header.node;
  },

  buildBar() {
    header.chips = el('div.chips', { role: 'group', 'aria-label': 'Show only one state' });
    header.filter = el('input', {
      type: 'search', placeholder: 'Filter', 'aria-label': 'Filter programs by name or state', title: 'Filter (/)',
    });
    header.filter.addEventListener('input', () => {
      list.words = header.filter.value;
      list.filter();
    });
    header.sums = el('span.sums');
    header.all = el(
      'div.all-do',
      { role: 'group', 'aria-label': 'All programs' },
      ...toMany('all programs', ' all'),
    );
    return el('div.bar', {}, el('div.field', {}, icon('search'), header.filter), header.chips, header.sums, header.all);
  },

  drawTheme() {
    const words = { system: 'as the system', light: 'light', dark: 'dark' }[theme.current];
    header.theme.replaceChildren(icon(theme.current));
    header.theme.setAttribute('aria-label', `Colours: ${words}`);
    header.theme.title = `Colours: ${words}`;
  },

  drawDaemon() {
    const { daemon } = model;
    if (!daemon) return;
    put(header.name, daemon.identification);
    const state = daemon.statename === 'RUNNING' ? '' : `${daemon.statename.toLowerCase()}, `;
    const { caller } = document.body.dataset;
    const who = caller ? `, for ${caller}` : '';
    put(header.about, `${state}version ${daemon.version}, up ${duration(model.now() - daemon.started)}${who}`);
  },

  drawLink(state) {
    mark(header.link, 'data-link', state);
    put(header.link, LINKS[state]);
    mark(header.link, 'title', state === 'crowded' ? CROWDED : null);
  },

  draw() {
    const processes = [...model.processes.values()];
    header.drawChips(countStates(processes));
    put(header.sums, sums(processes));
    const may = rights.may('*');
    for (const node of header.all.children) mark(node, 'disabled', !may || processes.length === 0);
    header.drawTitle(processes);
    header.drawBadge('programs', processes.filter((process) => TROUBLE.includes(process.state)).length);
    header.drawBadge('listeners', pools.trouble);
  },

  /** A button for each state that occurs; the counts change in place, so that focus stays. */
  drawChips(counts) {
    const present = STATES.filter((state) => counts[state] || state === list.state);
    if (header.present !== present.join()) {
      header.present = present.join();
      header.chips.replaceChildren(...present.map((state) => el(
        'button.chip', { type: 'button', 'data-do': 'state', 'data-state': state },
        el('span.lamp', { 'aria-hidden': 'true' }), el('b'), el('span', {}, state.toLowerCase()),
      )));
    }
    for (const chip of header.chips.children) {
      const { state } = chip.dataset;
      put(chip.children[1], (counts[state] ?? 0).toLocaleString('en'));
      mark(chip, 'aria-pressed', String(list.state === state));
    }
  },

  drawTitle(processes) {
    const bad = processes.filter((process) => process.state === 'FATAL').length;
    const name = model.daemon?.identification ?? 'Supervisor Status';
    const title = bad ? `(${bad} fatal) ${name}` : name;
    if (document.title !== title) document.title = title;
  },

  drawBadge(view, number) {
    const badge = header.tabs.find((tab) => tab.dataset.view === view).lastChild;
    put(badge, String(number));
    badge.hidden = number === 0;
  },

  showOnly(state) {
    list.state = list.state === state ? null : state;
    list.filter();
    header.draw();
  },

  clear() {
    header.filter.value = '';
    list.words = '';
    list.state = null;
    list.filter();
    header.draw();
  },
};

/** Buttons for several programs together; `suffix` goes behind the words on them. */
function toMany(whom, suffix = '') {
  const one = (verb, text, picture, about, more = {}) => button(verb, text, picture, {
    'aria-label': about, title: about, ...more,
  });
  return [
    one('start', `Start${suffix}`, 'start', `Start ${whom}`),
    one('stop', `Stop${suffix}`, 'stop', `Stop ${whom}`),
    one('restart', `Restart${suffix}`, 'restart', `Restart ${whom}`),
    one('signal', 'Signal', 'signal', `Send ${whom} a signal`, { class: 'slim' }),
    one('clear-logs', 'Clear logs', 'clear', `Clear the logs of ${whom}`, { class: 'slim' }),
  ];
}

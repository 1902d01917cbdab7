// Putting it together: the views, where in them we are, clicks, and the start.

/** Where we are, kept behind the `#` of the address, so that it can be shared and gone back to. */
const route = {
  to(...parts) {
    return `#/${parts.map(encodeURIComponent).join('/')}`;
  },

  go(...parts) {
    location.hash = route.to(...parts);
  },

  now() {
    const parts = location.hash.replace(/^#\/?/, '').split('/');
    try { return parts.map(decodeURIComponent); } catch { return ['programs']; }
  },

  follow() {
    const [view, key, tab] = route.now();
    const isKnown = VIEWS.some(([name]) => name === view);
    app.show(isKnown ? view : 'programs');
    if (view === 'process' && key) detail.show(key, ['stdout', 'stderr'].includes(tab) ? tab : 'overview');
    else detail.hide();
    if (detail.key !== null) list.choose(detail.key);
  },
};

/** The daemon's own log, read while it is on view. */
const mainLog = {
  view: null,
  node: el('div.main-log'),

  show(isShown) {
    if (isShown && !mainLog.view) {
      mainLog.view = new LogView('daemon/log', 'Main log');
      mainLog.node.replaceChildren(mainLog.view.node);
    } else if (!isShown && mainLog.view) {
      mainLog.view.close();
      mainLog.view = null;
    }
  },
};

const app = {
  build() {
    const programs = el('div.programs', {}, header.buildBar(), list.build());
    app.views = { programs, listeners: pools.build(), activity: activity.build(), log: mainLog.node };
    const main = el('main', {}, ...Object.values(app.views));
    app.node = el('div.app', { id: 'app' }, header.build(), el('div.body', {}, main, detail.build()), messages.build());
    app.node.addEventListener('click', clicked);
    app.node.addEventListener('focusin', (event) => {
      const row = event.target.closest('.row[data-key]');
      if (row) list.choose(row.dataset.key);
    });
    document.addEventListener('keydown', pressKey);
    document.addEventListener('visibilitychange', refresh.watch);
    addEventListener('pagehide', refresh.sleep);
    addEventListener('pageshow', (event) => { if (event.persisted) refresh.watch(); });
    seats.build(feed.renew, feed.crowded);
    addEventListener('hashchange', route.follow);
  },

  show(view) {
    for (const [name, node] of Object.entries(app.views)) node.hidden = name !== view;
    for (const tab of header.tabs) mark(tab, 'aria-current', tab.dataset.view === view ? 'page' : null);
    mainLog.show(view === 'log');
    if (view === 'listeners') refresh.pools().catch(refresh.failed);
  },
};

/** What buttons ask for, by their `data-do`. */
const DEEDS = {
  toggle: (node) => actions.toggle(Target.around(node).keys[0]),
  start: (node) => actions.ask('start', Target.around(node)),
  stop: (node) => actions.ask('stop', Target.around(node)),
  restart: (node) => actions.ask('restart', Target.around(node)),
  'clear-logs': (node) => actions.ask('clear-logs', Target.around(node)),
  signal: (node) => actions.signal(Target.around(node)),
  log: (node) => route.go('process', Target.around(node).keys[0], 'stdout'),
  close: () => route.go('programs'),
  help: () => showHelp(),
  state: (node) => header.showOnly(node.dataset.state),
  fold: (node) => {
    const view = list.groups.get(node.closest('.group').dataset.group ?? null);
    view.setCollapsed(!view.collapsed);
  },
  theme: () => {
    theme.turn();
    header.drawTheme();
  },
};

function clicked(event) {
  const node = event.target.closest('[data-do]');
  if (node) return DEEDS[node.dataset.do](node);
  const row = event.target.closest('.row[data-key]');
  if (row && !event.target.closest('a') && getSelection().isCollapsed) route.go('process', row.dataset.key);
  return undefined;
}

/** What the page said before it came alive. */
function passMessageOn() {
  const message = document.querySelector('.status_msg')?.textContent;
  if (!message) return;
  messages.say(message, /^ERROR|^No such|^unexpected/.test(message) ? 'bad' : 'plain');
  history.replaceState(null, '', `${location.pathname}${location.hash}`);
}

/** The page as it came works by itself: it is replaced once the daemon has answered, and stays otherwise. */
async function start() {
  if (!document.getElementById('wrapper')) return;
  rights.read();
  app.build();
  try {
    await refresh.all();
  } catch (error) {
    if (!(error instanceof Unanswered || error instanceof Refusal)) complain(error);
    return;
  }
  document.body.prepend(app.node);
  document.documentElement.classList.add('live');
  passMessageOn();
  route.follow();
  refresh.watch();
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
else start();

// Pools of listeners: who listens, what waits, what was lost.

const LISTENER_WORDS = {
  ACKNOWLEDGED: 'idle', READY: 'ready', BUSY: 'at work', UNKNOWN: 'lost its place',
};

const pools = {
  build() {
    pools.node = el('div.pools');
    return pools.node;
  },

  /** What needs somebody's attention: events lost, or a disk that refuses. */
  get trouble() {
    return model.pools.filter((pool) => pool.discarded > 0 || pool.disk_failed || pool.resting > 0).length;
  },

  draw() {
    if (pools.node.hidden) return;
    if (model.pools.length === 0) {
      pools.cards = null;
      pools.node.replaceChildren(el('p.nothing', {}, 'No event listeners are configured.'));
      return;
    }
    const names = model.pools.map((pool) => pool.name).join('\n');
    if (pools.names !== names || !pools.cards) {
      pools.names = names;
      pools.cards = model.pools.map((pool) => new PoolCard(pool.name));
      pools.node.replaceChildren(...pools.cards.map((card) => card.node));
    }
    model.pools.forEach((pool, at) => pools.cards[at].draw(pool));
  },
};

const POOL_FACTS = [
  ['Waiting', (pool) => `${plural(pool.buffered, 'event')}${pool.bytes ? `, ${bytes(pool.bytes)}` : ''}`],
  ['Oldest has waited', (pool) => (pool.buffered ? duration(pool.oldest) : '–')],
  ['At work on', (pool) => pool.in_flight.toLocaleString('en')],
  ['Digested', (pool) => pool.delivered.toLocaleString('en')],
  ['Rejected', (pool) => pool.rejected.toLocaleString('en')],
  ['Lost', (pool) => pool.discarded.toLocaleString('en')],
  ['Resting', (pool) => pool.resting.toLocaleString('en')],
  ['Kept in', (pool) => pool.buffer_file || 'memory'],
];

class PoolCard {
  constructor(name) {
    this.facts = POOL_FACTS.map(([title, value]) => ({ title, value, node: el('dd') }));
    this.verdict = el('p.verdict');
    this.listeners = el('ul.listeners');
    this.node = el(
      'section.card',
      { 'aria-label': `Listeners ${name}` },
      el('h2', {}, name),
      this.verdict,
      el('dl.facts', {}, ...this.facts.flatMap(({ title, node }) => [el('dt', {}, title), node])),
      this.listeners,
    );
  }

  draw(pool) {
    for (const { node, value } of this.facts) put(node, value(pool));
    const verdict = verdictOn(pool);
    put(this.verdict, verdict);
    this.node.classList.toggle('bad', verdict !== '');
    const listeners = pool.listeners.map(({ name, pid, statename }) => [name, pid, statename].join('\n')).join('\n');
    if (this.drawn === listeners) return;
    this.drawn = listeners;
    this.listeners.replaceChildren(...pool.listeners.map((listener) => el(
      'li',
      {},
      el('a', { href: route.to('process', `${pool.name}:${listener.name}`) }, listener.name),
      el('span.listener', { 'data-listener': listener.pid ? listener.statename : 'NONE' }, listener.pid ? LISTENER_WORDS[listener.statename] ?? listener.statename.toLowerCase() : 'not running'),
    )));
  }
}

/** What is wrong with a pool, in words; empty if nothing is. */
function verdictOn(pool) {
  if (pool.disk_failed) return 'The disk refuses to keep its events: they are in memory only.';
  if (pool.discarded > 0) return `${plural(pool.discarded, 'event')} lost because there was no more room.`;
  if (pool.resting > 0) return `${plural(pool.resting, 'event')} rejected again and again; others pass meanwhile.`;
  if (pool.buffered > 0 && pool.listeners.every((listener) => !listener.pid)) return 'Nobody is listening: events pile up.';
  return '';
}

// Keeping up: events as they come, figures now and then, nothing while nobody looks.

/** The daemon spends at most this part of its time on this page: a list that takes long is asked for less often. */
const PATIENCE = 20;
/** Time between two looks at the pools of listeners while they are not on view. */
const POOL_PACE = 10000;
/** How long a page stays awake out of sight. */
const DROWSY = 5000;

const refresh = {
  timer: null,
  awake: false,
  poolsAt: -Infinity,
  running: false,
  again: false,
  asked: 0,
  shown: 0,

  /** Asks for everything; the first time this tells whether the page can be live at all. */
  async all() {
    const turn = refresh.asked += 1;
    const begun = performance.now();
    const infos = await api.get('processes?usage=true');
    const at = performance.now();
    refresh.took = at - begun;
    // An answer that was overtaken by a later one is old news.
    if (turn < refresh.shown) return;
    refresh.shown = turn;
    rights.take(infos);
    if (model.take(infos, at)) list.arrange();
    list.draw();
    header.draw();
    detail.draw();
  },

  /** One look, and the next one planned. */
  async look() {
    if (refresh.running) {
      refresh.again = true;
      return;
    }
    refresh.running = true;
    clearTimeout(refresh.timer);
    try {
      await refresh.all();
      if (feed.isCrowded) header.drawLink('crowded');
      if (performance.now() - refresh.poolsAt > (pools.node.hidden ? POOL_PACE : PACE)) await refresh.pools();
    } catch (error) {
      refresh.failed(error);
    }
    refresh.running = false;
    const pause = refresh.again ? 0 : Math.max(PACE, PATIENCE * refresh.took);
    refresh.again = false;
    if (refresh.awake) refresh.timer = setTimeout(refresh.look, pause);
  },

  failed(error) {
    // Without a connection the link says so; anything else is worth a message, once.
    if (error instanceof Unanswered) {
      if (feed.isCrowded) header.drawLink('lost');
      return;
    }
    const isOurs = !(error instanceof Refusal);
    const message = isOurs ? `This page has failed: ${error.message}` : error.message;
    if (refresh.lastFailure === message) return;
    refresh.lastFailure = message;
    messages.say(message, 'bad');
    if (isOurs) complain(error);
  },

  async pools() {
    refresh.poolsAt = performance.now();
    model.pools = await api.get('pools');
    frame.ask(pools.draw);
    header.draw();
  },

  async daemon() {
    model.daemon = await api.get('daemon');
    header.drawDaemon();
  },

  /** Looks as soon as the events that come together have come. */
  soon() {
    clearTimeout(refresh.soonTimer);
    refresh.soonTimer = setTimeout(refresh.look, 150);
  },

  wake() {
    clearTimeout(refresh.drowsy);
    if (refresh.awake) return;
    refresh.awake = true;
    feed.wake();
    refresh.clock = setInterval(refresh.tick, 1000);
  },

  sleep() {
    clearTimeout(refresh.drowsy);
    refresh.awake = false;
    feed.sleep();
    clearTimeout(refresh.timer);
    clearInterval(refresh.clock);
    header.drawLink('asleep');
  },

  /** From now on events come, or looks have to do. */
  connected() {
    refresh.daemon().catch(refresh.failed);
    refresh.look();
  },

  /** A page that nobody sees goes to sleep, so that it costs the daemon nothing. */
  watch() {
    clearTimeout(refresh.drowsy);
    if (document.visibilityState === 'visible') refresh.wake();
    else refresh.drowsy = setTimeout(refresh.sleep, DROWSY);
  },

  tick() {
    header.drawDaemon();
    list.tick();
    detail.draw();
  },

  /** Shows a new state at once; the rest of the news follows with the next look. */
  happened(name, text) {
    const event = JSON.parse(text);
    const { fields } = event;
    activity.take(event);
    const process = model.processes.get(`${fields.groupname}:${fields.processname}`);
    if (process && name.startsWith('PROCESS_STATE_')) {
      process.state = name.slice('PROCESS_STATE_'.length);
      changed.add(process.key);
      frame.ask(drawChanged);
    }
    if (name.startsWith('SUPERVISOR_STATE')) refresh.daemon().catch(refresh.failed);
    refresh.soon();
  },
};

/** Processes whose state changed since the last frame. */
const changed = new Set();

function drawChanged() {
  for (const key of changed) list.touch(key);
  changed.clear();
  header.draw();
  detail.draw();
}

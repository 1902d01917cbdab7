// The window's one stream: the daemon's events, and the log that is on view.

/** Kinds of events that the page wants. */
const BRANCHES = ['PROCESS_STATE', 'PROCESS_GROUP', 'SUPERVISOR_STATE_CHANGE', 'REMOTE_COMMUNICATION'];
/** What is read of a log to begin with, in bytes. */
const BEGINNING = 65536;
/** Time between two attempts to follow a log that is refused, in milliseconds. */
const RETRY = 3000;
/** Events of which it is remembered that they have come, while one stream takes over from another. */
const MOST_REMEMBERED = 64;

const feed = {
  awake: false,
  /** The log that is on view. */
  log: null,
  stream: null,
  /** The stream that is about to take over; the other one goes on until then, so that no event is missed. */
  next: null,
  remembered: null,
  /** There is no stream for this window: it lives by looking. */
  isCrowded: false,
  turn: 0,

  wake() {
    feed.awake = true;
    feed.renew();
  },

  sleep() {
    feed.awake = false;
    feed.drop();
    seats.leave();
  },

  drop() {
    clearTimeout(feed.retry);
    feed.stream?.close();
    feed.next?.close();
    feed.stream = null;
    feed.next = null;
  },

  follow(log) {
    feed.log = log;
    feed.renew();
  },

  unfollow(log) {
    if (feed.log === log) feed.follow(null);
  },

  /** Sees to it that what is wanted now is streamed, if this window may. */
  async renew() {
    const turn = feed.turn += 1;
    const mayStream = feed.awake && await seats.take();
    if (turn !== feed.turn || !feed.awake) return;
    if (!mayStream) feed.crowded();
    else if ((feed.next ?? feed.stream)?.log !== feed.log) feed.open(feed.log);
  },

  open(log) {
    clearTimeout(feed.retry);
    feed.isCrowded = false;
    const types = `types=${BRANCHES.join()}`;
    const path = log ? `${log.source}/follow?tail=${BEGINNING}&unfinished=true&${types}` : `events?${types}`;
    const handlers = Object.fromEntries(EVENTS.map((name) => [name, (data) => feed.happened(name, data)]));
    feed.next?.close();
    feed.remembered = feed.stream && new Set();
    feed.next = new Stream(path, { ...handlers, ...log?.handlers }, feed.heard);
    feed.next.log = log;
  },

  heard(state, stream) {
    const { log } = stream;
    if (state === 'open') {
      if (stream === feed.next) {
        feed.stream?.close();
        feed.stream = stream;
        feed.next = null;
      }
      log?.opened();
      header.drawLink('open');
      refresh.connected();
    } else if (state === 'refused' && log) {
      stream.close();
      if (stream === feed.stream) feed.stream = null;
      else feed.next = null;
      feed.explain(log);
    } else {
      header.drawLink('lost');
      log?.say('No connection to this log; trying again');
    }
  },

  /** Says why a log is refused, which streams cannot, and tries again now and then. */
  async explain(log) {
    const why = await api.get(`${log.source}?length=1`).then(() => 'it cannot be followed', (error) => error.message);
    if (feed.log !== log || !feed.awake || feed.next) return;
    log.say(`This log cannot be read: ${why}; trying again`);
    if (!feed.stream) feed.open(null);
    feed.retry = setTimeout(feed.open, RETRY, log);
  },

  /** Other windows have all the streams there may be: this one asks for what it shows, and goes without the log. */
  crowded() {
    feed.drop();
    feed.isCrowded = true;
    header.drawLink('crowded');
    feed.log?.say(`${SEATS} other windows are brought up to date all the time: close or hide one to follow this log`);
    refresh.connected();
  },

  happened(name, data) {
    if (feed.remembered?.has(data)) return;
    feed.remembered?.add(data);
    if (feed.remembered?.size > MOST_REMEMBERED) feed.remembered = null;
    refresh.happened(name, data);
  },
};

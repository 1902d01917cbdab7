// What the daemon is asked: JSON below api/v1/, and streams of server-sent events.

/** Beside the page, without the name and password that its address may hold: browsers refuse to ask with those. */
const ROOT = `${location.origin}${location.pathname.replace(/[^/]*$/, '')}api/v1`;

/** A refusal, as the daemon puts it. */
class Refusal extends Error {
  constructor(status, fault) {
    super(fault?.text ?? `the daemon answered with status ${status}`);
    this.status = status;
    this.fault = fault?.name ?? '';
  }
}

/** No answer: there is no connection, or none was free, or it takes too long. */
class Unanswered extends Error {
  /** `isLate`: it was waited for. */
  constructor(isLate) {
    super(isLate ? 'the daemon has not answered in time' : 'there is no connection to the daemon');
    this.isLate = isLate;
  }
}

/** How long a look may take, and how long the outcome of an action is waited for, in milliseconds. */
const LOOK_PATIENCE = 8000;
const ACTION_PATIENCE = 15000;

const api = {
  /** Where a process is, or one of its parts. */
  process(key, ...parts) {
    return ['processes', encodeURIComponent(key), ...parts].join('/');
  },

  group(name, ...parts) {
    return ['groups', encodeURIComponent(name), ...parts].join('/');
  },

  async get(path) {
    return call(path, { headers: { Accept: 'application/json' }, cache: 'no-store' }, LOOK_PATIENCE);
  },

  async post(path, body = {}) {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
    return call(path, { method: 'POST', headers, body: JSON.stringify(body) }, ACTION_PATIENCE);
  },
};

/** Asks, and gives up the connection when it takes too long: browsers have few. What was begun goes on. */
async function call(path, options, patience) {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), patience);
  let response;
  let text;
  try {
    response = await fetch(`${ROOT}/${path}`, { ...options, signal: end.signal });
    text = await response.text();
  } catch {
    throw new Unanswered(end.signal.aborted);
  } finally {
    clearTimeout(timer);
  }
  return answer(response, text);
}

function answer(response, text) {
  let body = null;
  try { body = JSON.parse(text); } catch { /* told by the status */ }
  if (response.ok && body !== null) return body;
  throw new Refusal(response.status, body?.fault ?? body?.error);
}

const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 15000;

/**
 * A stream of server-sent events that comes back after it broke, ever more patiently. `handlers` are by event name and
 * get the data as text; `state` hears 'open', 'lost' and 'refused', and of which stream.
 */
class Stream {
  constructor(path, handlers, state) {
    Object.assign(this, { path, handlers, state, pause: SHORTEST_PAUSE, source: null, timer: null });
    this.open();
  }

  open() {
    const source = new EventSource(`${ROOT}/${this.path}`);
    this.source = source;
    source.onopen = () => {
      this.pause = SHORTEST_PAUSE;
      this.state('open', this);
    };
    source.onerror = () => this.lost();
    for (const [name, handler] of Object.entries(this.handlers)) {
      source.addEventListener(name, (event) => {
        if (event instanceof MessageEvent) handler(event.data);
      });
    }
  }

  lost() {
    const isRefused = this.source.readyState === EventSource.CLOSED;
    this.source.close();
    this.timer = setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    this.state(isRefused ? 'refused' : 'lost', this);
  }

  close() {
    clearTimeout(this.timer);
    this.source.close();
  }
}

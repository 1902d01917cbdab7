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

const api = {
  /** Where a process is, or one of its parts. */
  process(key, ...parts) {
    return ['processes', encodeURIComponent(key), ...parts].join('/');
  },

  group(name, ...parts) {
    return ['groups', encodeURIComponent(name), ...parts].join('/');
  },

  async get(path) {
    return answer(await fetch(`${ROOT}/${path}`, { headers: { Accept: 'application/json' }, cache: 'no-store' }));
  },

  async post(path, body = {}) {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
    return answer(await fetch(`${ROOT}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) }));
  },
};

async function answer(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw new Refusal(response.status, body?.fault ?? body?.error);
}

const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 15000;

/**
 * A stream of server-sent events that comes back after it broke, ever more patiently. `handlers` are by event name and
 * get the data as text; `state` hears 'open' and 'lost'.
 */
class Stream {
  constructor(path, handlers, state = () => {}) {
    Object.assign(this, { path, handlers, state, pause: SHORTEST_PAUSE, source: null, timer: null });
    this.open();
  }

  open() {
    const source = new EventSource(`${ROOT}/${this.path}`);
    this.source = source;
    source.onopen = () => {
      this.pause = SHORTEST_PAUSE;
      this.state('open');
    };
    source.onerror = () => this.lost();
    for (const [name, handler] of Object.entries(this.handlers)) {
      source.addEventListener(name, (event) => {
        if (event instanceof MessageEvent) handler(event.data);
      });
    }
  }

  lost() {
    this.source.close();
    this.state('lost');
    this.timer = setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  close() {
    clearTimeout(this.timer);
    this.source.close();
  }
}

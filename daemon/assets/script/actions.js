// Doing things: asked for, confirmed where they hurt, told about afterwards with the way back.

/** What the user may do, as far as the daemon has told: in the page as it came, and by refusals. */
const rights = {
  /** Processes, groups as `group:*`, and all as `*`. */
  refused: new Set(),

  /** Reads what the page says. */
  read() {
    for (const node of document.querySelectorAll('[data-forbidden]')) rights.refused.add(node.dataset.forbidden);
  },

  may(key) {
    return !rights.refused.has(key);
  },

  /** On a group one may act if one may on each of it. */
  mayGroup(name, processes) {
    return rights.may(`${name}:*`) && processes.every((process) => rights.may(process.key));
  },
};

const PAST = {
  start: 'started', stop: 'stopped', restart: 'restarted', signal: 'signalled', 'clear-logs': 'logs cleared',
};
const PRESENT = {
  start: 'starting …', stop: 'stopping …', restart: 'restarting …', signal: 'signalling …', 'clear-logs': 'clearing …',
};

/** Whom an action is for. */
class Target {
  constructor(pattern, title, keys) {
    Object.assign(this, { pattern, title, keys });
  }

  static process(key) {
    const process = model.processes.get(key);
    return process && new Target(key, process.title, [key]);
  }

  static group(name) {
    const keys = (model.groups().get(name) ?? []).map((process) => process.key);
    return new Target(`${name}:*`, `group ${name}`, keys);
  }

  static all() {
    return new Target('*', 'all programs', [...model.processes.keys()]);
  }

  /** Whom a click is about: the row, panel or group it was in, or else all. */
  static around(node) {
    const { key, group } = node.closest('[data-key], [data-group]')?.dataset ?? {};
    if (key !== undefined) return Target.process(key);
    return group === undefined ? Target.all() : Target.group(group);
  }

  get isMany() {
    return this.pattern.endsWith('*');
  }

  /** Has it done. A group's logs are cleared one program after the other. */
  async post(verb, body) {
    if (this.pattern === '*') return api.post(`processes/${verb}`, body);
    if (this.isMany && verb === 'clear-logs') {
      for (const key of this.keys) await api.post(api.process(key, verb));
      return null;
    }
    return api.post(api.process(this.pattern, verb), body);
  }
}

/** The status of a row that tells of a success. */
const SUCCESS = 80;

/** Actions that are over when their effect is there. */
const WAITING = { start: true, stop: true, restart: true };

const actions = {
  /** Asks first if it hurts or is about many, then does it. */
  async ask(verb, target) {
    if (!target || target.keys.length === 0) return;
    const hurts = verb !== 'start' || target.isMany;
    if (hurts && !(await confirmAction(verb, target))) return;
    await actions.run(verb, target);
  },

  async run(verb, target, body = {}) {
    actions.setBusy(target, PRESENT[verb]);
    try {
      const answer = await target.post(verb, verb in WAITING ? { wait: true } : body);
      actions.tell(verb, target, answer, body);
    } catch (error) {
      actions.refuse(verb, target, error);
    } finally {
      // Buttons come back with the new state, so that nobody stops what he meant to start.
      await refresh.all().catch(refresh.failed);
      actions.setBusy(target, null);
    }
  },

  /** Start or stop, whichever makes sense. */
  toggle(key) {
    const process = model.processes.get(key);
    return actions.ask(process.isAlive ? 'stop' : 'start', Target.process(key));
  },

  async signal(target) {
    const signal = await chooseSignal(target);
    if (signal) await actions.run('signal', target, { signal });
  },

  setBusy(target, what) {
    for (const key of target.keys) {
      const process = model.processes.get(key);
      if (process) process.busy = what;
      list.touch(key);
    }
    frame.ask(detail.draw);
  },

  /** Says what came of it. Of several, some may have failed. */
  tell(verb, target, answer, body) {
    const failed = Array.isArray(answer) ? answer.filter((row) => row.status !== SUCCESS) : [];
    if (failed.length > 0) {
      const names = failed.map((row) => `${row.group}:${row.name} (${row.description})`);
      messages.say(`${capital(target.title)}: ${plural(failed.length, 'program')} failed: ${names.slice(0, 5).join(', ')}`, 'bad');
      return;
    }
    const detail = body.signal ? ` with SIG${body.signal}` : '';
    const back = verb === 'stop' ? { text: 'Start again', run: () => actions.run('start', target) } : null;
    messages.say(`${capital(target.title)}: ${PAST[verb]}${detail}.`, 'good', back);
  },

  refuse(verb, target, error) {
    if (error.fault === 'NOT_PERMITTED') rights.refused.add(target.pattern);
    messages.say(`${capital(target.title)} could not be ${PAST[verb]}: ${error.message}`, 'bad');
  },
};

function capital(text) {
  return text.startsWith('group ') || text.startsWith('all ') ? text[0].toUpperCase() + text.slice(1) : text;
}

const messages = {
  build() {
    messages.node = el('div.messages', { role: 'status', 'aria-live': 'polite' });
    return messages.node;
  },

  /** Shows a message for a while; a bad one until it is put away. `offer` is a way on. */
  say(text, kind = 'plain', offer = null) {
    const close = el('button.quiet', { type: 'button', 'aria-label': 'Dismiss' }, icon('close'));
    const node = el(`div.message.${kind}`, {}, el('span.text', {}, text));
    const away = () => node.remove();
    if (offer) {
      const way = el('button', { type: 'button' }, offer.text);
      way.addEventListener('click', () => { away(); offer.run(); });
      node.append(way);
    }
    close.addEventListener('click', away);
    node.append(close);
    messages.node.append(node);
    while (messages.node.childElementCount > 4) messages.node.firstChild.remove();
    if (kind !== 'bad') setTimeout(away, 10000);
  },
};

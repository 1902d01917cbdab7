// Doing things: asked for, confirmed where they hurt, told about afterwards with the way back.

/** What the user may do, as far as the daemon has told: in the page as it came, and by refusals. */
const rights = {
  /** Processes, groups as `group:*`, and all as `*`. */
  refused: new Set(),

  /** Reads what the page says. */
  read() {
    for (const node of document.querySelectorAll('[data-forbidden]')) rights.refused.add(node.dataset.forbidden);
  },

  /** Reads what the daemon says of each process, also of those that have come since. */
  take(infos) {
    for (const info of infos) {
      const key = `${info.group}:${info.name}`;
      if (info.may_operate === false) rights.refused.add(key);
      else if (info.may_operate === true) rights.refused.delete(key);
    }
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
  /** `place` is where the daemon takes actions for all of them at once, `null` if it is asked for each. */
  constructor(pattern, title, keys, isMany, place) {
    Object.assign(this, { pattern, title, keys, isMany, place });
  }

  static process(key) {
    const process = model.processes.get(key);
    return process && new Target(key, process.title, [key], false, api.process(key));
  }

  static group(name) {
    const keys = (model.groups().get(name) ?? []).map((process) => process.key);
    return new Target(`${name}:*`, `group ${name}`, keys, true, api.group(name));
  }

  static all() {
    return new Target('*', 'all programs', [...model.processes.keys()], true, 'processes');
  }

  /** Some of those that `whole` is about. */
  static some(whole, keys) {
    return new Target(whole.pattern, whole.title, keys, true, null);
  }

  /** Whom a click is about: the row, panel or group it was in, or else all. */
  static around(node) {
    const { key, group } = node.closest('[data-key], [data-group]')?.dataset ?? {};
    if (key !== undefined) return Target.process(key);
    return group === undefined ? Target.all() : Target.group(group);
  }

  /** Has it done; of several the answer has a row for each. The daemon clears no group's logs at once. */
  async post(verb, body) {
    const isOneByOne = this.place === null || (verb === 'clear-logs' && this.isMany && this.pattern !== '*');
    if (!isOneByOne) return api.post(`${this.place}/${verb}`, verb in WAITING ? { wait: true } : body);
    const rows = [];
    // Nobody waits here for one before the next is begun: their states tell what comes of it.
    for (const key of this.keys) rows.push(await postOne(key, verb, verb in WAITING ? { wait: false } : body));
    return rows;
  }
}

/** The status of a row that tells of a success. */
const SUCCESS = 80;

/** Actions that are over when their effect is there. */
const WAITING = { start: true, stop: true, restart: true };

async function postOne(key, verb, body) {
  const { group, name } = model.processes.get(key)?.info ?? {};
  try {
    await api.post(api.process(key, verb), body);
    return { group, name, status: SUCCESS };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { group, name, status: error.status, description: error.message };
  }
}

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
      const answer = await target.post(verb, body);
      actions.tell(verb, target, answer, body);
    } catch (error) {
      if (error instanceof Refusal) actions.refuse(verb, target, error);
      else if (error instanceof Unanswered) await actions.wonder(verb, target, error);
      else refresh.failed(error);
    } finally {
      // Buttons come back with the new state, so that nobody stops what he meant to start.
      await refresh.all().catch(refresh.failed);
      actions.setBusy(target, null);
    }
  },

  /** Starts those that were stopped, and no others, in the order in which they depend on each other. */
  async startAgain(target, stopped) {
    // The page may be behind what it was just told.
    await refresh.all().catch(refresh.failed);
    const wanted = stopped.filter((key) => model.processes.has(key) && !model.processes.get(key).isAlive).reverse();
    if (wanted.length === 0) return messages.say(`${capital(target.title)}: what was stopped runs again already.`);
    return actions.run('start', target.isMany ? Target.some(target, wanted) : target);
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
    const rows = Array.isArray(answer) ? answer : [];
    const failed = rows.filter((row) => row.status !== SUCCESS);
    // The daemon's rows tell exactly who was running when it was stopped.
    const done = Array.isArray(answer)
      ? rows.filter((row) => row.status === SUCCESS).map((row) => `${row.group}:${row.name}`)
      : target.keys;
    const back = verb === 'stop' && done.length > 0
      ? { text: 'Start again', run: () => actions.startAgain(target, done) }
      : null;
    if (failed.length > 0) {
      const names = failed.map((row) => `${row.group}:${row.name} (${row.description})`);
      messages.say(`${capital(target.title)}: ${plural(failed.length, 'program')} failed: ${names.slice(0, 5).join(', ')}`, 'bad', back);
      return;
    }
    const detail = body.signal ? ` with SIG${body.signal}` : '';
    messages.say(`${capital(target.title)}: ${PAST[verb]}${detail}.`, 'good', back);
  },

  refuse(verb, target, error) {
    if (error.fault === 'NOT_PERMITTED') rights.refused.add(target.pattern);
    messages.say(`${couldNot(verb, target)}: ${error.message}`, 'bad');
  },

  /** No answer came: says whether the daemon can be reached at all, and so whether it knows of it. */
  async wonder(verb, target, error) {
    const isReached = error.isLate && await refresh.all().then(() => true, () => false);
    if (isReached) {
      messages.say(`${capital(target.title)}: ${PRESENT[verb]} This takes long; the list shows when it is over.`);
    } else {
      const hint = error.isLate ? ' Too many windows may be open; whether it got there is not known.' : '';
      messages.say(`${couldNot(verb, target)}: ${error.message}.${hint}`, 'bad');
    }
  },
};

function couldNot(verb, target) {
  return verb === 'clear-logs'
    ? `The logs of ${target.title} could not be cleared`
    : `${capital(target.title)} could not be ${PAST[verb]}`;
}

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

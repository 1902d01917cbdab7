// What happens, as it happens.

/** Events kept in the page. */
const MOST_EVENTS = 500;

const EVENTS = [
  'PROCESS_STATE_STARTING', 'PROCESS_STATE_RUNNING', 'PROCESS_STATE_BACKOFF', 'PROCESS_STATE_STOPPING',
  'PROCESS_STATE_EXITED', 'PROCESS_STATE_STOPPED', 'PROCESS_STATE_FATAL', 'PROCESS_STATE_UNKNOWN',
  'PROCESS_GROUP_ADDED', 'PROCESS_GROUP_REMOVED',
  'SUPERVISOR_STATE_CHANGE_RUNNING', 'SUPERVISOR_STATE_CHANGE_STOPPING', 'REMOTE_COMMUNICATION',
];

const activity = {
  waiting: [],

  build() {
    activity.lines = el('ol.activity', { 'aria-label': 'Events, newest first' });
    activity.nothing = el('p.nothing', {}, 'Nothing has happened since this page was opened.');
    activity.node = el('div.activity-frame', {}, activity.nothing, activity.lines);
    return activity.node;
  },

  take(event) {
    activity.waiting.push(event);
    frame.ask(activity.draw);
  },

  draw() {
    activity.nothing.hidden = true;
    for (const event of activity.waiting.splice(0)) activity.lines.prepend(activity.line(event));
    while (activity.lines.childElementCount > MOST_EVENTS) activity.lines.lastChild.remove();
  },

  line({ eventname: name, time, fields, data }) {
    const state = name.startsWith('PROCESS_STATE_') ? name.slice('PROCESS_STATE_'.length) : null;
    const key = fields.processname ? `${fields.groupname}:${fields.processname}` : null;
    const process = key && model.processes.get(key);
    return el(
      'li',
      {},
      el('time', {}, clock(time)),
      state
        ? el('span.state', { 'data-state': state }, el('span.lamp', { 'aria-hidden': 'true' }), el('span.word', {}, state.toLowerCase()))
        : el('span.event', {}, name.toLowerCase().replaceAll('_', ' ')),
      key ? el('a', { href: route.to('process', key) }, process?.title ?? key) : el('span', {}, fields.groupname ?? fields.type ?? ''),
      el('span.more', {}, activity.more(fields, data)),
    );
  },

  more(fields, data) {
    const parts = [];
    if (fields.from_state) parts.push(`was ${fields.from_state.toLowerCase()}`);
    if (fields.pid > 0) parts.push(`pid ${fields.pid}`);
    if (fields.tries > 0) parts.push(`try ${fields.tries + 1}`);
    if (fields.expected !== undefined) parts.push(fields.expected ? 'expected' : 'unexpected');
    if (data) parts.push(data.slice(0, 200));
    return parts.join(', ');
  },
};

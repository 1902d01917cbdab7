// Questions and help, in dialogs of the browser's own kind: focus stays inside, Esc closes.

/** Shows a dialog and answers the value it was closed with, empty for a refusal. */
function ask(title, content, buttons) {
  return new Promise((resolve) => {
    const form = el('form', { method: 'dialog' }, el('h2', { id: 'dialog-title' }, title), ...content, el('div.dialog-do', {}, ...buttons));
    const dialog = el('dialog', { 'aria-labelledby': 'dialog-title' }, form);
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(''); });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    app.node.append(dialog);
    dialog.returnValue = '';
    dialog.showModal();
  });
}

const cancel = () => el('button.quiet', { type: 'submit', value: '' }, 'Cancel');

/** What each action does, and the way back; of one program, and of several. */
const CONSEQUENCES = {
  start: {
    name: 'Start',
    one: ['It is started.', 'Stop is then where Start was.'],
    many: ['Those that do not run are started.', 'Stop then stops them again, also those that ran before.'],
  },
  stop: {
    name: 'Stop',
    one: [
      'It is sent its stop signal and given time to end.',
      'It stays stopped until somebody starts it: the Start button takes the place of Stop.',
    ],
    many: [
      'Each is sent its stop signal and given time to end.',
      'They stay stopped until somebody starts them: with Start, together or one by one.',
    ],
  },
  restart: {
    name: 'Restart',
    one: [
      'It is stopped, and started as soon as it has ended.',
      'It runs again afterwards, but what it was doing is interrupted.',
    ],
    many: [
      'Those that run are stopped, then all of them are started.',
      'They run afterwards, also those that did not, but what they were doing is interrupted.',
    ],
  },
  'clear-logs': {
    name: 'Clear logs',
    question: 'Clear the logs of',
    one: [
      'Its log files, of output and errors both, are emptied.',
      'What they hold is gone for good. Rotated files stay, and the program runs on.',
    ],
    many: [
      'Their log files, of output and errors both, are emptied.',
      'What they hold is gone for good. Rotated files stay, and the programs run on.',
    ],
  },
};

/** Says what is going to happen and how to get back, and asks. */
async function confirmAction(verb, target) {
  const { name, question = name, one, many } = CONSEQUENCES[verb];
  const [effect, back] = target.isMany ? many : one;
  const content = [el('p', {}, effect), ...(target.isMany ? [names(target)] : []), el('p.back', {}, back)];
  const kind = verb === 'start' ? 'good' : 'bad';
  const yes = el(`button.${kind}`, { type: 'submit', value: 'yes', autofocus: true }, name);
  return (await ask(`${question} ${target.title}?`, content, [cancel(), yes])) === 'yes';
}

const MOST_NAMES = 12;

function names(target) {
  const titles = target.keys.map((key) => model.processes.get(key)?.title ?? key);
  const rest = titles.length - MOST_NAMES;
  const shown = titles.slice(0, MOST_NAMES).map((title) => el('li', {}, title));
  if (rest > 0) shown.push(el('li.rest', {}, `and ${rest.toLocaleString('en')} more`));
  return el('div', {}, el('p', {}, `This is about ${plural(titles.length, 'program')}:`), el('ul.names', {}, ...shown));
}

const OFFERED = [
  ['HUP', 'by custom: read your configuration again'],
  ['USR1', 'the program’s own meaning'],
  ['USR2', 'the program’s own meaning'],
  ['INT', 'as Ctrl-C'],
  ['TERM', 'end; it may be started again if it is configured so'],
  ['QUIT', 'end, perhaps with a core dump'],
  ['STOP', 'freeze until CONT'],
  ['CONT', 'go on'],
  ['KILL', 'end at once, without a chance to clean up'],
];

async function chooseSignal(target) {
  const choices = OFFERED.map(([name, meaning], at) => el(
    'label.choice',
    {},
    el('input', { type: 'radio', name: 'signal', value: name, checked: at === 0 }),
    el('b', {}, name),
    el('span', {}, meaning),
  ));
  const send = el('button.bad', { type: 'submit', value: 'yes' }, 'Send');
  let chosen = OFFERED[0][0];
  const fields = el('fieldset', {}, el('legend', {}, 'Signal'), ...choices);
  fields.addEventListener('change', (event) => { chosen = event.target.value; });
  const note = el('p.back', {}, 'A signal cannot be taken back. If the program ends by it, that counts as ending by itself.');
  const answer = await ask(`Send a signal to ${target.title}`, [fields, note], [cancel(), send]);
  return answer === 'yes' ? chosen : null;
}

const KEYS = [
  ['/', 'filter'], ['j  k', 'next, previous'], ['Enter', 'open'], ['l', 'follow its log'], ['s', 'start'], ['x', 'stop'], ['r', 'restart'],
  ['1 – 4', 'programs, listeners, activity, main log'], ['Esc', 'close, or clear the filter'], ['?', 'this help'],
];

function showHelp() {
  const rows = KEYS.flatMap(([keys, meaning]) => [
    el('dt', {}, ...keys.split('  ').map((key) => el('kbd', {}, key))),
    el('dd', {}, meaning),
  ]);
  const close = el('button', { type: 'submit', value: '', autofocus: true }, 'Close');
  return ask('Keys', [el('dl.keys', {}, ...rows), el('p.back', {}, 'Whatever hurts is asked about first.')], [close]);
}

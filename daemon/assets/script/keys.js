// The keyboard. No key does anything while somebody types or answers a question.

/** Does something with the current row's process, or the one that is open. */
function onCurrent(act) {
  const process = model.processes.get(list.current ?? detail.key);
  if (process) act(process);
}

const KEY_ACTIONS = new Map([
  ['/', () => header.filter.focus()],
  ['j', () => list.move(1)],
  ['ArrowDown', () => list.move(1)],
  ['k', () => list.move(-1)],
  ['ArrowUp', () => list.move(-1)],
  ['Enter', () => onCurrent((process) => route.go('process', process.key))],
  ['l', () => onCurrent((process) => route.go('process', process.key, 'stdout'))],
  ['s', () => onCurrent((process) => !process.isAlive && actions.ask('start', Target.process(process.key)))],
  ['x', () => onCurrent((process) => process.isAlive && actions.ask('stop', Target.process(process.key)))],
  ['r', () => onCurrent((process) => process.isAlive && actions.ask('restart', Target.process(process.key)))],
  ['1', () => route.go('programs')],
  ['2', () => route.go('listeners')],
  ['3', () => route.go('activity')],
  ['4', () => route.go('log')],
  ['?', () => showHelp()],
  ['Escape', () => leave()],
]);

/** Keys that controls have a use for themselves. */
const CONTROL_KEYS = ['Enter', 'ArrowDown', 'ArrowUp'];

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.target.closest?.('input, select, textarea') && event.key !== 'Escape') return;
  if (event.target.closest?.('a, button, .lines') && CONTROL_KEYS.includes(event.key)) return;
  const act = KEY_ACTIONS.get(event.key);
  if (!act) return;
  event.preventDefault();
  act();
}

/** Leaves what was last entered: a field, the filter, the panel. */
function leave() {
  const active = document.activeElement;
  if (active?.matches('.log input') && active.value !== '') {
    active.value = '';
    return active.dispatchEvent(new Event('input'));
  }
  if (active?.matches('.log input')) return active.blur();
  if (list.words !== '' || list.state !== null) header.clear();
  else if (active?.matches('input')) active.blur();
  else if (detail.key !== null) route.go('programs');
  return undefined;
}

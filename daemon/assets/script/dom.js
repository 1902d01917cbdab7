// Building and changing elements. Text goes in as text nodes only: names and log lines are anybody's.

const SVG = 'http://www.w3.org/2000/svg';

/** An element: `el('a.button', {href: '#'}, 'text', child)`; a tag may carry classes. */
function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) setAttribute(node, key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) setAttribute(node, key, value);
  node.append(...children);
  return node;
}

/** Sets an attribute; `true` stands for one without a value, `false` and `null` for none. */
function setAttribute(node, key, value) {
  if (value === false || value === null || value === undefined) node.removeAttribute(key);
  else node.setAttribute(key, value === true ? '' : value);
}

const shown = new WeakMap();

/** Sets a node's text if it is another than the last time, which most times it is not. */
function put(node, text) {
  if (shown.get(node) === text) return;
  shown.set(node, text);
  node.textContent = text;
}

/** Sets an attribute if it is another than it has. */
function mark(node, key, value) {
  const wanted = value === true ? '' : value === false || value === undefined ? null : value;
  if (node.getAttribute(key) !== wanted) setAttribute(node, key, wanted);
}

/** Pictures of 16 by 16, as paths to stroke. */
const ICONS = {
  start: 'M5 3.2v9.6l7.5-4.8z',
  stop: 'M4.2 4.2h7.6v7.6H4.2z',
  restart: 'M13 8a5 5 0 1 1-1.6-3.7M13 1.8v3h-3',
  log: 'M2.5 3.5h11M2.5 6.5h7M2.5 9.5h11M2.5 12.5h5',
  chevron: 'M4 6l4 4 4-4',
  close: 'M4 4l8 8M12 4l-8 8',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4l3.4 3.4',
  signal: 'M9 1.8L3.6 9H8l-1 5.2L12.4 7H8z',
  clear: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.3 4.5l.7 8.7h6l.7-8.7',
  help: 'M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.8.5-1.1.9-1.1 1.8M8 12.4v.3',
  light: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.3v1.4M8 13.3v1.4M1.3 8h1.4M13.3 8h1.4M3.3 3.3l1 1M11.7 11.7l1 1M3.3 12.7l1-1M11.7 4.3l1-1',
  dark: 'M13 9.8A5.6 5.6 0 0 1 6.2 3 5.6 5.6 0 1 0 13 9.8z',
  system: 'M2.5 3h11v7.5h-11zM5.5 13.2h5',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  warning: 'M8 2.2L14.4 13H1.6zM8 6.4v3M8 11.2v.2',
};

function icon(name) {
  const path = svg('path', { d: ICONS[name] });
  return svg('svg', { class: `icon icon-${name}`, viewBox: '0 0 16 16', 'aria-hidden': 'true' }, path);
}

/** A button that asks for something by name: clicks are read from `data-do` by one listener for the whole page. */
function button(what, text, picture, attributes = {}) {
  const label = el('span.label', {}, text);
  const parts = picture ? [icon(picture), label] : [label];
  return el('button', { type: 'button', 'data-do': what, ...attributes }, ...parts);
}

/** Leaves an error to the browser's console, without stopping what goes on. */
function complain(error) {
  queueMicrotask(() => { throw error; });
}

/** Work for the next frame: each job once, however often it is asked for. */
const frame = {
  jobs: new Set(),
  ask(job) {
    if (frame.jobs.size === 0) requestAnimationFrame(frame.run);
    frame.jobs.add(job);
  },
  run() {
    const jobs = [...frame.jobs];
    frame.jobs.clear();
    for (const job of jobs) job();
  },
};

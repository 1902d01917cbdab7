// A log as it grows: follow, pause, search, wrap, clear the view.

/** Lines kept in the page. */
const MOST_LINES = 3000;
/** Characters shown of a line. */
const LONGEST_LINE = 8000;
/** What is read of a log to begin with, in bytes. */
const BEGINNING = 65536;

/** Colours and cursor movements that programs write for terminals. */
const TERMINAL = /\u001b(?:\[[0-9;?]*[A-Za-z]|\][^\u0007]*\u0007)/g;

class LogView {
  /** `source` is the path of the log below the API's root. */
  constructor(source, title) {
    this.source = source;
    this.waiting = [];
    this.paused = false;
    this.needle = '';
    this.build(title);
    this.follow();
  }

  build(title) {
    this.search = el('input', { type: 'search', placeholder: 'Find in log', 'aria-label': 'Find in log' });
    this.search.addEventListener('input', () => this.find(this.search.value));
    this.pauser = el('button', { type: 'button', 'aria-pressed': 'false' }, icon('pause'), el('span.label', {}, 'Pause'));
    this.pauser.addEventListener('click', () => this.pause(!this.paused));
    const wrap = el('button', { type: 'button', 'aria-pressed': 'true' }, el('span.label', {}, 'Wrap'));
    wrap.addEventListener('click', () => {
      const on = this.lines.classList.toggle('nowrap');
      wrap.setAttribute('aria-pressed', String(!on));
    });
    const clear = el('button', { type: 'button', title: 'Empties this view; the file stays as it is' }, el('span.label', {}, 'Clear view'));
    clear.addEventListener('click', () => this.clear());
    this.note = el('span.log-note', { role: 'status' });
    this.lines = el('div.lines', { role: 'log', 'aria-live': 'off', 'aria-label': title, tabindex: '0' });
    this.jump = el('button.jump', { type: 'button', hidden: true }, icon('chevron'), el('span', {}, 'Newest'));
    this.jump.addEventListener('click', () => this.toEnd());
    this.lines.addEventListener('scroll', () => { this.jump.hidden = this.isAtEnd(); }, { passive: true });
    const bar = el('div.log-bar', {}, el('div.field', {}, icon('search'), this.search), this.pauser, wrap, clear, this.note);
    this.node = el('div.log', {}, bar, el('div.log-frame', {}, this.lines, this.jump));
  }

  follow() {
    const handlers = {
      message: (line) => this.take(line),
      truncated: () => this.take('――― the file was emptied ―――'),
    };
    this.stream = new Stream(`${this.source}/follow?tail=${BEGINNING}`, handlers, (state) => {
      if (state === 'open') this.clear();
      else this.say('No connection to this log; trying again');
    });
  }

  /** Stops following while nobody looks, and goes on afterwards. */
  setAwake(awake) {
    if (awake === (this.stream !== null)) return;
    if (awake) {
      this.follow();
    } else {
      this.stream.close();
      this.stream = null;
    }
  }

  close() {
    this.stream?.close();
  }

  take(line) {
    this.waiting.push(line);
    if (this.waiting.length > MOST_LINES) this.waiting.shift();
    if (this.paused) this.say(`Paused; ${plural(this.waiting.length, 'new line')}`);
    else frame.ask(this.drawer ??= () => this.draw());
  }

  draw() {
    if (this.waiting.length === 0) return;
    const stay = this.isAtEnd();
    const batch = document.createDocumentFragment();
    for (const line of this.waiting) batch.append(this.line(line));
    this.waiting = [];
    this.lines.append(batch);
    for (let extra = this.lines.childElementCount - MOST_LINES; extra > 0; extra -= 1) this.lines.firstChild.remove();
    if (this.needle) this.count();
    if (stay) this.toEnd();
    else this.jump.hidden = false;
  }

  line(text) {
    const clean = text.replace(TERMINAL, '').replace(/\r$/, '');
    const node = el('div.line');
    node.full = clean.length > LONGEST_LINE ? `${clean.slice(0, LONGEST_LINE)} …` : clean;
    this.drawLine(node);
    return node;
  }

  /** Shows a line as the search wants it: hidden, or with what was found marked. */
  drawLine(node) {
    const { needle } = this;
    if (!needle) {
      node.hidden = false;
      node.textContent = node.full || '\u00a0';
      return;
    }
    const parts = node.full.toLowerCase().split(needle);
    node.hidden = parts.length === 1;
    if (node.hidden) return;
    let at = 0;
    node.replaceChildren();
    parts.forEach((part, index) => {
      node.append(node.full.slice(at, at + part.length));
      at += part.length;
      if (index < parts.length - 1) node.append(el('mark', {}, node.full.slice(at, at + needle.length)));
      at += needle.length;
    });
  }

  find(text) {
    this.needle = text.toLowerCase();
    for (const node of this.lines.children) this.drawLine(node);
    this.count();
    this.toEnd();
  }

  count() {
    if (!this.needle) return this.say('');
    const all = this.lines.childElementCount;
    const found = all - this.lines.querySelectorAll(':scope > [hidden]').length;
    return this.say(`${found.toLocaleString('en')} of ${plural(all, 'line')}`);
  }

  pause(paused) {
    this.paused = paused;
    this.pauser.setAttribute('aria-pressed', String(paused));
    put(this.pauser.querySelector('.label'), paused ? 'Go on' : 'Pause');
    this.say(paused ? 'Paused' : '');
    if (!paused) this.draw();
  }

  clear() {
    this.waiting = [];
    this.lines.replaceChildren();
    this.jump.hidden = true;
    this.say('');
  }

  say(text) {
    put(this.note, text);
  }

  isAtEnd() {
    return this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < 24;
  }

  toEnd() {
    this.lines.scrollTop = this.lines.scrollHeight;
    this.jump.hidden = true;
  }
}

// A log as it grows: follow, pause, search, wrap, clear the view.

/** Lines kept in the page. */
const MOST_LINES = 3000;
/** Lines drawn in one frame, so that the page can be used while a log pours in. */
const BATCH = 300;
/** Characters shown of a line. */
const LONGEST_LINE = 8000;

/** A line out of an event, where ends of lines stand for carriage returns. */
function fromEvent(data) {
  return data.replaceAll('\n', '\r');
}

class LogView {
  /** `source` is the path of the log below the API's root. */
  constructor(source, title) {
    this.source = source;
    /** Lines that are not drawn yet, and how many were too many for that. */
    this.waiting = [];
    this.skipped = 0;
    /** What there is of the last line, and the element that shows it. */
    this.unfinished = '';
    this.last = el('div.line.unfinished');
    this.paused = false;
    /** What is shown comes from a stream that is over: the next thing drawn takes its place. */
    this.isStale = false;
    this.needle = '';
    this.handlers = {
      message: (data) => this.take(fromEvent(data)),
      unfinished: (data) => this.grow(fromEvent(data)),
      truncated: () => this.take('――― the file was emptied ―――'),
    };
    this.drawer = () => this.draw();
    this.build(title);
    feed.follow(this);
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

  close() {
    feed.unfollow(this);
  }

  /** The log comes, from near its end on. What is shown of a paused one stays. */
  opened() {
    this.forget();
    this.isStale = this.lines.childElementCount > 0;
    this.changed();
  }

  take(line) {
    this.unfinished = '';
    this.waiting.push(line);
    // Not at every line: that would take as long as the list is.
    if (this.waiting.length > 2 * MOST_LINES) this.skip();
    this.changed();
  }

  grow(piece) {
    this.unfinished += piece;
    this.changed();
  }

  /** Leaves out lines that would be thrown away as soon as they were drawn. */
  skip() {
    // Two more are drawn with them: what was left out, and the unfinished line.
    const extra = Math.max(0, this.waiting.length + 2 - MOST_LINES);
    this.waiting.splice(0, extra);
    this.skipped += extra;
  }

  changed() {
    if (this.paused) frame.ask(this.teller ??= () => this.tellPaused());
    else frame.ask(this.drawer);
  }

  draw() {
    if (this.paused) return;
    const stay = this.isStale || this.isAtEnd();
    if (this.isStale) this.clearLines();
    this.skip();
    this.last.remove();
    this.lines.append(this.batch());
    for (let extra = this.lines.childElementCount - MOST_LINES; extra > 0; extra -= 1) this.lines.firstChild.remove();
    if (this.waiting.length > 0) frame.ask(this.drawer);
    else this.drawUnfinished();
    this.count();
    if (stay) this.toEnd();
    else this.jump.hidden = false;
  }

  /** The lines for this frame. */
  batch() {
    const batch = document.createDocumentFragment();
    if (this.skipped > 0) batch.append(this.line(`――― ${plural(this.skipped, 'line')} left out here ―――`));
    this.skipped = 0;
    for (const line of this.waiting.splice(0, BATCH)) batch.append(this.line(line));
    return batch;
  }

  drawUnfinished() {
    if (this.unfinished === '') return;
    this.fill(this.last, this.unfinished);
    this.lines.append(this.last);
  }

  line(text) {
    const node = el('div.line');
    this.fill(node, text);
    return node;
  }

  fill(node, text) {
    const clean = asTerminal(text);
    node.full = clean.length > LONGEST_LINE ? `${clean.slice(0, LONGEST_LINE)} …` : clean;
    this.drawLine(node);
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
    if (paused) this.say('Paused');
    else this.draw();
  }

  tellPaused() {
    if (!this.paused) return;
    const fresh = this.skipped + this.waiting.length;
    if (this.isStale) this.say('Paused; the connection was another one meanwhile: Go on shows the end of the log');
    else this.say(fresh > 0 ? `Paused; ${plural(fresh, 'new line')}` : 'Paused');
  }

  clear() {
    this.forget();
    this.clearLines();
    this.count();
  }

  forget() {
    this.waiting = [];
    this.skipped = 0;
    this.unfinished = '';
  }

  clearLines() {
    this.isStale = false;
    this.lines.replaceChildren();
    this.jump.hidden = true;
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

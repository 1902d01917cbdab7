// Lines as a terminal would show them in the end: what was overwritten is gone, and colours are left out.

/** Whether there is anything but text in a line. */
const HAS_CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/**
 * Text, or one control: sequences with parameters, strings up to their terminator (titles, links), the other escape
 * sequences, and single characters. One that is cut off by the end of the line is one, too.
 */
const PIECES = new RegExp([
  '(?<text>[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]+)',
  '(?:\\u001b\\[|\\u009b)(?<parameters>[0-?]*)[ -/]*(?<command>[@-~]|$)',
  '(?:\\u001b[PX\\]^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c]*(?:\\u0007|\\u009c|\\u001b\\\\|(?=\\u001b)|$)',
  '\\u001b[ -/]*(?:[0-~]|$)',
  '(?<control>[^])',
].join('|'), 'gu');

/** The furthest column that a line may go to. */
const LAST_COLUMN = 10000;

/** A line of a terminal while it is written. */
class TerminalLine {
  constructor() {
    this.cells = [];
    this.column = 0;
  }

  write(text) {
    for (const character of text) {
      while (this.cells.length < this.column) this.cells.push(' ');
      this.cells[this.column] = character;
      this.column += 1;
    }
  }

  goTo(column) {
    this.column = Math.max(0, Math.min(column, LAST_COLUMN));
  }

  control(character) {
    if (character === '\r') this.goTo(0);
    else if (character === '\b') this.goTo(this.column - 1);
  }

  /** Movements along the line, and what erases parts of it; all others concern the screen or colours. */
  command(name, parameters) {
    const number = Number.parseInt(parameters, 10) || 0;
    const steps = Math.max(1, number);
    if (name === 'C') this.goTo(this.column + steps);
    else if (name === 'D') this.goTo(this.column - steps);
    else if (name === 'G') this.goTo(steps - 1);
    else if (name === 'K') this.erase(number);
  }

  erase(part) {
    if (part === 0) this.cells.length = Math.min(this.cells.length, this.column);
    else if (part === 1) this.cells.fill(' ', 0, this.column + 1);
    else if (part === 2) this.cells = [];
  }

  toString() {
    return this.cells.join('');
  }
}

/** What can be read of a line, however often it was written over. */
function asTerminal(text) {
  if (!HAS_CONTROLS.test(text)) return text;
  const line = new TerminalLine();
  for (const { groups } of text.matchAll(PIECES)) {
    if (groups.text !== undefined) line.write(groups.text);
    else if (groups.command) line.command(groups.command, groups.parameters);
    else if (groups.control !== undefined) line.control(groups.control);
  }
  return line.toString();
}

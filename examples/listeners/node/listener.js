#!/usr/bin/env node
// Writes every event to standard error.
'use strict';

let text = '';

/** The end of the first `count` characters of `text` after `start`; -1: they are not all there. */
function endOf(start, count) {
  let end = start;
  for (; count > 0; count--) {
    if (end >= text.length) return -1;
    // A character beyond U+FFFF takes two units of a JavaScript string.
    end += text.codePointAt(end) > 0xffff ? 2 : 1;
  }
  return end;
}

/** Handles the event at the start of `text`, if it is complete. */
function handleEvent() {
  const start = text.indexOf('\n') + 1;
  if (start === 0) return;
  const header = Object.fromEntries(
    text.slice(0, start).trim().split(/\s+/).map((token) => {
      const colon = token.indexOf(':');
      return [token.slice(0, colon), token.slice(colon + 1)];
    }),
  );
  const end = endOf(start, Number(header.len));
  if (end < 0) return;
  const payload = text.slice(start, end);
  text = text.slice(end);
  process.stderr.write(`${header.eventname}: ${payload}\n`);
  process.stdout.write('RESULT 2\nOKREADY\n');
}

process.stdin.setEncoding('utf8');
process.stdin.on('data', (piece) => {
  text += piece;
  handleEvent();
});
process.stdout.write('READY\n');

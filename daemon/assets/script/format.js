// How numbers and times are put.

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Bytes in the largest unit of which there is at least one. */
function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

function percent(share) {
  return `${share.toFixed(share < 9.95 ? 1 : 0)} %`;
}

/** Seconds in two units at most: `4 s`, `3 m 05 s`, `2 h 13 m`, `4 d 3 h`. */
function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** A past moment as people put it: `just now`, `3 m ago`, `2 d ago`. */
function ago(seconds) {
  if (seconds < 5) return 'just now';
  return `${duration(seconds).split(' ').slice(0, 2).join(' ')} ago`;
}

/** Unix time as the clock on the wall here. */
function clock(seconds) {
  const date = new Date(seconds * 1000);
  const today = new Date().toDateString() === date.toDateString();
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
  return today ? time : `${date.toLocaleDateString()} ${time}`;
}

function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

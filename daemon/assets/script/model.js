// What is known of the daemon and its processes.

/** Time between two samples, in milliseconds. */
const PACE = 2000;
/** Samples kept of each process: ten minutes. */
const SAMPLES = 300;
/** A time of so many samples without one is a gap; a shorter one is bridged. */
const GAP = 15;

/** States by how much they deserve attention, worst first. */
const STATES = ['FATAL', 'BACKOFF', 'UNKNOWN', 'EXITED', 'STOPPING', 'STARTING', 'RUNNING', 'STOPPED'];
const TROUBLE = ['FATAL', 'BACKOFF', 'UNKNOWN'];
const ALIVE = ['RUNNING', 'STARTING', 'BACKOFF'];

/** The course of one figure, oldest first, in a ring. */
class History {
  constructor() {
    this.values = new Float64Array(SAMPLES).fill(NaN);
    this.count = 0;
  }

  add(value) {
    this.values[this.count % SAMPLES] = value;
    this.count += 1;
  }

  /** The last `wanted` values; NaN where there was nothing to measure. */
  last(wanted) {
    const count = Math.min(wanted, this.count, SAMPLES);
    return Array.from({ length: count }, (_, at) => this.values[(this.count - count + at) % SAMPLES]);
  }
}

class Process {
  constructor(info) {
    this.group = info.group;
    this.name = info.name;
    this.key = `${info.group}:${info.name}`;
    /** As the tools print it: a program that is alone in its group goes by one name. */
    this.title = info.group === info.name ? info.name : this.key;
    this.cpu = new History();
    this.memory = new History();
    this.busy = null;
    this.take(info);
  }

  /** Takes over an answer about it. */
  take(info) {
    this.info = info;
    this.state = info.statename;
    this.pid = info.pid;
  }

  /** Enters what it uses at `at`, a monotonic time in milliseconds, `slots` samples after the last time. */
  sample(usage, at, slots) {
    this.usage = usage;
    if (slots === 0) return;
    const before = this.last;
    const known = before && usage && before.pid === this.pid && usage.cpu_seconds >= before.cpu;
    const cpu = known ? (100_000 * (usage.cpu_seconds - before.cpu)) / Math.max(1, at - before.at) : NaN;
    const memory = usage ? usage.memory : NaN;
    for (let slot = 1; slot <= slots; slot += 1) {
      const isKnown = slot === slots || slots < GAP;
      this.cpu.add(isKnown ? cpu : NaN);
      this.memory.add(isKnown ? memory : NaN);
    }
    this.last = usage ? { pid: this.pid, cpu: usage.cpu_seconds, at } : null;
  }

  get cpuNow() {
    // One that has just come has no sample yet.
    return this.usage ? (this.cpu.last(1)[0] ?? NaN) : NaN;
  }

  get memoryNow() {
    return this.usage ? this.usage.memory : NaN;
  }

  get isAlive() {
    return ALIVE.includes(this.state);
  }

  get restarts() {
    return Math.max(0, (this.info.record?.starts ?? 0) - 1);
  }

  get lastEnd() {
    return this.info.record?.last_end ?? null;
  }
}

const model = {
  daemon: null,
  /** By key, in the daemon's order: by group, then by name. */
  processes: new Map(),
  pools: [],
  /** Seconds to add to our clock to get the daemon's. */
  skew: 0,
  /** When the last sample was taken, monotonic, in milliseconds. */
  at: -PACE,

  now() {
    return Date.now() / 1000 + model.skew;
  },

  /** Takes over a whole list; answers whether there are others than before. */
  take(infos, at) {
    const before = model.processes;
    const now = new Map();
    // One sample for each slot of time, however often we are told.
    const slots = before.size === 0 ? 1 : Math.min(SAMPLES, Math.round((at - model.at) / PACE));
    if (slots > 0) model.at = at;
    for (const info of infos) {
      const key = `${info.group}:${info.name}`;
      const process = before.get(key) ?? new Process(info);
      process.take(info);
      process.sample(info.usage ?? null, at, slots);
      now.set(key, process);
    }
    // The daemon's clock counts in whole seconds: trust it only when ours is further away than that.
    const theirs = infos[0]?.now;
    if (theirs !== undefined && Math.abs(theirs - model.now()) > 1.5) model.skew = theirs + 0.5 - Date.now() / 1000;
    const changed = before.size !== now.size || [...now.keys()].some((key) => !before.has(key));
    model.processes = now;
    return changed;
  },

  /** Groups with their members, in order. */
  groups() {
    const groups = new Map();
    for (const process of model.processes.values()) {
      if (!groups.has(process.group)) groups.set(process.group, []);
      groups.get(process.group).push(process);
    }
    return groups;
  },
};

/** How many processes are in each state, by state. */
function countStates(processes) {
  const counts = {};
  for (const process of processes) counts[process.state] = (counts[process.state] ?? 0) + 1;
  return counts;
}

/** How an end is put: `exited with status 1`, `killed by SIGSEGV, core dumped`. */
function describeEnd(end) {
  if (end.signal === null) return `exited with status ${end.exitstatus}`;
  return `killed by ${fullName(end.signal)}${end.core_dumped ? ', core dumped' : ''}`;
}

function fullName(signal) {
  return /^(SIG|\d)/.test(signal) ? signal : `SIG${signal}`;
}

const CAUSES = {
  stopped: 'It was asked to stop.',
  expected: 'It ended by itself, in a way its configuration expects.',
  unexpected: 'It ended by itself, and nobody had asked it to.',
  too_quick: 'It ended before it had run long enough to count as started.',
};

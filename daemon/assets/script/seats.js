// Which windows may hold a stream: browsers have six connections for all windows of a host, and the next request of any
// of them waits until one is free. Windows agree among themselves; those used last have their seats.

/** Windows with a stream at the same time; the other connections are for requests. */
const SEATS = 4;
/** How long other windows are listened to, in milliseconds. */
const HEARING = 150;

const seats = {
  id: `${Date.now()}.${Math.random()}`,
  /** When somebody last turned to this window. */
  used: Date.now(),
  isTaken: false,
  /** The question that is out whether there is a seat. */
  asking: null,
  /** Who has answered it: windows by name, with their time. */
  others: new Map(),

  /** `onFree` is told when a seat may be had, `onLost` when ours is given to another. */
  build(onFree, onLost) {
    if (typeof BroadcastChannel === 'undefined') return;
    Object.assign(seats, { onFree, onLost, channel: new BroadcastChannel('callboard.seats') });
    seats.channel.addEventListener('message', ({ data }) => seats.hear(data));
    addEventListener('focus', () => {
      seats.used = Date.now();
      if (!seats.isTaken) onFree();
    });
  },

  tell(what, to = null) {
    seats.channel?.postMessage({ what, from: seats.id, used: seats.used, to });
  },

  hear({ what, from, used, to }) {
    if (to !== null && to !== seats.id) return;
    if (what === 'who' && (seats.isTaken || (seats.asking && seats.goesBefore(from, used)))) {
      seats.tell('me', from);
    } else if (what === 'me') {
      seats.others.set(from, used);
      // It was too busy to say so in time.
      if (seats.isTaken && !seats.makeRoom()) seats.lose();
    } else if (what === 'left') {
      seats.others.delete(from);
      if (!seats.isTaken) seats.onFree();
    } else if (what === 'yield' && seats.isTaken) {
      seats.lose();
    }
  },

  lose() {
    seats.isTaken = false;
    seats.onLost();
  },

  /** Of two that ask at the same time, who was used later is first. */
  goesBefore(from, used) {
    return seats.used > used || (seats.used === used && seats.id > from);
  },

  /** Answers whether this window has a seat now. */
  async take() {
    if (!seats.channel || seats.isTaken) return true;
    seats.asking ??= seats.ask();
    return seats.asking;
  },

  async ask() {
    const others = new Map();
    seats.others = others;
    seats.tell('who');
    await new Promise((resolve) => { setTimeout(resolve, HEARING); });
    if (seats.others !== others) return false;
    seats.asking = null;
    seats.isTaken = seats.makeRoom();
    return seats.isTaken;
  },

  /** Answers whether there is a seat for us: the window that nobody has turned to for the longest time gives way. */
  makeRoom() {
    if (seats.others.size < SEATS) return true;
    const [idle, used] = [...seats.others].reduce((one, other) => (other[1] < one[1] ? other : one));
    if (used >= seats.used) return false;
    seats.others.delete(idle);
    seats.tell('yield', idle);
    return true;
  },

  leave() {
    if (seats.isTaken) seats.tell('left');
    seats.isTaken = false;
    seats.asking = null;
    seats.others = new Map();
  },
};

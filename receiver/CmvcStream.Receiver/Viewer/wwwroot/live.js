// The connection to the receiver: pictures and state in, confirmations out. Comes back by itself, ever more slowly up to 5 s.

const HEADER = 32;
const VERSION = 1;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;
const PING_EVERY_MS = 2000;
const SILENCE_MS = 8000;
const PROVENANCE = ["none", "transmitted", "restored", "interpolated", "extrapolated", "held"];

/** Milliseconds of this machine's clock since 1970, finer than Date.now(). */
export const now = () => performance.timeOrigin + performance.now();

/** Reads a binary message; null when this page is older or newer than the receiver. */
export function readPicture(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength <= HEADER || view.getUint8(0) !== VERSION) return null;
  return {
    provenance: PROVENANCE[view.getUint8(1)] ?? "none",
    width: view.getUint16(4, true),
    height: view.getUint16(6, true),
    number: Number(view.getBigInt64(8, true)),
    ptsMs: Number(view.getBigInt64(16, true)) / 1000,
    presentedMs: view.getFloat64(24, true),
    blob: new Blob([new Uint8Array(buffer, HEADER)], { type: "image/jpeg" }),
  };
}

/**
 * @param handlers picture(picture, confirm): call confirm once when another may come; state(message); link(up, why).
 */
export class Live {
  #handlers;
  #socket = null;
  #wait = FIRST_WAIT_MS;
  #clock = [];
  #heard = 0;
  #timer = 0;
  #asking = false;

  constructor(handlers) {
    this.#handlers = handlers;
    this.#open();
    setInterval(() => this.#tick(), PING_EVERY_MS);
    // A network that returns, or a page that is looked at again, need not wait for the next try.
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  /** What the receiver's clock shows now, in ms since 1970; null until compared. */
  get receiverNow() {
    if (this.#clock.length === 0) return null;
    const best = this.#clock.reduce((a, b) => (a.round <= b.round ? a : b));
    return now() + best.offset;
  }

  #open() {
    const url = new URL("/live" + location.search, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#clock = [];
    this.#heard = now();
    let got = 0;

    socket.onopen = () => {
      this.#heard = now();
      this.#ping();
      this.#handlers.link(true, "");
    };
    socket.onmessage = ({ data }) => {
      this.#heard = now();
      if (typeof data === "string") {
        this.#text(JSON.parse(data));
        return;
      }
      const received = ++got;
      const confirm = () => this.#send(socket, { got: received });
      const picture = readPicture(data);
      if (picture) this.#handlers.picture(picture, confirm);
      else confirm();
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#handlers.link(false, code === 1013 ? "The receiver has as many viewers as it takes." : "");
      this.#later();
    };
  }

  #later() {
    this.#timer = setTimeout(() => this.#again(), this.#wait * (0.8 + 0.4 * Math.random()));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  /** Opens a socket only when the receiver answers: after sockets that failed, Firefox keeps the next one waiting for up to a minute. */
  async #again() {
    clearTimeout(this.#timer);
    if (this.#asking) return;
    this.#asking = true;
    const asked = fetch("/icon.svg", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(LONGEST_WAIT_MS) });
    // From 500 on it is a proxy that answers, in the place of a receiver that is away.
    const there = await asked.then(({ status }) => status < 500, () => false);
    this.#asking = false;
    if (there) this.#open();
    else this.#later();
  }

  #text(message) {
    if (message.type === "state") {
      // Only now the receiver has let us in for good.
      this.#wait = FIRST_WAIT_MS;
      this.#handlers.state(message);
    } else if (message.type === "pong") {
      const arrived = now();
      this.#clock.push({ round: arrived - message.ping, offset: message.serverMs - (arrived + message.ping) / 2 });
      if (this.#clock.length > 10) this.#clock.shift();
    }
  }

  #tick() {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    // State comes four times a second: long silence is a dead connection that nobody has closed.
    if (now() - this.#heard > SILENCE_MS) {
      const dead = this.#socket;
      dead.onclose({ code: 1006 });
      dead.onclose = null;
      dead.close();
    } else {
      this.#ping();
    }
  }

  #hurry() {
    if (this.#socket.readyState !== WebSocket.CLOSED) return;
    this.#wait = FIRST_WAIT_MS;
    this.#again();
  }

  #ping() {
    this.#send(this.#socket, { ping: now() });
  }

  #send(socket, message) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }
}

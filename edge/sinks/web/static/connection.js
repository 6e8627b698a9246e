/** The WebSocket to the stream. It comes back by itself, later each time it fails. */

const FIRST = 0.5;
const LONGEST = 10;
const TOO_MANY = 1013;
const SILENCE = 5; // seconds after which the server is asked whether it is still there

/**
 * `on.link(state)` hears how it stands: `{is: "connecting" | "open" | "lost" | "refused"}`, with
 * `seconds` until the next try where it is lost, and `why` in words where they are known.
 * `on.message(message)` gets what the server says, `on.image(blob, acknowledge)` each image.
 */
export class Connection {
  #on;
  #socket = null;
  #timer = 0;
  #wait = FIRST;
  #heard = 0;

  constructor(on) {
    this.#on = on;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    setInterval(() => this.#ask(), 1000 * SILENCE);
  }

  open() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#on.link({ is: "connecting" });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(socket, data);
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#closed(code, reason);
  }

  /** Sends a message, or a Blob as it is; false while there is no connection. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(message instanceof Blob ? message : JSON.stringify(message));
    return true;
  }

  #hear(socket, data) {
    this.#heard = performance.now();
    if (data instanceof Blob) {
      const acknowledge = () => socket === this.#socket && this.send({ type: "ack" });
      this.#on.image(data, acknowledge);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "hello") {
      this.#wait = FIRST;
      this.#on.link({ is: "open" });
    }
    this.#on.message(message);
  }

  async #closed(code, reason) {
    const refused = await whyRefused();
    if (refused) this.#on.link({ is: "refused", why: refused });
    else this.#later(code === TOO_MANY ? reason || "The stream has too many viewers." : "");
  }

  #later(why) {
    let seconds = this.#wait * (0.8 + 0.4 * Math.random()); // so that not all come at once
    this.#wait = Math.min(2 * this.#wait, LONGEST);
    const count = () => {
      if (seconds <= 0) return this.open();
      this.#on.link({ is: "lost", seconds: Math.ceil(seconds), why });
      seconds -= 0.5;
    };
    this.#timer = setInterval(count, 500);
    count();
  }

  /** A machine that was switched off closes nothing: a silent connection may be a dead one. */
  async #ask() {
    const socket = this.#socket;
    if (this.#timer || performance.now() - this.#heard < 1000 * SILENCE) return;
    if (await answers()) return;
    if (socket !== this.#socket || this.#timer) return;
    this.#socket = null;
    socket.close();
    this.#later("");
  }

  #hurry() {
    if (this.#timer) this.open();
  }
}

async function answers() {
  try {
    await fetch("/api/state", { cache: "no-store", signal: AbortSignal.timeout(1000 * SILENCE) });
    return true;
  } catch {
    return false;
  }
}

/** A browser does not say why a WebSocket was refused; the same guard answers a plain request. */
async function whyRefused() {
  try {
    const answer = await fetch("/api/state", { cache: "no-store" });
    return answer.status === 401 || answer.status === 403 ? (await answer.text()).trim() : "";
  } catch {
    return "";
  }
}

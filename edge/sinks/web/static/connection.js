/** WebSocket to the stream; reconnects by itself with increasing delays. */

const MIN_DELAY = 0.5; // seconds before a reconnect
const MAX_DELAY = 10;
const TRY_AGAIN_LATER = 1013; // WebSocket close code
const SILENCE = 5; // seconds after which the server is checked

/**
 * `on.link(state)` gets the state: `{is: "connecting" | "open" | "lost" | "refused"}`, with
 * `seconds` until the next attempt where it is lost, and `why` where the reason is known.
 * `on.message(message)` gets messages of the server, `on.image(blob, acknowledge)` images.
 */
export class Connection {
  #on;
  #socket = null;
  #timer = 0;
  #delay = MIN_DELAY;
  #received = 0;

  constructor(on) {
    this.#on = on;
    addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#retryNow());
    setInterval(() => this.#check(), 1000 * SILENCE);
  }

  open() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#on.link({ is: "connecting" });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(socket, data);
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#closed(code, reason);
  }

  /** Sends a message as JSON, or a Blob; false without a connection. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(message instanceof Blob ? message : JSON.stringify(message));
    return true;
  }

  #receive(socket, data) {
    this.#received = performance.now();
    if (data instanceof Blob) {
      const acknowledge = () => socket === this.#socket && this.send({ type: "ack" });
      this.#on.image(data, acknowledge);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "hello") {
      this.#delay = MIN_DELAY;
      this.#on.link({ is: "open" });
    }
    this.#on.message(message);
  }

  async #closed(code, reason) {
    const refused = await whyRefused();
    if (refused) this.#on.link({ is: "refused", why: refused });
    else if (code === TRY_AGAIN_LATER) this.#reconnect(reason || "Too many viewers.");
    else this.#reconnect("");
  }

  #reconnect(why) {
    let seconds = this.#delay * (0.8 + 0.4 * Math.random()); // so that not all clients come at once
    this.#delay = Math.min(2 * this.#delay, MAX_DELAY);
    const count = () => {
      if (seconds <= 0) return this.open();
      this.#on.link({ is: "lost", seconds: Math.ceil(seconds), why });
      seconds -= 0.5;
    };
    this.#timer = setInterval(count, 500);
    count();
  }

  /** Checks a silent connection: a machine that is switched off does not close it. */
  async #check() {
    const socket = this.#socket;
    if (this.#timer || performance.now() - this.#received < 1000 * SILENCE) return;
    if (await isReachable()) return;
    if (socket !== this.#socket || this.#timer) return;
    this.#socket = null;
    socket.close();
    this.#reconnect("");
  }

  #retryNow() {
    if (this.#timer) this.open();
  }
}

async function isReachable() {
  try {
    await fetch("/api/state", { cache: "no-store", signal: AbortSignal.timeout(1000 * SILENCE) });
    return true;
  } catch {
    return false;
  }
}

/** Asks by a plain request why a WebSocket was refused, since browsers do not tell. */
async function whyRefused() {
  try {
    const answer = await fetch("/api/state", { cache: "no-store" });
    return answer.status === 401 || answer.status === 403 ? (await answer.text()).trim() : "";
  } catch {
    return "";
  }
}

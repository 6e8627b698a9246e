/** Recording: as long as a button or a key from 1 to 9 is held. */

const RENEW = 700; // milliseconds; the server stops a recording that nobody renews

export class Recorder {
  #send;
  #order;
  #label = null;
  #holder = null; // the button that is held; null for a key
  #timer = 0;

  /** `order()` returns the names of the classes. */
  constructor(send, order) {
    this.#send = send;
    this.#order = order;
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("keyup", ({ key }) => isDigit(key) && this.#let(null));
    addEventListener("blur", () => this.release());
    document.addEventListener("visibilitychange", () => document.hidden && this.release());
  }

  hold(label, holder) {
    if (label === this.#label) return;
    this.release();
    this.#label = label;
    this.#holder = holder;
    this.#renew();
    this.#timer = setInterval(() => this.#renew(), RENEW);
  }

  release() {
    if (this.#label === null) return;
    this.refused();
    this.#send({ type: "stop" });
  }

  /** The server refused something: what is held is not recorded any more. */
  refused() {
    clearInterval(this.#timer);
    this.#label = null;
  }

  /** Lets `button` record the class that `label()` returns, with a pointer or the keyboard. */
  attach(button, label) {
    button.onpointerdown = (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.hold(label(), button);
    };
    button.onlostpointercapture = () => this.#let(button);
    button.oncontextmenu = (event) => event.preventDefault(); // a long press on a phone
    button.onkeydown = (event) => {
      if (!isPress(event)) return;
      event.preventDefault();
      this.hold(label(), button);
    };
    button.onkeyup = (event) => isPress(event) && this.#let(button);
    button.onblur = () => this.#let(button);
  }

  /** `holder` is held no more, which may not be what is recorded by now. */
  #let(holder) {
    if (holder === this.#holder) this.release();
  }

  #renew() {
    this.#send({ type: "record", label: this.#label });
  }

  #keyDown(event) {
    if (!isDigit(event.key) || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches?.("input, select, textarea") || document.querySelector("dialog[open]"))
      return;
    const label = this.#order()[Number(event.key) - 1];
    if (label !== undefined) this.hold(label, null);
  }
}

const isDigit = (key) => /^[1-9]$/.test(key);
const isPress = ({ key }) => key === " " || key === "Enter";

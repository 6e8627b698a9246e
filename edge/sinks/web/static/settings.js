/** Minimum score and class filter of the running stream. */

import { $, create, setText } from "./dom.js";

const MIN_INTERVAL_MS = 100; // between two messages while the slider moves
const OWN_MS = 600; // in which the slider ignores the server after its user moved it

export class Settings {
  #send;
  #timer = 0;
  #late = false; // the slider moved while the timer ran
  #moved = -OWN_MS;
  #labels = [];
  #chosen = new Set(); // empty: all classes are shown

  constructor(send) {
    this.#send = send;
    $("score-range").oninput = () => this.#move();
    $("classes-search").oninput = () => this.#search();
    $("classes-all").onclick = () => this.#choose(new Set());
    $("classes-list").onchange = ({ target }) => this.#toggle(target);
  }

  /** Fills the list of classes; `labels` is empty where there is no filter. */
  offer(labels) {
    const unique = [...new Set(labels)].sort((a, b) => a.localeCompare(b));
    if (unique.join("\n") === this.#labels.join("\n")) return;
    this.#labels = unique;
    $("classes-list").replaceChildren(...unique.map(option));
    this.#search();
  }

  show({ score, classes }) {
    $("score").hidden = score === null;
    $("classes").hidden = this.#labels.length === 0;
    $("settings").hidden = $("score").hidden && $("classes").hidden;
    if (score !== null && performance.now() - this.#moved > OWN_MS) this.#showScore(score);
    this.#showClasses(new Set(classes ?? []));
  }

  /** Changes the minimum score by a step of the keyboard. */
  nudge(by) {
    const range = $("score-range");
    if ($("score").hidden) return;
    range.valueAsNumber = Math.round(100 * (range.valueAsNumber + by)) / 100;
    this.#move();
  }

  #move() {
    const value = $("score-range").valueAsNumber;
    this.#moved = performance.now();
    this.#showScore(value);
    if (this.#timer) this.#late = true;
    else this.#sendScore();
  }

  #sendScore() {
    this.#late = false;
    this.#send({ type: "score", value: $("score-range").valueAsNumber });
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.#late) this.#sendScore();
    }, MIN_INTERVAL_MS);
  }

  #showScore(value) {
    const range = $("score-range");
    range.valueAsNumber = value;
    range.style.setProperty("--share", value);
    range.setAttribute("aria-valuetext", percent(value));
    setText($("score-value"), percent(value));
  }

  #toggle(box) {
    const chosen = new Set(this.#chosen);
    if (box.checked) chosen.add(box.value);
    else chosen.delete(box.value);
    this.#choose(chosen);
  }

  #choose(chosen) {
    this.#showClasses(chosen);
    this.#send({ type: "classes", value: chosen.size ? [...chosen] : null });
  }

  #showClasses(chosen) {
    this.#chosen = chosen;
    for (const box of $("classes-list").querySelectorAll("input")) {
      box.checked = chosen.has(box.value);
    }
    this.#raise(chosen);
    $("classes-all").disabled = chosen.size === 0;
    const count = `only ${chosen.size} of ${this.#labels.length}`;
    setText($("classes-count"), chosen.size ? count : "all shown");
  }

  /** Puts the chosen classes on top; a box keeps the focus. */
  #raise(chosen) {
    const list = $("classes-list");
    const order = [
      ...this.#labels.filter((label) => chosen.has(label)),
      ...this.#labels.filter((label) => !chosen.has(label)),
    ];
    const items = new Map([...list.children].map((item) => [item.textContent, item]));
    if (order.every((label, at) => list.children[at] === items.get(label))) return;
    const { activeElement } = document;
    list.append(...order.map((label) => items.get(label)));
    if (list.contains(activeElement)) activeElement.focus({ preventScroll: true });
  }

  #search() {
    const text = $("classes-search").value.trim().toLowerCase();
    let count = 0;
    for (const item of $("classes-list").children) {
      item.hidden = !item.textContent.toLowerCase().includes(text);
      count += !item.hidden;
    }
    $("classes-none").hidden = count > 0;
  }
}

function option(label) {
  const box = create("input");
  box.type = "checkbox";
  box.value = label;
  const line = create("label");
  line.append(box, create("span", label));
  const item = create("li");
  item.append(line);
  return item;
}

function percent(value) {
  return `${Math.round(100 * value)} %`;
}

/** Threshold and class filter, which act on the running stream. */

import { $, made, write } from "./dom.js";

const EVERY = 100; // least ms between two messages while the slider moves
const OWN = 600; // ms in which the slider heeds its own user rather than the server

export class Settings {
  #send;
  #timer = 0;
  #late = false; // the slider moved on while the timer ran
  #moved = -OWN;
  #labels = [];
  #chosen = new Set(); // empty: all classes are shown

  constructor(send) {
    this.#send = send;
    $("score-range").oninput = () => this.#move();
    $("classes-search").oninput = () => this.#search();
    $("classes-all").onclick = () => this.#choose(new Set());
    $("classes-list").onchange = ({ target }) => this.#toggle(target);
  }

  /** Makes the list of the classes; `labels` is empty where there are none to choose. */
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
    if (score !== null && performance.now() - this.#moved > OWN) this.#showScore(score);
    this.#showClasses(new Set(classes ?? []));
  }

  /** Moves the threshold by a step of the keyboard. */
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
    }, EVERY);
  }

  #showScore(value) {
    const range = $("score-range");
    range.valueAsNumber = value;
    range.style.setProperty("--share", value);
    range.setAttribute("aria-valuetext", percent(value));
    write($("score-value"), percent(value));
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
    $("classes-all").disabled = chosen.size === 0;
    const count = `only ${chosen.size} of ${this.#labels.length}`;
    write($("classes-count"), chosen.size ? count : "all shown");
  }

  #search() {
    const wanted = $("classes-search").value.trim().toLowerCase();
    let found = 0;
    for (const item of $("classes-list").children) {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
      found += !item.hidden;
    }
    $("classes-none").hidden = found > 0;
  }
}

function option(label) {
  const box = made("input");
  box.type = "checkbox";
  box.value = label;
  const line = made("label");
  line.append(box, made("span", label));
  const item = made("li");
  item.append(line);
  return item;
}

function percent(value) {
  return `${Math.round(100 * value)} %`;
}

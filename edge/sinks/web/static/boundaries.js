/** Lines and zones of the running stream: their counts, names, and options of the command line. */

import { $, copy, create, fillList, icon, setText } from "./dom.js";
import { Drawing } from "./drawing.js";

export class Boundaries {
  #send;
  #drawing;
  #list = []; // as the server knows them
  #added = ""; // name of a new one, whose name field gets the focus
  #edited = "";

  constructor(send) {
    this.#send = send;
    this.#drawing = new Drawing({
      drawn: (shape, pointer) => this.#add(shape, pointer === "mouse"),
      moved: ({ name, kind, points }) => this.#replace(name, { name, kind, points }),
      closed: () => this.#closed(),
    });
    for (const tool of ["line", "box", "polygon"]) {
      $(`draw-${tool}`).onclick = (event) => this.#start(tool, event.detail === 0);
    }
    $("options-copy").onclick = () => copy($("options"), $("options-copy"));
  }

  /** Takes the size of the frame, [width, height]. */
  fit(size) {
    this.#drawing.fit(size);
  }

  /** Takes what the server knows; null where the task counts no crossings. */
  show(list) {
    $("boundaries").hidden = list === null;
    this.#list = list ?? [];
    $("boundaries-none").hidden = this.#list.length > 0;
    $("boundaries-options").hidden = this.#list.length === 0;
    setText($("options"), this.#list.map(({ option }) => option).join(" "));
    const [make, fill] = [() => this.#makeRow(), (row, item) => this.#fill(row, item)];
    fillList($("boundaries-list"), this.#list, make, fill);
    this.restore();
    this.#welcome();
  }

  /** Shows the shapes as the server knows them: it may have refused a change. */
  restore() {
    this.#drawing.show(this.#list.map((item) => ({ ...item })));
  }

  /** Shows counts by name. */
  count(counts) {
    for (const row of $("boundaries-list").children) {
      const figures = Object.entries(counts[row.dataset.name] ?? {});
      fillList(row.lastElementChild, figures, makeFigure, fillFigure);
    }
  }

  #start(tool, byKeyboard) {
    if (byKeyboard) return this.#add(this.#drawing.usual(tool), false, true);
    this.#drawing.stop();
    this.#drawing.start(tool);
    $(`draw-${tool}`).setAttribute("aria-pressed", "true");
    document.activeElement.blur(); // so that Enter finishes, and does not press the button again
  }

  #add({ kind, points }, rename, edit = false) {
    const name = this.#freeName(kind);
    this.#added = rename ? name : "";
    this.#edited = edit ? name : "";
    this.#send({ type: "boundary", name: null, value: { kind, name, points } });
  }

  /** Lets the user name, or move by keyboard, what was just added. */
  #welcome() {
    const row = [...$("boundaries-list").children].find(({ dataset }) =>
      [this.#added, this.#edited].includes(dataset.name),
    );
    if (!row) return;
    if (this.#edited) this.#edit(this.#edited);
    else row.querySelector("input").select();
    this.#added = this.#edited = "";
  }

  #edit(name) {
    this.#drawing.edit(name);
    this.#mark(name);
  }

  #closed() {
    this.#mark("");
    for (const button of document.querySelectorAll("[id^=draw-]")) {
      if (button.getAttribute("aria-pressed") === "true") button.focus({ preventScroll: true });
      button.setAttribute("aria-pressed", "false");
    }
  }

  #mark(edited) {
    for (const row of $("boundaries-list").children) {
      const pressed = String(row.dataset.name === edited);
      row.querySelector(".edit").setAttribute("aria-pressed", pressed);
    }
  }

  #freeName(kind) {
    const taken = new Set(this.#list.map(({ name }) => name));
    let number = 1;
    while (taken.has(`${kind} ${number}`)) number += 1;
    return `${kind} ${number}`;
  }

  #item(name) {
    return this.#list.find((item) => item.name === name);
  }

  #replace(name, value) {
    this.#send({ type: "boundary", name, value });
  }

  /** Sends another name; the field shows the old one until the server agrees. */
  #rename(row, input) {
    const { name } = row.dataset;
    const other = input.value.trim();
    const { kind, points } = this.#item(name);
    input.value = name;
    if (!other || other === name) return;
    this.#drawing.stop();
    this.#replace(name, { kind, points, name: other });
  }

  #swap(name) {
    const { kind, points } = this.#item(name);
    this.#drawing.stop();
    this.#replace(name, { kind, name, points: points.toReversed() });
  }

  #remove(name) {
    this.#drawing.stop();
    this.#replace(name, null);
    $("draw-line").focus({ preventScroll: true });
  }

  #makeRow() {
    const row = create("li");
    const input = create("input");
    Object.assign(input, { type: "text", maxLength: 40, autocomplete: "off", spellcheck: false });
    input.onchange = () => this.#rename(row, input);
    input.onkeydown = ({ key }) => {
      if (key === "Escape") input.value = row.dataset.name;
      if (key === "Escape" || key === "Enter") input.blur();
    };
    const swap = icon("swap", "swap", () => this.#swap(row.dataset.name));
    const edit = icon("edit", "edit", () => {
      const done = edit.getAttribute("aria-pressed") === "true";
      if (done) this.#drawing.stop();
      else this.#edit(row.dataset.name);
    });
    const remove = icon("remove", "remove", () => this.#remove(row.dataset.name));
    row.append(input, swap, edit, remove, create("p"));
    return row;
  }

  #fill(row, { kind, name }) {
    const [input, swap, edit, remove] = row.children;
    row.dataset.name = name;
    if (document.activeElement !== input || input.defaultValue !== name) input.value = name;
    input.defaultValue = name;
    input.setAttribute("aria-label", `Name of ${kind} ${name}`);
    swap.hidden = kind !== "line";
    label(swap, `Swap in and out of ${name}`);
    label(edit, `Move ${name}`);
    label(remove, `Remove ${name}`);
  }
}

function label(button, text) {
  button.title = text;
  button.setAttribute("aria-label", text);
}

function makeFigure() {
  const figure = create("span");
  figure.append(create("b"), create("span"));
  return figure;
}

function fillFigure(figure, [word, number]) {
  setText(figure.firstElementChild, String(number));
  setText(figure.lastElementChild, word);
}

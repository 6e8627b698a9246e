/** Cards of the classes: name, images, recording, accuracy. */

import { color } from "/static/colors.js";
import { $, create, icon, setText } from "/static/dom.js";
import { notice } from "/static/shell.js";
import { acceptDrops, upload } from "./uploads.js";
import { address } from "./viewer.js";

const GOOD = 0.9;
const FAIR = 0.8; // share of images recognized below which a class is poor

export class Cards {
  #tools;
  #cards = new Map(); // name of the class → Card
  #order = [];

  /** `tools`: `{send, recorder, viewer}`. */
  constructor(tools) {
    this.#tools = tools;
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      notice("Drop images on the card of a class.");
    });
    addEventListener("pointerdown", ({ target }) => closeMenus(target));
  }

  /** Another connection sends all cards anew. */
  forget() {
    for (const card of this.#cards.values()) card.element.remove();
    this.#cards.clear();
  }

  /** Shows the classes in `order`; `cards` are those that have changed. */
  show({ order, cards, recording }) {
    this.#order = order;
    for (const [label, card] of this.#cards) {
      if (order.includes(label)) continue;
      card.element.remove();
      this.#cards.delete(label);
    }
    for (const content of cards) {
      if (!this.#cards.has(content.label)) this.#cards.set(content.label, this.#make(content.label));
      this.#cards.get(content.label).show(content);
    }
    order.forEach((label, index) => {
      const card = this.#cards.get(label);
      card.place(index, label === recording);
      if ($("cards").children[index] !== card.element)
        $("cards").insertBefore(card.element, $("cards").children[index] ?? null);
    });
  }

  /** Names that the server refused become what they were. */
  restore() {
    for (const card of this.#cards.values()) card.restore();
  }

  #make(label) {
    const move = (step) => {
      const order = [...this.#order];
      const index = order.indexOf(label);
      order.splice(index, 1);
      order.splice(index + step, 0, label);
      this.#tools.send({ type: "reorder", labels: order });
    };
    return new Card(label, this.#tools, move);
  }
}

class Card {
  #label;
  #tools;
  #parts = {};
  #all = false; // all images are shown
  #count = 0;

  /** `move(step)` moves the class by so many places. */
  constructor(label, tools, move) {
    this.#label = label;
    this.#tools = tools;
    this.element = create("li", "", "card class");
    this.element.append(
      this.#head(move),
      this.#actions(),
      this.#judged(),
      this.#files(),
      this.#images(),
    );
    acceptDrops(this.element, (files) => this.#add(files));
  }

  show({ count, images, tested, correct, hint }) {
    const { count: counted, accuracy, share, hint: advice } = this.#parts;
    setText(counted, count === 1 ? "1 image" : `${count} images`);
    accuracy.hidden = tested === 0;
    accuracy.dataset.is = correct >= GOOD * tested ? "good" : correct >= FAIR * tested ? "fair" : "poor";
    accuracy.querySelector(".bar").style.setProperty("--share", tested ? correct / tested : 0);
    setText(share, `${correct} of ${tested} right`);
    advice.hidden = !hint;
    setText(advice, hint);
    this.#count = count;
    if (this.#all && count > images.length) this.#loadAll();
    else this.#fill(images);
  }

  /** Gives the card its number, from 0, and marks it while it is recorded. */
  place(index, recording) {
    const { key, dot, record } = this.#parts;
    setText(key, index < 9 ? String(index + 1) : "");
    key.hidden = index >= 9;
    dot.style.background = color(index);
    this.element.classList.toggle("recording", recording);
    setText(record, recording ? "Recording" : "Hold to record");
  }

  restore() {
    this.#parts.name.value = this.#label;
  }

  #head(move) {
    const head = create("div", "", "head");
    const dot = create("span", "", "dot");
    const name = create("input", "", "name");
    Object.assign(name, { type: "text", value: this.#label, maxLength: 80, spellcheck: false });
    name.title = this.#label;
    name.setAttribute("aria-label", `Name of ${this.#label}`);
    name.onkeydown = ({ key }) => {
      if (key === "Escape") this.restore();
      if (key === "Enter" || key === "Escape") name.blur();
    };
    name.onblur = () => this.#rename(name.value.trim());
    const count = create("span", "", "count");
    Object.assign(this.#parts, { dot, name, count });
    head.append(dot, name, count, this.#menu(move));
    return head;
  }

  #menu(move) {
    const menu = create("details", "", "menu");
    const summary = create("summary");
    summary.setAttribute("aria-label", `More for ${this.#label}`);
    summary.append(icon("more", "", null).firstElementChild);
    const list = create("div");
    const entries = [
      ["Move earlier", "", () => move(-1)],
      ["Move later", "", () => move(1)],
      ["Remove class", "bad", () => this.#removeClass()],
    ];
    for (const [text, kind, action] of entries) {
      const button = create("button", text, kind);
      button.type = "button";
      button.onclick = () => {
        menu.open = false;
        action();
      };
      list.append(button);
    }
    menu.append(summary, list);
    return menu;
  }

  #actions() {
    const actions = create("div", "", "actions");
    const button = create("button", "", "main record");
    button.type = "button";
    const record = create("span", "Hold to record");
    const key = create("kbd");
    const label = create("span", ` ${this.#label}`, "unseen");
    button.append(icon("record", "", null).firstElementChild, record, label, key);
    this.#tools.recorder.attach(button, () => this.#label);
    const chosen = create("input");
    Object.assign(chosen, { type: "file", multiple: true, accept: "image/*", hidden: true });
    chosen.onchange = () => {
      this.#add([...chosen.files]);
      chosen.value = "";
    };
    const files = create("button", "", "files");
    files.type = "button";
    files.title = "Add image files, or drop them on this card";
    files.setAttribute("aria-label", `Add image files to ${this.#label}`);
    files.append(icon("files", "", null).firstElementChild, create("span", "Files"));
    files.onclick = () => chosen.click();
    Object.assign(this.#parts, { record, key });
    actions.append(button, files, chosen);
    return actions;
  }

  #judged() {
    const judged = create("div", "", "judged");
    const accuracy = create("p", "", "accuracy");
    const bar = create("span", "", "bar");
    bar.append(create("span"));
    const share = create("span", "", "quiet");
    accuracy.title = "Each image was classified by a model that had not seen it";
    accuracy.append(bar, share);
    accuracy.hidden = true;
    const hint = create("p", "", "hint");
    Object.assign(this.#parts, { accuracy, share, hint });
    judged.append(accuracy, hint);
    return judged;
  }

  #files() {
    const files = create("div");
    const adding = create("p", "", "adding quiet");
    adding.hidden = true;
    const refused = create("div", "", "refused");
    refused.hidden = true;
    const list = create("ul");
    const close = create("button", "Close");
    close.type = "button";
    close.onclick = () => {
      refused.hidden = true;
    };
    refused.append(list, close);
    Object.assign(this.#parts, { adding, refused, list });
    files.append(adding, refused);
    return files;
  }

  #images() {
    const images = create("div");
    const thumbs = create("ul", "", "thumbs");
    const more = create("button", "", "more");
    more.type = "button";
    more.hidden = true;
    more.onclick = () => {
      this.#all = !this.#all;
      this.#loadAll();
    };
    Object.assign(this.#parts, { thumbs, more });
    images.append(thumbs, more);
    return images;
  }

  async #loadAll() {
    const answer = await fetch(`/api/images?${new URLSearchParams({ label: this.#label })}`);
    if (!answer.ok) return;
    const images = await answer.json();
    this.#fill(this.#all ? images : images.slice(0, 30));
  }

  /** Shows images, pairs of name and version; those that are shown already stay. */
  #fill(images) {
    const { thumbs, more } = this.#parts;
    const shown = new Map([...thumbs.children].map((each) => [each.dataset.key, each]));
    const wanted = images.map((each) => shown.get(each.join("/")) ?? this.#thumb(each));
    thumbs.replaceChildren(...wanted);
    thumbs.classList.toggle("all", this.#all);
    thumbs.hidden = !images.length;
    more.hidden = this.#count <= 30;
    setText(more, this.#all ? "Only the newest" : `All ${this.#count}`);
  }

  #thumb(each) {
    const [name, version] = each;
    const item = create("li");
    item.dataset.key = each.join("/");
    const open = create("button", "", "open");
    open.type = "button";
    open.setAttribute("aria-label", `Image ${name} of ${this.#label}`);
    const image = create("img");
    image.loading = "lazy";
    image.alt = "";
    image.src = address(this.#label, name, version, "thumbnail");
    open.append(image);
    open.onclick = () => this.#tools.viewer.open(this.#label, each);
    const remove = icon("remove", "remove", () => this.#tools.viewer.remove(this.#label, name));
    remove.setAttribute("aria-label", `Delete image ${name}`);
    item.append(open, remove);
    return item;
  }

  async #add(files) {
    const { adding, refused, list } = this.#parts;
    refused.hidden = true;
    list.replaceChildren();
    const progress = (done, all) => {
      adding.hidden = done === all;
      setText(adding, `Adding ${done + 1} of ${all}`);
    };
    await upload(files, this.#label, progress, (text) => {
      list.append(create("li", text));
      refused.hidden = false;
    });
  }

  #rename(name) {
    if (name === this.#label) return;
    if (!name || !this.#tools.send({ type: "rename", label: this.#label, new: name })) this.restore();
  }

  #removeClass() {
    if (this.#tools.send({ type: "remove-class", label: this.#label }))
      notice(`Removed ${this.#label}. Undo brings it back.`);
  }
}

function closeMenus(target) {
  for (const menu of document.querySelectorAll(".menu[open]"))
    if (!menu.contains(target)) menu.open = false;
}

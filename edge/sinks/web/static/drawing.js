/** Drawing of lines and zones over the image, with mouse, finger or keyboard. */

import { $, setText } from "./dom.js";
import { Overlay } from "./overlay.js";

const NEAR = { touch: 24, mouse: 12, pen: 14 }; // CSS pixels within which a point is hit
const MIN_LENGTH = 12; // CSS pixels from which a drag is a line
const MAX_CORNERS = 24;
const SAVE_AFTER = 400; // ms after the last press of an arrow key

const HINTS = {
  line: "Drag from one end of the line to the other.",
  box: "Drag from one corner of the rectangle to the opposite one.",
  polygon: "Tap or click each corner, and the first one again to finish.",
};

/**
 * Shapes are `{kind: "line" | "zone", name, points: [[x, y], …]}`, in pixels of the frame.
 * `drawn({kind, points}, pointer)` gets a new shape and the type of its pointer, `moved(shape)` a
 * shape that was changed, `closed()` is called when drawing or editing ends.
 */
export class Drawing {
  #on;
  #overlay = new Overlay();
  #shapes = [];
  #tool = null;
  #points = []; // of the shape that is being drawn
  #cursor = null;
  #pressed = null; // pointer that is down: {id, type}
  #edited = ""; // name of the shape with handles
  #grip = null; // what the pointer moves: {index, from, points}, index null for all points
  #timer = 0;

  constructor(on) {
    this.#on = on;
    Object.assign(this.#overlay.svg, this.#handlers());
    $("drawing-done").onclick = () => this.#finish();
    $("drawing-cancel").onclick = () => this.stop();
    addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#render()).observe(this.#overlay.svg);
  }

  get active() {
    return this.#tool !== null || this.#edited !== "";
  }

  /** Takes the size of the frame. */
  fit(size) {
    if (this.#overlay.fit(size)) this.#render();
  }

  show(shapes) {
    this.#shapes = shapes;
    if (this.#edited && !this.#shape()) this.stop();
    else if (!this.#grip && !this.#timer) this.#render();
  }

  /** Starts to draw with a tool: "line", "box" or "polygon". */
  start(tool) {
    this.#reset();
    this.#tool = tool;
    this.#open(HINTS[tool]);
  }

  /** A shape of usual size in the middle of the frame, for the keyboard. */
  usual(tool) {
    const [[left, right], [top, bottom]] = this.#overlay.size.map((side) => [
      Math.round(side / 4),
      Math.round((3 * side) / 4),
    ]);
    const middle = Math.round(this.#overlay.size[1] / 2);
    if (tool === "line") return { kind: "line", points: [[left, middle], [right, middle]] };
    return { kind: "zone", points: rectangle([left, top], [right, bottom]) };
  }

  /** Shows handles of a shape, the first of which gets the focus. */
  edit(name) {
    this.#reset();
    this.#edited = name;
    this.#open("Move the points, or the whole shape.");
    this.#overlay.svg.querySelector(".handle").focus({ preventScroll: true });
  }

  stop() {
    const was = this.active;
    this.#reset();
    this.#render();
    if (was) this.#on.closed();
  }

  #reset() {
    this.#save();
    this.#tool = this.#cursor = this.#pressed = this.#grip = null;
    this.#points = [];
    this.#edited = "";
  }

  #open(hint) {
    setText($("drawing-text"), hint);
    this.#render();
    $("stage").scrollIntoView({ block: "nearest" });
  }

  #shape() {
    return this.#shapes.find(({ name }) => name === this.#edited);
  }

  #handlers() {
    return {
      onpointerdown: (event) => this.#down(event),
      onpointermove: (event) => this.#move(event),
      onpointerup: (event) => this.#up(event),
      onpointercancel: () => this.#drop(),
    };
  }

  #down(event) {
    if (!this.active || this.#pressed || event.button !== 0) return;
    event.preventDefault();
    this.#overlay.svg.setPointerCapture(event.pointerId);
    const at = this.#overlay.locate(event);
    this.#pressed = { id: event.pointerId, type: event.pointerType };
    if (this.#edited) this.#grip = this.#gripAt(at, event.pointerType);
    else if (this.#tool !== "polygon" && this.#points.length === 0) this.#points = [at];
    this.#cursor = at;
    this.#render();
  }

  #move(event) {
    if (!this.active || (this.#pressed && event.pointerId !== this.#pressed.id)) return;
    this.#cursor = this.#overlay.locate(event);
    if (this.#grip) this.#drag();
    this.#render();
  }

  #up(event) {
    if (event.pointerId !== this.#pressed?.id) return;
    const { type } = this.#pressed;
    this.#cursor = this.#overlay.locate(event);
    this.#pressed = null;
    if (this.#edited) this.#release();
    else if (this.#tool === "polygon") this.#corner(type);
    else if (this.#overlay.apart(this.#points[0], this.#cursor) >= MIN_LENGTH) this.#finish(type);
    this.#render();
  }

  /** The system took the pointer, for instance for a gesture. */
  #drop() {
    this.#pressed = this.#grip = null;
    if (this.#tool !== "polygon") this.#points = [];
    this.#render();
  }

  #corner(type) {
    const at = this.#cursor;
    const known = this.#points;
    const near = NEAR[type] ?? NEAR.mouse;
    const closes = known.length >= 3 && this.#overlay.apart(known[0], at) < near;
    if (closes || known.length + 1 > MAX_CORNERS) this.#finish(type);
    else if (!known.length || this.#overlay.apart(known.at(-1), at) >= near / 2) known.push(at);
    else if (known.length >= 3) this.#finish(type); // a double click
  }

  #finish(type = "") {
    if (this.#edited) return this.stop();
    const shape = this.#drawn();
    if (!shape) return;
    this.#reset();
    this.#render();
    this.#on.closed();
    this.#on.drawn(shape, type);
  }

  /** The shape as it would be with the points so far; null where these are too few. */
  #drawn() {
    if (this.#tool === "polygon") {
      return this.#points.length < 3 ? null : { kind: "zone", points: this.#points };
    }
    if (!this.#points.length || !this.#cursor) return null;
    const ends = [this.#points[0], this.#cursor];
    if (this.#tool === "line") return { kind: "line", points: ends };
    return { kind: "zone", points: rectangle(...ends) };
  }

  #gripAt(at, type) {
    const points = this.#shape().points;
    const near = NEAR[type] ?? NEAR.mouse;
    const index = points.findIndex((point) => this.#overlay.apart(point, at) < near);
    return { index: index < 0 ? null : index, from: at, points };
  }

  #drag() {
    const { index, from, points } = this.#grip;
    const by = this.#within(points.filter((_, at) => index === null || at === index), from);
    const moved = points.map((point, at) =>
      index === null || at === index ? [point[0] + by[0], point[1] + by[1]] : point,
    );
    this.#shape().points = moved;
  }

  /** The way of the pointer, shortened so that the points stay in the frame. */
  #within(points, from) {
    return [0, 1].map((axis) => {
      const values = points.map((point) => point[axis]);
      const way = this.#cursor[axis] - from[axis];
      const [least, most] = [-Math.min(...values), this.#overlay.size[axis] - Math.max(...values)];
      return Math.min(Math.max(way, least), most);
    });
  }

  #release() {
    const moved = this.#grip && this.#overlay.apart(this.#grip.from, this.#cursor) > 0;
    this.#grip = null;
    if (moved) this.#on.moved(this.#shape());
  }

  #key(event) {
    if (!this.active || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Escape") this.stop();
    else if (event.key === "Enter" && !event.target.closest("button, input")) this.#finish();
    else if (event.key in step && event.target.matches?.(".handle")) this.#nudge(event, step);
    else return;
    event.preventDefault();
  }

  #nudge(event, step) {
    const length = event.shiftKey ? 1 : Math.max(1, Math.round(this.#overlay.size[0] / 100));
    const index = Number(event.target.dataset.index);
    const by = step[event.key];
    const shape = this.#shape();
    const moved = shape.points[index].map((value, axis) => value + length * by[axis]);
    shape.points = shape.points.with(index, this.#overlay.clamp(moved));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SAVE_AFTER);
    this.#render();
  }

  #save() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#shape()) this.#on.moved(this.#shape());
  }

  #render() {
    const polygon = this.#tool === "polygon";
    $("stage").classList.toggle("drawing", this.active);
    $("drawing").hidden = !this.active;
    $("drawing-done").hidden = !(this.#edited || (polygon && this.#points.length >= 3));
    $("drawing-cancel").hidden = this.#edited !== "";
    this.#overlay.render({
      shapes: this.#shapes,
      edited: this.#edited,
      sketch: this.#tool && !polygon ? this.#drawn() : null,
      corners: { points: polygon ? this.#points : [], cursor: this.#cursor },
    });
  }
}

function rectangle([x1, y1], [x2, y2]) {
  const [left, right] = [Math.min(x1, x2), Math.max(x1, x2)];
  const [top, bottom] = [Math.min(y1, y2), Math.max(y1, y2)];
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
}

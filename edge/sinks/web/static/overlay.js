/** Picture of lines and zones over the image, in pixels of the frame. */

import { $ } from "./dom.js";

export class Overlay {
  svg = $("overlay");
  size = [640, 480];

  /** Takes the size of the frame; true if it is another one. */
  fit([width, height]) {
    if (width === this.size[0] && height === this.size[1]) return false;
    this.size = [width, height];
    return true;
  }

  /** Pixels of the frame per CSS pixel. */
  get unit() {
    return 1 / (this.svg.getScreenCTM()?.a || 1);
  }

  /** Distance of two points in CSS pixels. */
  apart([x1, y1], [x2, y2]) {
    return Math.hypot(x2 - x1, y2 - y1) / this.unit;
  }

  /** The point of the frame under a pointer. */
  locate({ clientX, clientY }) {
    const matrix = this.svg.getScreenCTM().inverse();
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(matrix);
    return this.clamp([x, y]);
  }

  clamp(point) {
    return point.map((value, axis) => Math.round(Math.min(Math.max(value, 0), this.size[axis])));
  }

  /**
   * Shows `shapes`, with handles for the one called `edited`; `sketch`: the shape that is being
   * drawn, or null; `corners`: the points so far of a polygon, and where the pointer is.
   */
  render({ shapes, edited, sketch, corners }) {
    const focused = document.activeElement.closest("#overlay .handle")?.dataset.index;
    this.svg.setAttribute("viewBox", `0 0 ${this.size.join(" ")}`);
    this.svg.replaceChildren(
      ...shapes.flatMap((shape) => this.#outline(shape, shape.name === edited, true)),
      ...(sketch ? this.#outline(sketch, true, false) : []),
      ...this.#path(corners),
      ...this.#handles(shapes.find(({ name }) => name === edited)),
    );
    const handle = focused && this.svg.querySelector(`[data-index="${focused}"]`);
    handle?.focus({ preventScroll: true });
  }

  #outline({ kind, points }, edited, known) {
    const closed = kind === "zone";
    const outline = draw(closed ? "polygon" : "polyline", { points: points.join(" ") });
    outline.classList.toggle("edited", edited);
    const arrow = closed ? [] : this.#arrow(points);
    for (const part of arrow) part.classList.toggle("known", known && !edited);
    return [outline, ...arrow];
  }

  /** An arrow to the side of a line that is "in": the right-hand one. */
  #arrow([[x1, y1], [x2, y2]]) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    if (length === 0) return [];
    const size = this.unit;
    const [dx, dy] = [(y1 - y2) / length, (x2 - x1) / length].map((value) => value * size);
    const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const at = (out, side) => [x + out * dx + side * dy, y + out * dy - side * dx];
    const arrow = [at(0, 0), at(22, 0), at(15, 6), at(22, 0), at(15, -6)];
    const [tx, ty] = at(34, 0);
    const text = draw("text", { x: tx, y: ty, "font-size": 13 * size, class: "side" });
    text.textContent = "in";
    return [draw("polyline", { points: arrow.join(" ") }), text];
  }

  #path({ points, cursor }) {
    if (!points.length) return [];
    const way = cursor ? [...points, cursor] : points;
    const knob = { r: 6 * this.unit, class: "knob" };
    const knobs = points.map(([cx, cy]) => draw("circle", { cx, cy, ...knob }));
    return [draw("polyline", { points: way.join(" "), class: "edited" }), ...knobs];
  }

  #handles(shape) {
    if (!shape) return [];
    return shape.points.map(([cx, cy], index) => {
      const label = `${shape.name}, point ${index + 1}: ${cx}, ${cy}. Arrow keys move it.`;
      const known = { cx, cy, r: 9 * this.unit, class: "handle", tabindex: 0, role: "button" };
      return draw("circle", { ...known, "aria-label": label, "data-index": index });
    });
  }
}

function draw(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

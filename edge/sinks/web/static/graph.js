/** Statistics of the last two minutes: a tile for each value, with its curve. */

import { $, setText } from "./dom.js";

const SPAN = 120; // seconds, with statistics for each
const HEADROOM = 1.15;

export class Graph {
  #tiles = [...document.querySelectorAll(".tile")];
  #figures = []; // as sent by the server, oldest first
  #cursor = null; // index in #figures that is read, or null for the newest

  constructor() {
    const graph = $("graph");
    graph.addEventListener("pointermove", (event) => this.#point(event));
    graph.addEventListener("pointerleave", () => this.#read(null));
    graph.addEventListener("blur", () => this.#read(null));
    graph.addEventListener("keydown", (event) => this.#step(event));
    const resized = new ResizeObserver(() => this.draw());
    for (const tile of this.#tiles) resized.observe(tile);
  }

  clear() {
    this.#figures = [];
    this.#read(null);
  }

  add(figures) {
    this.#figures.push(figures);
    if (this.#figures.length > SPAN) {
      this.#figures.shift();
      if (this.#cursor > 0) this.#cursor -= 1;
    }
    this.draw();
  }

  draw() {
    const last = this.#figures.length - 1;
    const index = this.#cursor ?? last;
    const read = this.#figures[index];
    for (const tile of this.#tiles) {
      const key = tile.dataset.key;
      setText(tile.querySelector("b"), read ? format(read[key]) : "–");
      this.#curve(tile.querySelector("canvas"), key);
      setText(tile.querySelector(".peak"), read ? `max ${format(this.#max(key))}` : "");
    }
    setText($("facts"), read ? facts(read, last - index) : "");
  }

  #curve(canvas, key) {
    const ratio = devicePixelRatio;
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const values = this.#figures.map((figures) => figures[key]);
    if (!values.length) return;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
    const limit = HEADROOM * this.#max(key) || 1;
    const points = values.map((value, index) => ({
      x: width * this.#across(index),
      y: (height - 3) * (1 - value / limit) + 1,
    }));
    trace(context, points, height);
    const read = points[this.#cursor];
    if (read) mark(context, read, height);
  }

  #max(key) {
    return Math.max(...this.#figures.map((figures) => figures[key]));
  }

  /** Horizontal position from 0, the left edge, to 1, the newest. */
  #across(index) {
    return (index - this.#figures.length + SPAN) / (SPAN - 1);
  }

  #point(event) {
    const canvas = event.target.closest(".tile")?.querySelector("canvas");
    const last = this.#figures.length - 1;
    if (!canvas || last < 0) return this.#read(null);
    const { left, width } = canvas.getBoundingClientRect();
    const back = Math.round((1 - (event.clientX - left) / width) * (SPAN - 1));
    return this.#read(Math.min(Math.max(last - back, 0), last));
  }

  #step(event) {
    const last = this.#figures.length - 1;
    const from = this.#cursor ?? last;
    const targets = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last };
    if (!(event.key in targets) || last < 0) return;
    event.preventDefault();
    this.#read(Math.min(Math.max(targets[event.key], 0), last));
    setText($("spoken"), spoken(this.#figures[this.#cursor], last - this.#cursor));
  }

  #read(index) {
    if (index === this.#cursor) return;
    this.#cursor = index;
    this.draw();
  }
}

function format(value) {
  return value.toFixed(value < 1 ? 2 : value < 100 ? 1 : 0);
}

/** For screen readers, which do not see the tiles change. */
function spoken(figures, ago) {
  const keys = ["fps", "invoke_ms", "latency_ms"];
  const [speed, model, latency] = keys.map((key) => format(figures[key]));
  return `${when(ago)}: ${speed} fps, model ${model} ms, latency ${latency} ms`;
}

function when(ago) {
  return ago ? `${ago} s ago` : "now";
}

function facts(read, ago) {
  const parts = [
    when(ago),
    read.delegate,
    `${read.dropped} dropped`,
    read.clients === 1 ? "1 viewer" : `${read.clients} viewers`,
  ];
  if (read.temperature_c !== null) parts.push(`${Math.round(read.temperature_c)} °C`);
  return parts.join(" · ");
}

function trace(context, points, height) {
  const first = points[0];
  const last = points.at(-1);
  context.beginPath();
  for (const { x, y } of points) context.lineTo(x, y);
  context.lineWidth = 1.75;
  context.lineJoin = "round";
  context.stroke();
  context.lineTo(last.x, height);
  context.lineTo(first.x, height);
  context.globalAlpha = 0.13;
  context.fill();
  context.globalAlpha = 1;
}

function mark(context, { x, y }, height) {
  context.globalAlpha = 0.5;
  context.fillRect(x - 0.5, 0, 1, height);
  context.globalAlpha = 1;
  context.beginPath();
  context.arc(x, y, 3, 0, 2 * Math.PI);
  context.fill();
}

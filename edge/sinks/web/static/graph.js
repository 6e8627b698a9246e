/** The statistics of the last two minutes: a tile for each figure, with its curve. */

import { $, write } from "./dom.js";

const SPAN = 120; // seconds
const GAP = 3; // seconds without figures, after which a curve begins anew
const HEADROOM = 1.15;

export class Graph {
  #tiles = [...document.querySelectorAll(".tile")];
  #figures = []; // as the server sends them, oldest first
  #cursor = null; // place in #figures that is read, or null for the newest

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
    const oldest = figures.time_s - SPAN;
    const gone = this.#figures.findIndex(({ time_s: time }) => time >= oldest);
    this.#figures.splice(0, gone);
    if (this.#cursor !== null) this.#cursor = Math.max(0, this.#cursor - gone);
    this.draw();
  }

  draw() {
    const newest = this.#figures.at(-1);
    const read = this.#figures[this.#cursor] ?? newest;
    for (const tile of this.#tiles) {
      const key = tile.dataset.key;
      write(tile.querySelector("b"), read ? worded(read[key]) : "–");
      this.#curve(tile.querySelector("canvas"), key);
      write(tile.querySelector(".peak"), newest ? `max ${worded(this.#most(key))}` : "");
    }
    write($("facts"), read ? facts(read, newest) : "");
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
    const most = HEADROOM * this.#most(key) || 1;
    const points = this.#figures.map(({ time_s: time }, place) => ({
      time,
      x: width * this.#across(time),
      y: (height - 3) * (1 - values[place] / most) + 1,
    }));
    for (const part of unbroken(points)) trace(context, part, height);
    const read = points[this.#cursor];
    if (read) mark(context, read, height);
  }

  #most(key) {
    return Math.max(...this.#figures.map((figures) => figures[key]));
  }

  /** Where a time is between the left edge, 0, and the newest figures, 1. */
  #across(time) {
    return (time - this.#figures.at(-1).time_s + SPAN) / SPAN;
  }

  #point(event) {
    const canvas = event.target.closest(".tile")?.querySelector("canvas");
    if (!canvas || !this.#figures.length) return this.#read(null);
    const { left, width } = canvas.getBoundingClientRect();
    const wanted = (event.clientX - left) / width;
    const off = this.#figures.map(({ time_s: time }) => Math.abs(this.#across(time) - wanted));
    return this.#read(off.indexOf(Math.min(...off)));
  }

  #step(event) {
    const last = this.#figures.length - 1;
    const from = this.#cursor ?? last;
    const places = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last };
    if (!(event.key in places) || last < 0) return;
    event.preventDefault();
    this.#read(Math.min(Math.max(places[event.key], 0), last));
    write($("spoken"), spoken(this.#figures[this.#cursor], this.#figures[last]));
  }

  #read(place) {
    if (place === this.#cursor) return;
    this.#cursor = place;
    this.draw();
  }
}

function worded(value) {
  return value.toFixed(value < 100 ? 1 : 0);
}

function when(read, newest) {
  return read === newest ? "now" : `${Math.round(newest.time_s - read.time_s)} s ago`;
}

/** For screen readers, which do not see the tiles change. */
function spoken(read, newest) {
  const [speed, model, latency] = [read.fps, read.invoke_ms, read.latency_ms].map(worded);
  return `${when(read, newest)}: ${speed} fps, model ${model} ms, latency ${latency} ms`;
}

function facts(read, newest) {
  const parts = [
    when(read, newest),
    read.delegate,
    `${read.dropped} dropped`,
    read.clients === 1 ? "1 viewer" : `${read.clients} viewers`,
  ];
  if (read.temperature_c !== null) parts.push(`${Math.round(read.temperature_c)} °C`);
  return parts.join(" · ");
}

function unbroken(points) {
  const parts = [];
  let last = -Infinity;
  for (const point of points) {
    if (point.time - last > GAP) parts.push([]);
    parts.at(-1).push(point);
    last = point.time;
  }
  return parts;
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

/** Puts the page together: what the server says goes to the views, what the user does to it. */

import { Camera } from "./camera.js";
import { Connection } from "./connection.js";
import { Controls, turnFullScreen, turnTheme } from "./controls.js";
import { $, download, made, write } from "./dom.js";
import { showEvents } from "./events.js";
import { Graph } from "./graph.js";
import { listen, turnHelp } from "./keys.js";
import { LiveImage } from "./image.js";
import { showResult } from "./results.js";
import { Settings } from "./settings.js";
import { showStage } from "./stage.js";

const NOTICE = 8000; // ms
const MOST_NOTICES = 3;

const connection = new Connection({ link, message, image: show });
const send = (what) => connection.send(what);
const image = new LiveImage($("image"));
const graph = new Graph();
const controls = new Controls(send);
const settings = new Settings(send);
const camera = new Camera(send, refresh, notice);
const state = { link: { is: "connecting" }, paused: false, ended: "", camera: false };

const MESSAGES = {
  hello(hello) {
    state.ended = "";
    state.camera = hello.camera;
    image.expect();
    camera.taken();
    graph.clear();
    introduce(hello);
    settings.offer(hello.labels);
    change(hello);
  },
  state: change,
  result(result) {
    showResult(result);
    showEvents(result.events);
  },
  stats: (figures) => graph.add(figures),
  snapshot: ({ url }) => download(url),
  error({ message: words, code }) {
    notice(words, code);
    camera.refused();
  },
  end({ message: words }) {
    state.ended = words;
    camera.stop();
  },
  "camera-ack": () => camera.taken(),
};

function message(said) {
  MESSAGES[said.type]?.(said);
}

function link(now) {
  state.link = now;
  controls.enable(now.is === "open");
  refresh();
}

function change(said) {
  state.paused = said.paused;
  if (!said.paused) image.expect();
  controls.show(said);
  settings.show(said.settings);
  refresh();
}

async function show(blob, acknowledge) {
  await image.show(blob, acknowledge);
  refresh();
}

function refresh() {
  const { allowed, running } = camera;
  showStage({ ...state, allowed, running, image });
  $("camera").hidden = !state.camera || (allowed && !running);
  $("camera-on").hidden = !running;
  $("camera-refused").hidden = allowed;
}

function introduce({ task, model, source }) {
  write($("task"), task);
  write($("model"), model);
  write($("source"), source.includes("://") ? source : source.replace(/.*\/(?=.)/, ""));
  document.title = `${task} · ${model}`;
}

function notice(words, code = "") {
  const shown = made("p", words, "notice");
  shown.dataset.code = code;
  $("notices").append(shown);
  if ($("notices").children.length > MOST_NOTICES) $("notices").firstElementChild.remove();
  setTimeout(() => shown.remove(), NOTICE);
}

$("veil-button").onclick = () => {
  if ($("stage").dataset.is === "camera") camera.start();
  else connection.open();
};
$("theme").onclick = () => {
  turnTheme();
  graph.draw();
};
$("full").onclick = turnFullScreen;
$("full").hidden = !document.fullscreenEnabled;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => graph.draw());

listen([
  [[" "], "Pause or resume", () => controls.pause()],
  [["s"], "Take a snapshot", () => controls.snapshot()],
  [["r"], "Record, or stop recording", () => controls.record()],
  [["+"], "Raise the minimum score", () => settings.nudge(0.05)],
  [["-"], "Lower the minimum score", () => settings.nudge(-0.05)],
  [["/"], "Search classes", () => $("classes-search").focus()],
  [["f"], "Full screen", turnFullScreen],
  [["d"], "Light or dark", () => $("theme").click()],
  [["?"], "This help", turnHelp],
]);

setInterval(refresh, 1000); // an image that does not come says nothing by itself
connection.open();

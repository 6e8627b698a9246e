/** Entry point: passes messages of the server to the views, and actions of the user to it. */

import { Camera } from "./camera.js";
import { Connection } from "./connection.js";
import { Controls, toggleFullScreen, toggleTheme } from "./controls.js";
import { $, download, create, setText } from "./dom.js";
import { showEvents } from "./events.js";
import { Graph } from "./graph.js";
import { listen, toggleHelp } from "./keys.js";
import { LiveImage } from "./image.js";
import { showResult } from "./results.js";
import { Settings } from "./settings.js";
import { showStage } from "./stage.js";

const NOTICE_MS = 8000;
const MAX_NOTICES = 3;

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
  error({ message: text, code }) {
    notice(text, code);
    camera.refused();
  },
  end({ message: text }) {
    state.ended = text;
    camera.stop();
  },
  "camera-ack": () => camera.taken(),
};

function message(content) {
  MESSAGES[content.type]?.(content);
}

function link(now) {
  state.link = now;
  controls.enable(now.is === "open");
  refresh();
}

function change(changed) {
  state.paused = changed.paused;
  if (!changed.paused) image.expect();
  controls.show(changed);
  settings.show(changed.settings);
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
  setText($("task"), task);
  setText($("model"), model);
  setText($("source"), source.includes("://") ? source : source.replace(/.*\/(?=.)/, ""));
  document.title = `${task} · ${model}`;
}

function notice(text, code = "") {
  const shown = create("p", text, "notice");
  shown.dataset.code = code;
  $("notices").append(shown);
  if ($("notices").children.length > MAX_NOTICES) $("notices").firstElementChild.remove();
  setTimeout(() => shown.remove(), NOTICE_MS);
}

$("veil-button").onclick = () => {
  if ($("stage").dataset.is === "camera") camera.start();
  else connection.open();
};
$("theme").onclick = () => {
  toggleTheme();
  graph.draw();
};
$("full").onclick = toggleFullScreen;
$("full").hidden = !document.fullscreenEnabled;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => graph.draw());

listen([
  [[" "], "Pause or resume", () => controls.pause()],
  [["s"], "Take a snapshot", () => controls.snapshot()],
  [["r"], "Record, or stop recording", () => controls.record()],
  [["+"], "Raise the minimum score", () => settings.nudge(0.05)],
  [["-"], "Lower the minimum score", () => settings.nudge(-0.05)],
  [["/"], "Search classes", () => $("classes-search").focus()],
  [["f"], "Full screen", toggleFullScreen],
  [["d"], "Light or dark", () => $("theme").click()],
  [["?"], "This help", toggleHelp],
]);

setInterval(refresh, 1000); // a missing image triggers nothing by itself
connection.open();

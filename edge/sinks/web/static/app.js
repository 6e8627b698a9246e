/** Entry point: passes messages of the server to the views, and actions of the user to it. */

import { Boundaries } from "./boundaries.js";
import { Camera } from "./camera.js";
import { Connection } from "./connection.js";
import { Controls, toggleFullScreen } from "./controls.js";
import { showCounts } from "./counts.js";
import { $, download, setText } from "./dom.js";
import { restoreEvents, showEvents } from "./events.js";
import { Graph } from "./graph.js";
import { listen, toggleHelp } from "./keys.js";
import { LiveImage } from "./image.js";
import { showResult } from "./results.js";
import { Settings } from "./settings.js";
import { notice, toggleTheme } from "./shell.js";
import { showStage } from "./stage.js";

const connection = new Connection({ link, message, image: show });
const send = (what) => connection.send(what);
const image = new LiveImage($("image"));
const graph = new Graph();
const controls = new Controls(send);
const settings = new Settings(send);
const boundaries = new Boundaries(send);
const camera = new Camera(send, refresh, notice);
const state = { link: { is: "connecting" }, paused: false, ended: "", stays: false, camera: false };

const MESSAGES = {
  hello(hello) {
    state.ended = hello.ended ? "The stream has ended" : "";
    state.stays = hello.ended;
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
    if (result.size) boundaries.fit(result.size);
    if (state.crossings) boundaries.count(result.counts ?? {});
    else showCounts(result.counts ?? {});
  },
  events: ({ events }) => restoreEvents(events),
  stats: (figures) => graph.add(figures),
  snapshot: ({ url }) => download(url),
  error({ message: text, code }) {
    notice(text, code);
    camera.refused();
    boundaries.restore();
  },
  end({ message: text, stays }) {
    state.ended = text;
    state.stays = stays;
    camera.stop();
  },
  "camera-ack": () => camera.taken(),
};

function message(content) {
  MESSAGES[content.type]?.(content);
}

function link(now) {
  state.link = now;
  refresh();
}

function change(changed) {
  state.paused = changed.paused;
  if (!changed.paused) image.expect();
  controls.show(changed);
  settings.show(changed.settings);
  state.crossings = changed.settings.boundaries !== null;
  boundaries.show(changed.settings.boundaries);
  refresh();
}

async function show(blob, acknowledge) {
  await image.show(blob, acknowledge);
  refresh();
}

function refresh() {
  const { allowed, running } = camera;
  controls.enable(state.link.is === "open", state.stays);
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

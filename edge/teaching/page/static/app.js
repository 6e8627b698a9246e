/** Entry point: passes messages of the server to the views, and actions of the user to it. */

import { Camera } from "/static/camera.js";
import { Connection } from "/static/connection.js";
import { $, setText } from "/static/dom.js";
import { LiveImage } from "/static/image.js";
import { listen, toggleHelp } from "/static/keys.js";
import { notice, toggleTheme } from "/static/shell.js";
import { showStage } from "/static/stage.js";
import { showAnswer, showModel } from "./answer.js";
import { Cards } from "./cards.js";
import { Recorder } from "./recorder.js";
import { Viewer } from "./viewer.js";

const connection = new Connection({ link, message, image: show });
const send = (what) => connection.send(what);
const image = new LiveImage($("image"));
const camera = new Camera(send, refresh, notice);
const recorder = new Recorder(send, () => state.order);
const viewer = new Viewer(send);
const cards = new Cards({ send, recorder, viewer });
const state = { link: { is: "connecting" }, ended: "", gone: "", camera: false, order: [] };
let adding = ""; // name of a new class that the server has not taken yet

const MESSAGES = {
  hello({ version }) {
    if (state.version && state.version !== version) location.reload();
    state.version = version;
    state.ended = "";
    image.expect();
    camera.taken();
    cards.forget();
  },
  state(changed) {
    state.camera = changed.camera;
    state.gone = changed.lost ?? "";
    state.order = changed.order;
    if (changed.order.includes(adding)) adding = "";
    introduce(changed);
    cards.show(changed);
    showModel(changed);
    showRecording(changed);
    offer(changed);
    $("problem").hidden = !changed.problem;
    setText($("problem"), changed.problem ?? "");
    refresh();
  },
  answer: ({ scores, fps }) => showAnswer(scores, state.order, fps),
  error({ message: text, code }) {
    notice(text, code);
    recorder.refused();
    camera.refused();
    cards.restore();
    if (adding && !$("add-name").value) $("add-name").value = adding;
    adding = "";
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
  if (now.is !== "open") recorder.release();
  refresh();
}

async function show(blob, acknowledge) {
  await image.show(blob, acknowledge);
  refresh();
}

function refresh() {
  const { allowed, running } = camera;
  const open = state.link.is === "open";
  showStage({ ...state, paused: false, stays: false, allowed, running, image });
  $("camera").hidden = !state.camera || (allowed && !running);
  $("camera-on").hidden = !running;
  $("camera-refused").hidden = allowed;
  $("teaching").inert = !open;
  $("undo").disabled = !open || !state.undo;
}

function introduce({ folder, source, undo }) {
  const name = folder.replace(/\/+$/, "").replace(/.*\/(?=.)/, "");
  setText($("folder"), name);
  setText($("source"), source === "browser" ? "this device's camera" : `camera ${source}`);
  $("folder").title = folder;
  document.title = `teach · ${name}`;
  state.undo = undo;
  $("undo").title = undo ? `Undo ${undo} (Z)` : "Nothing to undo";
  $("undo").setAttribute("aria-label", undo ? `Undo ${undo}` : "Undo");
}

function showRecording({ recording, recorded }) {
  $("recording").hidden = !recording;
  setText($("recording-text"), recording ? `${recording} · ${recorded}` : "");
}

function offer({ suggestion, order }) {
  setText($("add-label"), order.length ? "A new class" : "What shall it recognize first?");
  $("add-button").classList.toggle("main", order.length < 2);
  $("suggestion").hidden = !suggestion;
  setText($("suggestion-name"), suggestion ?? "");
}

$("veil-button").onclick = () => {
  if ($("stage").dataset.is === "camera") camera.start();
  else connection.open();
};
$("undo").onclick = () => send({ type: "undo" });
$("theme").onclick = toggleTheme;
$("suggestion-add").onclick = () =>
  send({ type: "add-class", label: $("suggestion-name").textContent });
$("add").onsubmit = (event) => {
  event.preventDefault();
  const label = $("add-name").value.trim();
  if (!label || !send({ type: "add-class", label })) return;
  adding = label;
  $("add-name").value = "";
};

listen([
  [["1", "9"], "Hold to record the class with this number, 1 to 9", () => {}],
  [["z"], "Undo", () => $("undo").click()],
  [["n"], "Name a new class", () => $("add-name").focus()],
  [["d"], "Light or dark", () => $("theme").click()],
  [["?"], "This help", toggleHelp],
]);

setInterval(refresh, 1000); // a missing image triggers nothing by itself
connection.open();

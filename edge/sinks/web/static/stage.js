/** Veil over the image, which says why it does not move. */

import { $, setText } from "./dom.js";

const STALLED = 5; // seconds without an image
const NO_CAMERA = 2; // seconds without one until the page offers its camera

const LINKS = {
  connecting: { word: "Connecting", title: "Connecting", text: "" },
  refused: { word: "Refused", title: "Access to this stream was refused", button: "Try again" },
};

/** The stream has ended, and its last image stays. */
const STILL = { is: "still", word: "Ended", title: "The stream has ended" };

/**
 * `state`: `{link, paused, ended, stays, gone, camera, running, allowed, image}`. The veil says
 * what keeps the image from moving now; `gone`: why the server has no camera.
 */
export function showStage(state) {
  const now = reason(state);
  const stage = $("stage");
  stage.dataset.is = now.is;
  stage.classList.toggle("empty", state.image.empty);
  $("veil").hidden = now.is === "live";
  setText($("veil-title"), now.title ?? "");
  setText($("veil-text"), now.text ?? "");
  $("veil-button").hidden = !now.button;
  setText($("veil-button"), now.button ?? "");
  $("link").dataset.is = now.is;
  setText($("link-text"), now.word);
}

function reason(state) {
  const { link, paused, ended, stays, gone, camera, running, allowed, image } = state;
  if (ended && link.is === "open" && stays) return STILL;
  if (ended && link.is !== "refused") return over(ended);
  if (link.is === "lost") return lost(link);
  if (link.is !== "open") return { is: link.is, text: link.why, ...LINKS[link.is] };
  if (paused) return { is: "paused", word: "Paused", title: "Paused" };
  if (gone) return { is: "waiting", word: "No camera", title: "No camera", text: gone };
  const dark = image.empty || image.age > NO_CAMERA;
  if (camera && !running && dark) return askForCamera(allowed);
  if (image.empty || image.age > STALLED) return waiting(image);
  return { is: "live", word: "Live" };
}

function over(ended) {
  const text = `${ended}. This page resumes when the stream restarts.`;
  return { is: "ended", word: "Ended", title: "Ended", text };
}

function lost({ seconds, why }) {
  const text = why || "The stream is not responding.";
  const again = `Trying again in ${seconds} s.`;
  const known = { is: "lost", word: "Reconnecting", title: "Connection lost", button: "Retry now" };
  return { ...known, text: `${text} ${again}` };
}

function waiting({ empty, age }) {
  const known = { is: "waiting", word: "Waiting" };
  if (empty) return { ...known, title: "Waiting for the first image" };
  return { ...known, title: "No new images", text: `The last one is ${Math.round(age)} s old.` };
}

function askForCamera(allowed) {
  const title = "This stream uses your camera";
  const text = "Images are sent only to the computer that runs the stream.";
  const known = { is: "camera", word: "Waiting", title };
  return allowed ? { ...known, text, button: "Use this camera" } : { ...known, text: "See below." };
}

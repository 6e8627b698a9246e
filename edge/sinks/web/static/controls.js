/** Buttons below the image, and full screen. */

import { $, create, setText } from "./dom.js";

export class Controls {
  #send;
  #state = { paused: false, recording: null };
  #since = 0; // when the recording was first seen

  constructor(send) {
    this.#send = send;
    $("pause").onclick = () => this.pause();
    $("snapshot").onclick = () => this.snapshot();
    $("record").onclick = () => this.record();
    setInterval(() => this.#clock(), 1000);
  }

  /** `still`: there is a connection, but no more images come. */
  enable(on, still) {
    $("snapshot").disabled = !on;
    for (const id of ["pause", "record"]) $(id).disabled = !on || still;
    for (const id of ["score", "classes"]) $(id).inert = still;
  }

  pause() {
    this.#send({ type: this.#state.paused ? "resume" : "pause" });
  }

  snapshot() {
    this.#send({ type: "snapshot" });
  }

  record() {
    this.#send({ type: "record", on: !this.#state.recording });
  }

  show({ paused, recording }) {
    const before = this.#state.recording;
    if (recording && recording !== before) this.#since = Date.now();
    if (before && recording !== before) addDownload(before);
    this.#state = { paused, recording };
    setText($("pause-text"), paused ? "Resume" : "Pause");
    $("pause-icon").setAttribute("href", paused ? "#i-play" : "#i-pause");
    setText($("record-text"), recording ? "Stop recording" : "Record");
    $("record").setAttribute("aria-pressed", String(Boolean(recording)));
    $("recording").hidden = !recording;
    this.#clock();
  }

  #clock() {
    if (!this.#state.recording) return;
    const seconds = Math.floor((Date.now() - this.#since) / 1000);
    const rest = String(seconds % 60).padStart(2, "0");
    setText($("recording-time"), `${Math.floor(seconds / 60)}:${rest}`);
  }
}

/** Adds a link to a finished recording. */
function addDownload(name) {
  const link = create("a", `Download ${name}`);
  link.href = `/recordings/${encodeURIComponent(name)}`;
  link.download = name;
  const item = create("li");
  item.append(link);
  $("recordings").prepend(item);
  $("recordings").hidden = false;
}

export function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (document.fullscreenEnabled) $("stage").requestFullscreen();
}

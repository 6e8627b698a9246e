/** The camera of the device that shows this page, as the source of the stream. */

import { $, made, write } from "./dom.js";

const LONGEST = 960; // pixels of an image's longer side
const QUALITY = 0.8;

export class Camera {
  #send;
  #changed;
  #complain;
  #asked = 0; // how often a camera was asked for: only the last one counts
  #video = made("video");
  #canvas = made("canvas");
  #stream = null;
  #free = true; // the server has taken the last image
  #facing = "environment";

  /**
   * `send(blob)` is false without a connection; `changed()` is called when it starts or stops;
   * `complain(words)` says why a camera cannot be had.
   */
  constructor(send, changed, complain) {
    this.#send = send;
    this.#changed = changed;
    this.#complain = complain;
    this.#video.muted = this.#video.playsInline = true;
    $("camera-stop").onclick = () => this.stop();
    $("camera-turn").onclick = () => this.#turn();
    $("camera-which").onchange = ({ target }) => this.start({ deviceId: { exact: target.value } });
    $("tunnel-copy").onclick = copyTunnel;
    tell();
  }

  /** Whether the browser has cameras for this page at all. */
  get allowed() {
    return Boolean(navigator.mediaDevices?.getUserMedia);
  }

  get running() {
    return this.#stream !== null;
  }

  async start(which = { facingMode: this.#facing }) {
    this.#close();
    const asked = this.#asked;
    const stream = await this.#open(which);
    if (asked !== this.#asked) return end(stream);
    this.#stream = stream;
    if (stream) await this.#play(stream);
    this.#changed();
  }

  stop() {
    this.#close();
    this.#changed();
  }

  /** The server took an image, or there is a new connection: the next may go. */
  taken() {
    this.#free = true;
  }

  /** The server said no: to an image, if one is on its way. */
  refused() {
    if (this.running && !this.#free) this.stop();
  }

  #close() {
    this.#asked += 1;
    end(this.#stream);
    this.#stream = null;
  }

  /** The images of a camera, or null where none can be had. */
  async #open(which) {
    const video = { width: { ideal: 1280 }, height: { ideal: 720 }, ...which };
    try {
      return await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      this.#complain(REASONS[error.name] ?? `Cannot open the camera: ${error.message}`);
      return null;
    }
  }

  async #play(stream) {
    const [track] = stream.getVideoTracks();
    track.onended = () => this.stop();
    this.#video.srcObject = stream;
    await this.#video.play();
    await this.#list(track.getSettings().deviceId);
    this.#free = true;
    this.#next(stream);
  }

  #turn() {
    this.#facing = this.#facing === "user" ? "environment" : "user";
    return this.start();
  }

  async #list(current) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind }) => kind === "videoinput");
    const options = cameras.map(({ deviceId, label }, place) => {
      const option = made("option", label || `Camera ${place + 1}`);
      option.value = deviceId;
      option.selected = deviceId === current;
      return option;
    });
    $("camera-which").replaceChildren(...options);
    $("camera-turn").hidden = cameras.length < 2;
  }

  #next(stream) {
    this.#video.requestVideoFrameCallback(async () => {
      if (stream !== this.#stream) return;
      if (this.#free) await this.#take();
      this.#next(stream);
    });
  }

  async #take() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    const context = this.#canvas.getContext("2d", { alpha: false });
    context.drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    const blob = await new Promise((done) => this.#canvas.toBlob(done, "image/jpeg", QUALITY));
    this.#free = !this.#send(blob);
  }
}

function end(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

const REASONS = {
  NotAllowedError: "Camera access was denied. Allow it in the browser's address bar.",
  NotFoundError: "This device has no camera.",
  NotReadableError: "The camera is in use by another program.",
  OverconstrainedError: "That camera is no longer available.",
};

/** Writes the tunnel's command for this address. */
function tell() {
  const { hostname, port } = location;
  const number = port || "80";
  write($("camera-host"), hostname);
  write($("tunnel"), `ssh -L ${number}:${hostname}:${number} USER@${hostname}`);
  write($("tunnel-open"), `127.0.0.1:${number}`);
}

/** Copies by the old way: the new one is withheld on plain http, where this is shown. */
function copyTunnel() {
  getSelection().selectAllChildren($("tunnel"));
  write($("tunnel-copy"), document.execCommand("copy") ? "Copied" : "Selected");
}

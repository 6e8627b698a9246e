/** Camera of the device that shows this page, as the source of the stream. */

import { $, copy, create, setText } from "./dom.js";

const MAX_SIDE = 960; // pixels of the longer side of an image
const QUALITY = 0.8;

export class Camera {
  #send;
  #changed;
  #complain;
  #requests = 0; // of cameras: only the last one counts
  #video = create("video");
  #canvas = create("canvas");
  #stream = null;
  #free = true; // the server has taken the last image
  #facing = "environment";

  /**
   * `send(blob)` is false without a connection; `changed()` is called when it starts or stops;
   * `complain(text)` reports why no camera is available.
   */
  constructor(send, changed, complain) {
    this.#send = send;
    this.#changed = changed;
    this.#complain = complain;
    this.#video.muted = this.#video.playsInline = true;
    $("camera-stop").onclick = () => this.stop();
    $("camera-turn").onclick = () => this.#flip();
    $("camera-which").onchange = ({ target }) => this.start({ deviceId: { exact: target.value } });
    $("tunnel-copy").onclick = () => copy($("tunnel"), $("tunnel-copy"));
    showTunnel();
  }

  /** True if the browser lets this page use cameras at all. */
  get allowed() {
    return Boolean(navigator.mediaDevices?.getUserMedia);
  }

  get running() {
    return this.#stream !== null;
  }

  async start(which = { facingMode: this.#facing }) {
    this.#close();
    const request = this.#requests;
    const stream = await this.#open(which);
    if (request !== this.#requests) return end(stream);
    this.#stream = stream;
    if (stream) await this.#play(stream);
    this.#changed();
  }

  stop() {
    this.#close();
    this.#changed();
  }

  /** The server took an image, or the connection is new: the next one may be sent. */
  taken() {
    this.#free = true;
  }

  /** The server reported an error: about an image, if one is in flight. */
  refused() {
    if (this.running && !this.#free) this.stop();
  }

  #close() {
    this.#requests += 1;
    end(this.#stream);
    this.#stream = null;
  }

  /** Opens a camera; null where none is available. */
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

  #flip() {
    this.#facing = this.#facing === "user" ? "environment" : "user";
    return this.start();
  }

  async #list(current) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind }) => kind === "videoinput");
    const options = cameras.map(({ deviceId, label }, index) => {
      const option = create("option", label || `Camera ${index + 1}`);
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
    const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
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

/** Shows the command of the tunnel for this address. */
function showTunnel() {
  const { hostname, port } = location;
  const number = port || "80";
  setText($("camera-host"), hostname);
  setText($("tunnel"), `ssh -L ${number}:${hostname}:${number} USER@${hostname}`);
  setText($("tunnel-open"), `127.0.0.1:${number}`);
}

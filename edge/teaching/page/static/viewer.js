/** A single image, large, which can be deleted. */

import { $, setText } from "/static/dom.js";

export class Viewer {
  #send;
  #shown = null;

  constructor(send) {
    this.#send = send;
    $("viewer-remove").onclick = () => {
      this.remove(this.#shown.label, this.#shown.name);
      $("viewer").close();
    };
    $("viewer").onclose = () => $("viewer-image").removeAttribute("src");
  }

  open(label, [name, version]) {
    this.#shown = { label, name };
    setText($("viewer-title"), `${label} · ${name}`);
    $("viewer-image").src = address(label, name, version, "large");
    $("viewer").showModal();
  }

  remove(label, name) {
    this.#send({ type: "remove-images", label, names: [name] });
  }
}

/** Address of an image of a class; `size`: "thumbnail" or "large". */
export function address(label, name, version, size) {
  return `/api/image?${new URLSearchParams({ label, name, v: version, size })}`;
}

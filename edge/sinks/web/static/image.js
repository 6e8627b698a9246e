/** Live image. A hidden page acknowledges no images until it is visible again. */

export class LiveImage {
  #canvas;
  #context;
  #shown = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  /** Seconds since the last image. */
  get age() {
    return (performance.now() - this.#shown) / 1000;
  }

  get empty() {
    return this.#shown === 0;
  }

  /** Restarts the age: time without a connection does not count. */
  expect() {
    if (!this.empty) this.#shown = performance.now();
  }

  async show(blob, acknowledge) {
    try {
      const bitmap = await createImageBitmap(blob);
      this.#draw(bitmap);
      bitmap.close();
    } finally {
      await visible();
      acknowledge();
    }
  }

  #draw(bitmap) {
    const { width, height } = bitmap;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(bitmap, 0, 0);
    this.#shown = performance.now();
  }
}

function visible() {
  if (!document.hidden) return null;
  return new Promise((done) =>
    document.addEventListener("visibilitychange", done, { once: true }),
  );
}

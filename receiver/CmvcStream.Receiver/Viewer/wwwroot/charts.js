// Two small drawings: where the last frames come from, and the received rate.

export const COLOURS = { none: "#3a4450", transmitted: "#3ddc97", restored: "#2fd3d6", interpolated: "#5aa9ff", extrapolated: "#c792ff", held: "#ffb454" };
// Heights tell the kinds apart without colour: what was transmitted stands out.
const HEIGHTS = { none: 0.15, transmitted: 1, restored: 0.85, interpolated: 0.55, extrapolated: 0.4, held: 0.22 };
const TIMELINE_SECONDS = 10;
const SPARKLINE_SAMPLES = 60;

/** Fits the canvas to its box in device pixels; returns its context, cleared. */
function prepare(canvas) {
  const box = canvas.getBoundingClientRect();
  const width = Math.max(1, Math.round(box.width * devicePixelRatio));
  const height = Math.max(1, Math.round(box.height * devicePixelRatio));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  return context;
}

/** One column a frame, the newest at the right edge. Frames that this page did not get stay empty. */
export class Timeline {
  #canvas;
  #frames = [];

  constructor(canvas) {
    this.#canvas = canvas;
  }

  add(number, provenance, fps) {
    // Numbers begin again when the receiver does.
    if (this.#frames.length > 0 && number < this.#frames.at(-1).number) this.#frames = [];
    this.#frames.push({ number, provenance });
    const oldest = number - TIMELINE_SECONDS * fps;
    while (this.#frames[0].number <= oldest) this.#frames.shift();
  }

  clear() {
    this.#frames = [];
  }

  /** Kind of most frames of the last half second, for those who asked for less motion. */
  majority(fps) {
    const counts = {};
    for (const { provenance } of this.#frames.slice(-Math.ceil(fps / 2))) counts[provenance] = (counts[provenance] ?? 0) + 1;
    return Object.entries(counts).sort((a, b) => b[1] - a[1])[0]?.[0] ?? "none";
  }

  draw(fps) {
    const context = prepare(this.#canvas);
    const { width, height } = this.#canvas;
    const column = width / (TIMELINE_SECONDS * fps);
    const newest = this.#frames.at(-1)?.number ?? 0;
    for (const { number, provenance } of this.#frames) {
      const right = Math.round(width - (newest - number) * column);
      const left = Math.round(width - (newest - number + 1) * column);
      const tall = height * HEIGHTS[provenance];
      context.fillStyle = COLOURS[provenance];
      context.fillRect(left, height - tall, Math.max(1, right - left), tall);
    }
  }
}

/** The last minute of a rate, one sample a second, from zero to its peak. */
export class Sparkline {
  #canvas;
  #samples = [];
  #sampled = 0;

  constructor(canvas) {
    this.#canvas = canvas;
  }

  add(value, atMs) {
    if (value === null || atMs - this.#sampled < 1000) return;
    this.#sampled = atMs;
    this.#samples.push(value);
    if (this.#samples.length > SPARKLINE_SAMPLES) this.#samples.shift();
    this.#draw();
  }

  #draw() {
    const context = prepare(this.#canvas);
    const { width, height } = this.#canvas;
    const peak = Math.max(...this.#samples, 1) * 1.1;
    const x = (i) => width - ((this.#samples.length - 1 - i) * width) / (SPARKLINE_SAMPLES - 1);
    const y = (value) => height - 1 - (value / peak) * (height - 4);
    context.beginPath();
    this.#samples.forEach((value, i) => context.lineTo(x(i), y(value)));
    context.strokeStyle = COLOURS.interpolated;
    context.lineWidth = 1.6 * devicePixelRatio;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(width, height);
    context.lineTo(x(0), height);
    context.fillStyle = "#5aa9ff26";
    context.fill();
  }
}

// The page: shows pictures as they come, and always says where each comes from.
import { Live } from "./live.js";
import { Timeline, Sparkline } from "./charts.js";
import { Panel, showNotice, showPhase, showStale, span } from "./panel.js";

const element = (id) => document.getElementById(id);
const screen = element("screen");
const canvas = element("picture");
const timeline = new Timeline(element("timeline"));
const sparkline = new Sparkline(element("sparkline"));
const panel = new Panel();
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const WORDS = { none: "no picture" };
const CALM_BADGE_MS = 500;
const SHOWN_OVER_MS = 2000;

/** What tests and curious people may read. */
const report = { connected: false, connections: 0, received: 0, displayed: 0, broken: 0, number: null, provenance: "none", latencyMs: null, worstLatencyMs: null, state: null };
window.cmvc = report;

let fps = 30;
let waiting = null; // newest picture that is not yet decoded
let decoding = false;
let ready = null; // newest picture that is decoded, not yet drawn
let shown = null; // the one on screen
let shownAt = 0;
let newAt = 0; // since when it is the same
let shownTimes = [];
let badgeAt = 0;
let linkUp = false;
let why = "";
let freshDraws = 0; // pictures drawn since the connection came up

const live = new Live({
  picture(picture, confirm) {
    report.received++;
    timeline.add(picture.number, picture.provenance, fps);
    waiting?.confirm();
    waiting = { picture, confirm };
    decode();
  },
  state(message) {
    report.state = message.state;
    fps = message.state.fps || 30;
    panel.show(message.state);
    sparkline.add(message.state.wireRxKbps, performance.now());
    notice();
  },
  link(up, reason) {
    linkUp = up;
    why = reason;
    report.connected = up;
    if (up) {
      report.connections++;
      freshDraws = 0;
      timeline.clear();
    } else {
      showPhase("offline");
    }
    notice();
  },
});

/** One at a time; a picture that is overtaken while it waits is never decoded. A hidden page decodes (and confirms) nothing. */
async function decode() {
  if (decoding || waiting === null || document.hidden) return;
  decoding = true;
  const { picture, confirm } = waiting;
  waiting = null;
  try {
    const bitmap = await createImageBitmap(picture.blob);
    ready?.bitmap.close();
    ready = { ...picture, bitmap };
  } catch {
    report.broken++;
  }
  confirm();
  decoding = false;
  decode();
}

document.addEventListener("visibilitychange", decode);

/** Device pixels, so that the browser scales once, and well. */
function fit() {
  const { width, height } = screen.getBoundingClientRect();
  const wide = Math.max(1, Math.round(width * devicePixelRatio));
  const tall = Math.max(1, Math.round(height * devicePixelRatio));
  if (canvas.width !== wide || canvas.height !== tall) {
    canvas.width = wide;
    canvas.height = tall;
    paint();
  }
}

function paint() {
  if (!shown) return;
  const context = canvas.getContext("2d", { alpha: false });
  context.imageSmoothingQuality = "high";
  context.drawImage(shown.bitmap, 0, 0, canvas.width, canvas.height);
}

/** Badge and strip follow every frame. For those who asked for less motion: twice a second, what most of the half second was. */
function tell(provenance) {
  const time = performance.now();
  if (calm.matches) {
    if (time - badgeAt < CALM_BADGE_MS) return;
    provenance = timeline.majority(fps);
  }
  badgeAt = time;
  timeline.draw(fps);
  if (screen.dataset.provenance === provenance) return;
  screen.dataset.provenance = provenance;
  element("badge-word").textContent = WORDS[provenance] ?? provenance;
}

function draw() {
  requestAnimationFrame(draw);
  if (ready === null) return;
  const size = `${ready.width / ready.height}`;
  if (document.documentElement.style.getPropertyValue("--ratio") !== size) {
    document.documentElement.style.setProperty("--ratio", size);
    fit();
  }
  shown?.bitmap.close();
  shownAt = performance.now();
  if (shown?.ptsMs !== ready.ptsMs) newAt = shownAt - Math.max(0, (ready.number * 1000) / fps - ready.ptsMs);
  shown = ready;
  ready = null;
  shownTimes.push(shownAt);
  paint();
  tell(shown.provenance);
  report.displayed++;
  report.number = shown.number;
  report.provenance = shown.provenance;
  measure();
}

/** How long the picture took from its presentation at the receiver to this screen. */
function measure() {
  const then = live.receiverNow;
  // The first picture after connecting may have waited for us.
  if (freshDraws++ === 0 || then === null) return;
  const latency = Math.max(0, then - shown.presentedMs);
  report.latencyMs = report.latencyMs === null ? latency : report.latencyMs + (latency - report.latencyMs) / 16;
  report.worstLatencyMs = Math.max(report.worstLatencyMs ?? 0, latency);
}

/** Seconds that the picture is on screen, and what it was late by: a receiver that is too busy to present more says nothing of that. */
const age = () => (performance.now() - newAt) / 1000;

/** Where a sender finds the receiver: "every address" is no address to send to, the one that this page came from is. */
const reachable = (listen) => listen.replace(/\/\/(0\.0\.0\.0|\[::\]|\*|\+)(?=[:/]|$)/, `//${location.hostname}`);

function notice() {
  const state = report.state;
  if (!linkUp) {
    showNotice(shown ? "" : "Receiver not reached", why || "Trying again by itself.");
  } else if (state?.phase === "waiting") {
    showNotice("No sender yet", `Waiting, listening at ${state.listen}`, `./cmvc send --source camera:/dev/video0 --to ${reachable(state.listen)}`);
  } else if (!shown || shown.provenance === "none") {
    showNotice("Waiting for the first picture", state?.scene ? `${state.scene.look} ${state.scene.motion}` : "");
  } else {
    showNotice("");
  }
}

function second() {
  const time = performance.now();
  shownTimes = shownTimes.filter((at) => time - at < SHOWN_OVER_MS);
  element("fps").textContent = shown ? `${(shownTimes.length / (SHOWN_OVER_MS / 1000)).toFixed(0)} fps` : "–";
  element("page-latency").textContent = span(report.latencyMs);
  const ended = linkUp && report.state?.phase === "ended";
  showStale(shown && shown.provenance !== "none" && !ended ? age() : 0);
  notice();
}

function toggleFullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else element("stage").requestFullscreen().catch(() => {});
}

element("fullscreen").addEventListener("click", toggleFullscreen);
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "f" && !event.ctrlKey && !event.metaKey && !event.altKey) toggleFullscreen();
});
new ResizeObserver(fit).observe(screen);
setInterval(second, 500);
requestAnimationFrame(draw);

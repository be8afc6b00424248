// Everything beside the picture that comes from the receiver's state.

const PHASES = { waiting: "Waiting for a sender", connected: "Connected", lost: "Sender lost", ended: "Ended", connecting: "Connecting", offline: "Receiver not reached" };
const TRANSCRIPT_LINES = 20;
const element = (id) => document.getElementById(id);
const MISSING = "–";

/** A span of milliseconds as people say it. */
export function span(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  return Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
}

function rate(kbps) {
  if (kbps === null || kbps === undefined) return MISSING;
  return kbps < 100 ? kbps.toFixed(1) : kbps.toFixed(0);
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, i) => (i === 0 ? `${part}` : `${part}`.padStart(2, "0"))).join(":");
}

/** Text only where it has changed, so that screen readers and layout are left in peace. */
function say(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** A bar of shares with a figure for each; kinds that have none are left out of the bar. */
function shares(barId, listId, attribute, parts, format) {
  const bar = element(barId);
  const list = element(listId);
  if (bar.childElementCount !== parts.length) {
    bar.replaceChildren(...parts.map(([name]) => Object.assign(document.createElement("i"), { title: name })));
    list.replaceChildren(...parts.map(([name]) => {
      const item = document.createElement("li");
      item.append(document.createElement("i"), make("span", "", name), make("b", "", ""));
      return item;
    }));
    parts.forEach(([name], i) => {
      bar.children[i].dataset[attribute] = name;
      list.children[i].dataset[attribute] = name;
    });
  }
  parts.forEach(([, value], i) => {
    bar.children[i].style.flexGrow = value;
    bar.children[i].hidden = value === 0;
    const figure = list.children[i].lastElementChild;
    if (figure.textContent !== format(value)) figure.textContent = format(value);
  });
}

export function showPhase(phase) {
  element("connection").dataset.phase = phase;
  say("connection", PHASES[phase]);
}

/** A message over the picture; without a title it goes away. */
export function showNotice(title, text = "", hint = "") {
  element("notice").hidden = !title;
  say("notice-title", title);
  say("notice-text", text);
  say("notice-hint", hint);
  element("notice-hint").hidden = !hint;
}

export function showStale(seconds) {
  element("stale").hidden = seconds < 1;
  // Whole seconds: a status that is read out must not change all the time.
  if (seconds >= 1) say("stale", `Picture is ${Math.floor(seconds)} s old`);
}

export class Panel {
  #lines = "";

  show(state) {
    showPhase(state.phase);
    say("source", state.source ?? "");
    say("trouble", state.trouble ?? "");
    element("mode").hidden = !state.mode;
    say("mode", state.mode ?? "");
    say("wire-rx", rate(state.wireRxKbps));
    say("wire-tx", state.wireTxKbps === null ? MISSING : `${rate(state.wireTxKbps)} kbit/s`);
    say("latency", span(state.latencyMs));
    say("network", state.network ?? "none");
    say("keyframe-age", state.keyframeAgeSeconds === null ? MISSING : span(state.keyframeAgeSeconds * 1000));
    const { transmitted, restored, interpolated, extrapolated, held } = state.frames;
    const grouped = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");
    shares("frames-bar", "frames", "provenance", Object.entries({ transmitted, restored, interpolated, extrapolated, held }), grouped);
    const { keyframe, motion, text, control } = state.payload ?? { keyframe: 0, motion: 0, text: 0, control: 0 };
    shares("payload-bar", "payload", "part", Object.entries({ keyframe, motion, text, control }), size);
    this.#caption(state.scene);
    this.#transcript(state.transcript.slice(-TRANSCRIPT_LINES));
  }

  #caption(scene) {
    const words = scene ? `${scene.look}\n${scene.motion}` : "";
    const caption = element("caption");
    if (caption.dataset.words === words || !scene) return;
    caption.dataset.words = words;
    caption.replaceChildren(make("span", "", scene.look), make("span", "motion", scene.motion));
    element("picture").setAttribute("aria-label", `Live picture: ${scene.look} ${scene.motion}`);
  }

  /** Newest first. Adds what is new, so that only that is read out. */
  #transcript(lines) {
    const list = element("transcript");
    const keys = lines.map((line) => `${line.atSeconds}|${line.scene}|${line.look}|${line.motion}`);
    if (keys.join("\n") === this.#lines) return;
    this.#lines = keys.join("\n");
    const standing = new Map([...list.children].map((item) => [item.dataset.key, item]));
    for (const [key, item] of standing) if (!keys.includes(key)) item.remove();
    lines.forEach((line, i) => {
      if (standing.has(keys[i])) return;
      const item = document.createElement("li");
      item.dataset.key = keys[i];
      const words = document.createElement("span");
      words.append(make("span", "", line.look), " ", make("span", "motion", line.motion));
      item.append(make("time", "", clock(line.atSeconds)), words);
      list.prepend(item);
    });
    element("transcript-empty").hidden = lines.length > 0;
  }
}

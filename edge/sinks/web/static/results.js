/** Result of the newest image: a summary, and a row for each detection, class or person. */

import { color } from "./colors.js";
import { $, fillList, create, setText } from "./dom.js";

const MAX_ROWS = 40;
const SPEAK_EVERY = 3000; // ms, for screen readers

/** Field of a result → its rows: `{label, share, tone, figure?}`, a share in [0, 1]. */
const ROWS = {
  classes: ({ classes, unknown }) =>
    classes.map(({ label, index, score }) => ({
      label,
      share: score,
      tone: unknown ? "var(--quiet)" : color(index),
    })),
  detections: ({ detections }) =>
    inOrder(detections).map(({ label, index, score, track_id: track }) => ({
      label: track === undefined ? label : `${label} #${track}`,
      share: score,
      tone: color(track ?? index),
    })),
  segments: ({ segments }) =>
    segments.map(({ label, index, share }) => ({ label, share, tone: color(index) })),
  match: ({ match }) => (match ? [closest(match)] : []),
  poses: ({ poses }) => poses.flatMap(person),
};

/** Rows of a result of another field: its first list of things that have a label. */
function labeled({ events, ...fields }) {
  const lists = Object.values(fields).filter((value) => Array.isArray(value));
  const things = lists.find((list) => list.every((thing) => thing?.label !== undefined)) ?? [];
  return things.map(({ label, index, score, share }, place) => ({
    label,
    share: score ?? share ?? 1,
    tone: color(index ?? place),
  }));
}

export function rowsOf(result) {
  const field = Object.keys(ROWS).find((name) => name in result);
  return (ROWS[field] ?? labeled)(result);
}

/** The list never shrinks, else what is below it would move under a finger. */
const grown = new ResizeObserver(([{ target }]) => {
  target.style.minHeight = `${target.offsetHeight}px`;
});
grown.observe($("results"));
addEventListener("resize", () => $("results").style.removeProperty("min-height"));

let spoken = { text: "", at: 0 };

export function showResult(result) {
  const rows = rowsOf(result);
  setText($("summary"), result.summary || "Nothing found");
  $("summary").classList.toggle("quiet", !result.summary || result.unknown === true);
  fillList($("rows"), rows.slice(0, MAX_ROWS), makeRow, fillRow);
  $("more").hidden = rows.length <= MAX_ROWS;
  setText($("more"), `and ${rows.length - MAX_ROWS} more`);
  speak(result.summary || "Nothing found");
}

/** Tracked objects keep their order in the list; others come best first. */
function inOrder(detections) {
  const tracked = detections.every(({ track_id: track }) => track !== undefined);
  return tracked ? detections.toSorted((a, b) => a.track_id - b.track_id) : detections;
}

/** A person, and the angles of the visible joints. */
function person({ score, angles }, index) {
  const tone = "var(--accent)";
  const joints = Object.entries(angles).map(([joint, degrees]) => ({
    label: joint.replaceAll("_", " "),
    share: degrees / 180,
    figure: `${Math.round(degrees)}°`,
    tone,
  }));
  return [{ label: `person ${index + 1}`, share: score, tone }, ...joints];
}

/** The known pose most similar to the first person's. */
function closest({ name, frame, similarity, mirrored }) {
  const where = frame === undefined ? name : `${name}, frame ${frame}`;
  const label = mirrored ? `${where}, mirrored` : where;
  return { label, share: similarity, tone: "var(--accent)" };
}

function makeRow() {
  const row = create("li");
  const bar = create("span", "", "track");
  bar.append(create("span", "", "fill"));
  const cells = ["dot", "label", "share"].map((name) => create("span", "", name));
  row.append(...cells, bar);
  return row;
}

function fillRow(row, { label, share, tone, figure }) {
  const [, name, percent] = row.children;
  row.style.setProperty("--tone", tone);
  row.style.setProperty("--share", Math.min(Math.max(share, 0), 1));
  setText(name, label);
  setText(percent, figure ?? `${Math.round(100 * share)} %`);
}

function speak(text) {
  const now = performance.now();
  if (text === spoken.text || now - spoken.at < SPEAK_EVERY) return;
  spoken = { text, at: now };
  setText($("spoken"), text);
}

/** What the model says of the newest image: a heading, and a row for each thing it found. */

import { color } from "./colors.js";
import { $, fillList, made, write } from "./dom.js";

const MOST = 40;
const SPEAK_EVERY = 3000; // ms, for screen readers

/** Field of a result → its rows: `{label, share, tone, figure?}`, a share in [0, 1]. */
const KINDS = {
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

/** The list never gets lower, or what stands below it would move under a finger. */
const grown = new ResizeObserver(([{ target }]) => {
  target.style.minHeight = `${target.offsetHeight}px`;
});
grown.observe($("results"));
addEventListener("resize", () => $("results").style.removeProperty("min-height"));

let spoken = { words: "", at: 0 };

export function showResult(result) {
  const kind = Object.keys(KINDS).find((field) => field in result);
  const rows = kind ? KINDS[kind](result) : [];
  write($("summary"), result.summary || "Nothing found");
  $("summary").classList.toggle("quiet", !result.summary || result.unknown === true);
  fillList($("rows"), rows.slice(0, MOST), makeRow, fillRow);
  $("more").hidden = rows.length <= MOST;
  write($("more"), `and ${rows.length - MOST} more`);
  speak(result.summary || "Nothing found");
}

/** Followed objects keep their places in the list; others come best first. */
function inOrder(detections) {
  const followed = detections.every(({ track_id: track }) => track !== undefined);
  return followed ? detections.toSorted((a, b) => a.track_id - b.track_id) : detections;
}

/** A person, and the angles of the joints that are seen. */
function person({ score, angles }, place) {
  const tone = "var(--accent)";
  const joints = Object.entries(angles).map(([joint, degrees]) => ({
    label: joint.replaceAll("_", " "),
    share: degrees / 180,
    figure: `${Math.round(degrees)}°`,
    tone,
  }));
  return [{ label: `person ${place + 1}`, share: score, tone }, ...joints];
}

/** Of all known poses, the one most like that of the first person. */
function closest({ name, frame, similarity, mirrored }) {
  const where = frame === undefined ? name : `${name}, frame ${frame}`;
  const label = mirrored ? `${where}, mirrored` : where;
  return { label, share: similarity, tone: "var(--accent)" };
}

function makeRow() {
  const row = made("li");
  const bar = made("span", "", "track");
  bar.append(made("span", "", "fill"));
  row.append(made("span", "", "dot"), made("span", "", "label"), made("span", "", "share"), bar);
  return row;
}

function fillRow(row, { label, share, tone, figure }) {
  const [, name, percent] = row.children;
  row.style.setProperty("--tone", tone);
  row.style.setProperty("--share", Math.min(Math.max(share, 0), 1));
  write(name, label);
  write(percent, figure ?? `${Math.round(100 * share)} %`);
}

function speak(words) {
  const now = performance.now();
  if (words === spoken.words || now - spoken.at < SPEAK_EVERY) return;
  spoken = { words, at: now };
  write($("spoken"), words);
}

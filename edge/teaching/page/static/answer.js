/** What the model recognizes, and what it was learned from. */

import { color } from "/static/colors.js";
import { $, create, fillList, setText } from "/static/dom.js";

const MAX_ROWS = 12; // more classes than these are sorted by score
const SPEAK_EVERY = 4000; // milliseconds

let spoken = { text: "", at: 0 };

/** `scores`: pairs of class and score, best first; `order`: the classes as on the cards. */
export function showAnswer(scores, order, fps) {
  const places = new Map(order.map((label, index) => [label, index]));
  const known = scores.filter(([label]) => places.has(label));
  const few = known.length <= MAX_ROWS;
  const rows = few
    ? known.toSorted(([a], [b]) => places.get(a) - places.get(b))
    : known.slice(0, MAX_ROWS);
  const best = known[0]?.[0];
  fillList($("scores"), rows, makeRow, (row, [label, score]) => {
    row.style.setProperty("--tone", color(places.get(label)));
    row.style.setProperty("--share", score);
    row.classList.toggle("best", label === best);
    setText(row.children[1], label);
    setText(row.children[2], percent(score));
  });
  $("more").hidden = few;
  setText($("more"), `and ${known.length - rows.length} more`);
  $("verdict").hidden = !known.length;
  if (known.length) {
    setText($("verdict-label"), best);
    setText($("verdict-score"), percent(known[0][1]));
    speak(best);
  }
  setText($("fps"), `${fps} frames/s`);
}

export function showModel({ waiting, learning, learned, accuracy, model }) {
  $("waiting").hidden = !waiting && (learning || learned !== null);
  setText($("waiting"), waiting || "Waiting for images.");
  $("model").hidden = Boolean(waiting) || !(learning || learned !== null);
  $("model-text").classList.toggle("busy", learning);
  const judged = accuracy === null ? "" : `, ${percent(accuracy)} right when tested on held-out ones`;
  const text = learned === null ? "Learning" : `Learned from ${learned} images${judged}.`;
  setText($("model-text"), learning && learned !== null ? `Learning. ${text}` : text);
  setText($("model-path"), model);
}

const percent = (share) => `${Math.round(100 * share)} %`;

function makeRow() {
  const row = create("li");
  const bar = create("span", "", "track");
  bar.append(create("span", "", "fill"));
  row.append(...["dot", "label", "share"].map((name) => create("span", "", name)), bar);
  return row;
}

function speak(text) {
  const now = performance.now();
  if (text === spoken.text || now - spoken.at < SPEAK_EVERY) return;
  spoken = { text, at: now };
  setText($("spoken"), text);
}

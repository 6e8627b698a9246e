/** Counts of a task without lines and zones: repetitions of exercises. */

import { $, create, fillList, setText } from "./dom.js";

export function showCounts(counts) {
  const known = Object.entries(counts);
  $("counts").hidden = known.length === 0;
  fillList($("counts-list"), known, makeRow, fillRow);
}

function makeRow() {
  const row = create("li", "", "line");
  row.append(create("span"), create("b"));
  return row;
}

function fillRow(row, [name, count]) {
  const words = Object.entries(count).map(([word, number]) => `${number} ${word}`);
  const text = typeof count === "number" ? String(count) : words.join(", ");
  setText(row.firstElementChild, name.replaceAll("_", " "));
  setText(row.lastElementChild, text);
  row.classList.toggle("quiet", count === 0);
}

/** List of events, newest first: crossed lines, counted repetitions. */

import { $, create } from "./dom.js";

const MAX_EVENTS = 60;

/** Kind of an event → its text. */
const TEXTS = {
  line: ({ label, track_id: track, name, direction }) =>
    `${label} #${track} crossed ${name}, ${direction}`,
  zone: ({ label, track_id: track, name, direction }) =>
    `${label} #${track} ${direction === "in" ? "entered" : "left"} ${name}`,
  repetition: ({ name, count }) => `${name} × ${count}`,
};

/** Shows events of a result; undefined where the task has none. */
export function showEvents(events) {
  if (events === undefined) return;
  $("events").hidden = false;
  for (const event of events) add(event, 0);
}

/** Shows the last events that the server knows, each with `ago_s`, in place of all others. */
export function restoreEvents(events) {
  $("events-list").replaceChildren();
  $("events").hidden = events.length === 0;
  for (const { ago_s: ago, ...event } of events) add(event, ago);
}

/** Adds an event that happened so many seconds ago: the clock of a board may be wrong. */
function add(event, ago) {
  const list = $("events-list");
  const item = create("li");
  const time = create("time", new Date(Date.now() - 1000 * ago).toLocaleTimeString());
  const known = TEXTS[event.kind];
  item.append(time, create("span", known ? known(event) : plain(event)));
  list.prepend(item);
  if (list.children.length > MAX_EVENTS) list.lastElementChild.remove();
}

function plain(event) {
  return Object.entries(event)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

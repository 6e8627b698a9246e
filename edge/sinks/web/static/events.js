/** What happened, newest first: objects that crossed a line, repetitions that were counted. */

import { $, made } from "./dom.js";

const MOST = 60;

/** Kind of an event → what it says. */
const WORDS = {
  line: ({ label, track_id: track, name, direction }) =>
    `${label} #${track} crossed ${name}, ${direction}`,
  zone: ({ label, track_id: track, name, direction }) =>
    `${label} #${track} ${direction === "in" ? "entered" : "left"} ${name}`,
  repetition: ({ name, count }) => `${name} × ${count}`,
};

export function showEvents(events) {
  if (events === undefined) return;
  $("events").hidden = false;
  for (const event of events) add(event);
}

function add(event) {
  const list = $("events-list");
  const item = made("li");
  const time = made("time", new Date().toLocaleTimeString());
  const known = WORDS[event.kind];
  item.append(time, made("span", known ? known(event) : plain(event)));
  list.prepend(item);
  if (list.children.length > MOST) list.lastElementChild.remove();
}

function plain(event) {
  return Object.entries(event)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

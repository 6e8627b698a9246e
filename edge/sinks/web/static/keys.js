/** The keyboard: a key for each control, and the list of them behind "?". */

import { $, made } from "./dom.js";

/** `table`: rows of `[keys, words, action]`, keys as `KeyboardEvent.key` has them. */
export function listen(table) {
  const actions = new Map(table.flatMap(([keys, , action]) => keys.map((key) => [key, action])));
  const rows = table.flatMap(([keys, words]) => [term(keys), made("dd", words)]);
  $("help-list").replaceChildren(...rows);
  $("help").onclick = turnHelp;
  addEventListener("keydown", (event) => {
    const action = actions.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!action || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (typing(event) || (event.key === " " && pressing(event))) return;
    event.preventDefault();
    action();
  });
}

export function turnHelp() {
  const dialog = $("help-dialog");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function term(keys) {
  const shown = made("dt");
  for (const key of keys) shown.append(made("kbd", key === " " ? "Space" : key.toUpperCase()));
  return shown;
}

function typing({ target }) {
  return target.matches("input[type=search], select, textarea");
}

/** Space presses the button that has the focus. */
function pressing({ target }) {
  return target.matches("button, input, a, summary");
}

/** Keyboard shortcuts, and their list behind "?". */

import { $, create } from "./dom.js";

/** `table`: rows of `[keys, text, action]`, keys as in `KeyboardEvent.key`. */
export function listen(table) {
  const actions = new Map(table.flatMap(([keys, , action]) => keys.map((key) => [key, action])));
  const rows = table.flatMap(([keys, text]) => [term(keys), create("dd", text)]);
  $("help-list").replaceChildren(...rows);
  $("help").onclick = toggleHelp;
  addEventListener("keydown", (event) => {
    const action = actions.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!action || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (isTyping(event) || event.defaultPrevented || (event.key === " " && isButton(event))) return;
    event.preventDefault();
    action();
  });
}

export function toggleHelp() {
  const dialog = $("help-dialog");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function term(keys) {
  const shown = create("dt");
  for (const key of keys) shown.append(create("kbd", key === " " ? "Space" : key.toUpperCase()));
  return shown;
}

function isTyping({ target }) {
  return target.matches("input[type=search], input[type=text], select, textarea");
}

/** Space presses the button that has the focus. */
function isButton({ target }) {
  return target.matches("button, input, a, summary");
}

/** What all pages share: notices, and light or dark. */

import { $, create } from "./dom.js";

const NOTICE_MS = 8000;
const MAX_NOTICES = 3;

/** Shows a sentence for a while; `code` of an error is for scripts and tests. */
export function notice(text, code = "") {
  const shown = create("p", text, "notice");
  shown.dataset.code = code;
  $("notices").append(shown);
  if ($("notices").children.length > MAX_NOTICES) $("notices").firstElementChild.remove();
  setTimeout(() => shown.remove(), NOTICE_MS);
}

/** Changes between light and dark; the choice is kept where it differs from the system's. */
export function toggleTheme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const other = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
  if (other === system) delete root.dataset.theme;
  else root.dataset.theme = other;
  try {
    if (other === system) localStorage.removeItem("theme");
    else localStorage.setItem("theme", other);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

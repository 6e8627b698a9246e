/** Short ways to the elements of the page. */

export const $ = (id) => document.getElementById(id);

export function made(tag, words = "", name = "") {
  const element = document.createElement(tag);
  element.textContent = words;
  element.className = name;
  return element;
}

/** Writes only what changes, since a change makes the browser lay the page out again. */
export function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Makes `list` have a child for each item: `make()` builds one, `fill(child, item)` writes it. */
export function fillList(list, items, make, fill) {
  while (list.children.length > items.length) list.lastElementChild.remove();
  while (list.children.length < items.length) list.append(make());
  items.forEach((item, place) => fill(list.children[place], item));
}

/** Downloads what is at `address` of this server. */
export function download(address, name) {
  const link = made("a");
  link.href = address;
  link.download = name;
  link.click();
}

/** The local time as part of a file's name, such as 2026-11-21-16-05-09. */
export function stamp() {
  const now = new Date(Date.now() - 60_000 * new Date().getTimezoneOffset());
  return now.toISOString().slice(0, 19).replace(/[T:]/g, "-");
}

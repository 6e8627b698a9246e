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

/** Downloads what is at `address` of this server, which names the file. */
export function download(address) {
  const link = made("a");
  link.href = address;
  link.download = "";
  link.click();
}

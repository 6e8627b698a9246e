/** Helpers for the elements of the page. */

export const $ = (id) => document.getElementById(id);

export function create(tag, text = "", name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = name;
  return element;
}

/** Sets the text only if it differs, since a change makes the browser lay the page out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Gives `list` a child for each item: `make()` creates one, `fill(child, item)` fills it. */
export function fillList(list, items, make, fill) {
  while (list.children.length > items.length) list.lastElementChild.remove();
  while (list.children.length < items.length) list.append(make());
  items.forEach((item, index) => fill(list.children[index], item));
}

/** Downloads a file of this server, which names it. */
export function download(url) {
  const link = create("a");
  link.href = url;
  link.download = "";
  link.click();
}

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

/** A round button with an icon of the page, by its name. */
export function icon(name, className, action) {
  const button = create("button", "", `round ${className}`);
  button.type = "button";
  const namespace = "http://www.w3.org/2000/svg";
  const image = document.createElementNS(namespace, "svg");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#i-${name}`);
  image.append(use);
  button.append(image);
  button.onclick = action;
  return button;
}

/** Copies with execCommand: the clipboard API is not available over plain http. */
export function copy(element, button) {
  getSelection().selectAllChildren(element);
  const before = button.textContent;
  setText(button, document.execCommand("copy") ? "Copied" : "Selected");
  setTimeout(() => setText(button, before), 2000);
}

/** Downloads a file of this server, which names it. */
export function download(url) {
  const link = create("a");
  link.href = url;
  link.download = "";
  link.click();
}

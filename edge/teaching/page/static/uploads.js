/** Image files that are dropped on a card or chosen, sent one after the other. */

/**
 * Sends `files` to a class. `progress(done, all)` is called before each, and `refused(text)` with
 * the reason for each that is no image.
 */
export async function upload(files, label, progress, refused) {
  for (const [index, file] of files.entries()) {
    progress(index, files.length);
    const reason = await sendFile(file, label);
    if (reason) refused(reason);
  }
  progress(files.length, files.length);
}

/** Returns why a file was not taken; "" where it was. */
async function sendFile(file, label) {
  const query = new URLSearchParams({ label, name: file.name });
  try {
    const answer = await fetch(`/api/images?${query}`, { method: "POST", body: file });
    if (answer.ok) return "";
    const text = await answer.text();
    return answer.headers.get("content-type") === "application/json" ? JSON.parse(text).message : text;
  } catch {
    return `${file.name} was not sent: it cannot be read, or the connection is lost`;
  }
}

/** Calls `take(files)` with what is dropped on `element`, which gets the class "dropping". */
export function acceptDrops(element, take) {
  const mark = (on) => element.classList.toggle("dropping", on);
  element.ondragover = (event) => {
    event.preventDefault();
    mark(true);
  };
  element.ondragleave = (event) => element.contains(event.relatedTarget) || mark(false);
  element.ondrop = (event) => {
    event.preventDefault();
    event.stopPropagation();
    mark(false);
    take([...event.dataTransfer.files]);
  };
}

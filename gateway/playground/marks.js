// Marks in a text, and the link between those of an answer and those of the caption.

import { element } from "./dom.js";

// Fills `node` with `text` in which the spans are marked. Spans are in order and do not overlap.
export function fillMarked(node, text, spans, { focusable = false } = {}) {
  let position = 0;
  const pieces = [];
  for (const { start, end, key } of spans) {
    const mark = element("mark", {}, text.slice(start, end));
    mark.dataset.key = key;
    if (focusable) mark.tabIndex = 0;
    pieces.push(text.slice(position, start), mark);
    position = end;
  }
  node.replaceChildren(...pieces, text.slice(position));
}

// Pointing at a mark, or focusing it, lights all marks of the same key within `root`.
export function linkMarks(root) {
  const light = (event) => {
    const key = event.target.closest?.("mark")?.dataset.key;
    for (const mark of root.querySelectorAll("mark")) {
      mark.classList.toggle("lit", key !== undefined && mark.dataset.key === key);
    }
    if (key !== undefined) reveal(root.querySelector(".caption mark.lit"));
  };
  for (const type of ["pointerover", "focusin", "focusout"]) root.addEventListener(type, light);
  root.addEventListener("pointerleave", light);
}

// Scrolls the caption alone, never the page under the pointer.
function reveal(mark) {
  const caption = mark?.closest(".caption");
  if (!caption) return;
  const above = mark.offsetTop - caption.offsetTop - caption.scrollTop;
  if (above < 0 || above > caption.clientHeight - 24) {
    caption.scrollTop += above - caption.clientHeight / 2;
  }
}

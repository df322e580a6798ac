// Small helpers for nodes. Text is always set as text, never as HTML.

export const byId = (id) => document.getElementById(id);

// A new element with properties and children; strings become text nodes.
export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// A copy of the one element in a <template>.
export const copyOf = (template) => byId(template).content.firstElementChild.cloneNode(true);

// Changes a scrolling node and keeps its end in view, but only if the end was in view before.
export function keepingEnd(node, change) {
  const atEnd = node.scrollHeight - node.scrollTop - node.clientHeight < 8;
  change();
  if (atEnd) node.scrollTop = node.scrollHeight;
}

let hiding;

// A message that goes away by itself.
export function toast(words) {
  byId("toast").textContent = words;
  clearTimeout(hiding);
  hiding = setTimeout(() => byId("toast").replaceChildren(), 4000);
}

// "0.9 s", "12 ms": a duration in milliseconds with its unit.
export function duration(ms) {
  return ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

// Text as it has to stand in HTML source, for the Markdown renderer; nodes need none of it.
export const escaped = (text) =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

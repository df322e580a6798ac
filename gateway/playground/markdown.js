// Markdown of strangers, made into nodes that can do nothing: no picture, no script, no style.

import { Marked } from "./vendor/marked/marked.esm.js";
import "./vendor/dompurify/purify.min.js";
import { escaped } from "./dom.js";
import { formulaRules, typeset } from "./formulas.js";

const { DOMPurify } = globalThis;
// Beyond it text stays plain: a parser's time must not be a stranger's choice.
const MOST_CHARACTERS = 20_000;
const CLEAN = {
  ALLOWED_TAGS: `a blockquote br code del em h4 hr li ol p pre span strong table tbody td th thead tr
    ul`.split(/\s+/),
  ALLOWED_ATTR: ["class", "href", "start"],
  ALLOWED_URI_REGEXP: /^https?:\/\//i,
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // HTML is shown as the text that it is, a picture as its description.
    html: ({ text, block }) => (block ? `<p>${escaped(text)}</p>` : escaped(text)),
    image: ({ text }) => escaped(text),
    heading({ tokens }) {
      return `<h4>${this.parser.parseInline(tokens)}</h4>`;
    },
  },
});
marked.use({ extensions: formulaRules });

// A fragment of harmless nodes.
export function rendered(text) {
  if (text.length > MOST_CHARACTERS) {
    const fragment = document.createDocumentFragment();
    fragment.append(text);
    return fragment;
  }
  const fragment = DOMPurify.sanitize(marked.parse(text), CLEAN);
  for (const link of fragment.querySelectorAll("a")) {
    Object.assign(link, { target: "_blank", rel: "noopener noreferrer nofollow", title: link.href });
  }
  // What scrolls must be reachable by keyboard.
  for (const wide of fragment.querySelectorAll("pre, table")) wide.tabIndex = 0;
  return fragment;
}

// A node whose Markdown grows. It is drawn anew at most a tenth of the time.
export class Prose {
  #node;
  #text = "";
  #due = null;
  #cost = 0;

  constructor(node) {
    this.#node = node;
  }

  set(text) {
    if (text === this.#text) return;
    this.#text = text;
    this.#due ??= setTimeout(() => this.#draw(), 16 + 10 * this.#cost);
  }

  #draw() {
    const began = performance.now();
    this.#due = null;
    this.#node.replaceChildren(rendered(this.#text));
    typeset(this.#node);
    this.#cost = performance.now() - began;
  }
}

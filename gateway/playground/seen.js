// What was seen: the caption and the tentative response, as they come, and where they came from.

import { duration, element, keepingEnd, plural } from "./dom.js";
import { fillMarked } from "./marks.js";

const HINTS = {
  hit: "It was in the cache: nobody looked at the pictures again.",
  miss: "The captioner looked at the pictures for this question.",
  coalesced: "Somebody else asked the same at the same time: both share one look.",
  bypass: "The cache was neither read nor written.",
};

export class Seen {
  caption = "";
  #tentative = "";
  #node;
  #spans = [];

  constructor(node) {
    this.#node = node;
    this.#meta({ words: ["looking …"] });
  }

  hear({ part, text }) {
    if (part === "caption") this.#show(this.caption + text);
    else this.#showTentative(this.#tentative + text);
  }

  // The whole visual context. `shared` is by how many reasoners, if it is more than one.
  settle(context, { ms, tokens, shared = 1 }) {
    if (context.caption !== this.caption) this.#show(context.caption);
    this.#showTentative(context.tentative ?? "");
    this.#note(context);
    this.tell(context, { ms, tokens, shared });
  }

  tell({ cache }, { ms, tokens, shared = 1 }) {
    const words = [cache, duration(ms), tokens === undefined ? "" : plural(tokens, "token")];
    if (shared > 1) words.push(`seen once, for ${shared === 2 ? "both" : `all ${shared}`}`);
    this.#meta({ words, title: HINTS[cache] });
  }

  stop(words) {
    this.#meta({ words: [words] });
  }

  // Marks what answers took from here, beside what is marked already.
  mark(spans) {
    const byStart = new Map([...this.#spans, ...spans].map((span) => [span.start, span]));
    this.#spans = [...byStart.values()].sort((one, other) => one.start - other.start);
    fillMarked(this.#caption, this.caption, this.#spans);
  }

  get #caption() {
    return this.#node.querySelector(".caption");
  }

  #show(text) {
    this.caption = text;
    keepingEnd(this.#caption, () => (this.#caption.textContent = text));
  }

  #showTentative(text) {
    const details = this.#node.querySelector(".tentative");
    details.hidden = text === "";
    this.#tentative = text;
    keepingEnd(details.querySelector(".text"), () => {
      details.querySelector(".text").textContent = text;
    });
  }

  #note({ truncated, failed }) {
    const notes = truncated.map((part) => `The ${part} was cut at the captioner's token limit.`);
    if (failed) notes.push(`There is no tentative response: ${failed.message}.`);
    const node = this.#node.querySelector(".note");
    node.textContent = notes.join(" ");
    node.hidden = notes.length === 0;
  }

  #meta({ words, title = "" }) {
    const shown = words.filter(Boolean).map((word) => element("span", {}, word));
    Object.assign(this.#node.querySelector(".meta"), { title }).replaceChildren(...shown);
  }
}

// One reasoner's thinking and answer, as they come.

import { announce, Sentences } from "./announcer.js";
import { copyOf, duration, element, keepingEnd, plural } from "./dom.js";
import { evidence, remark } from "./evidence.js";
import { showFailure } from "./failures.js";
import { Prose } from "./markdown.js";
import { fillMarked } from "./marks.js";
import { Timeline } from "./timeline.js";

// What a reasoner answers that cannot know: a state, not an error.
const REFUSAL = /^(?:sorry\W+)?the (?:caption|image|picture) (?:does not|doesn't) (?:tell|say|show|mention|provide|contain|include|specify)\b/i;
const LONG = 60;

export class Column {
  #thought = "";
  #said = "";
  #prose;
  #sentences;
  #touched = false;
  #began = null;

  // `named` shows the reasoner's name above; `aloud` has its sentences announced as they come.
  constructor(model, scale, { named, aloud }) {
    this.model = model;
    this.node = copyOf("column-template");
    this.timeline = new Timeline(this.find(".timeline"), scale);
    this.#prose = new Prose(this.find(".prose"));
    this.#sentences = aloud ? new Sentences() : null;
    this.find(".name").textContent = model;
    this.find(".name").hidden = !named;
    this.find(".thinking > summary").addEventListener("click", () => (this.#touched = true));
  }

  find(selector) {
    return this.node.querySelector(selector);
  }

  begin() {
    this.#began = performance.now();
    this.node.dataset.state = "waiting";
    this.timeline.begin("first token");
  }

  think(text) {
    this.#started();
    this.#showThought(this.#thought + text);
    if (!this.#touched) this.find(".thinking").open = true;
    this.find(".thinking .meta").textContent = duration(performance.now() - this.#began);
  }

  say(text) {
    this.#started();
    this.#said += text;
    const { thought, said } = apart(this.#said);
    if (thought !== null && !said) return this.#showThought(thought);
    if (!this.#touched) this.find(".thinking").open = false;
    this.node.dataset.state = "answering";
    this.#prose.set(said);
    this.#sentences?.hear(said);
  }

  // Shows the whole answer; `caption` is where its evidence is looked for, null where there is none. Returns what was found.
  settle(response, caption) {
    const { answer, text, reasoning, timing_ms: timing, usage, finish_reason: reason } = response;
    this.#showThought(reasoning ?? "");
    if (!this.#touched) this.find(".thinking").open = false;
    if (!reasoning) this.find(".thinking .text").textContent = "This reasoner does not think aloud.";
    this.#prose.set(working(text, answer));
    // Of several reasoners none perceived: what was seen tells that time, once.
    this.timeline.settle(this.find(".name").hidden ? timing : { ...timing, perceive: 0 });
    this.#meta(duration(timing.reason), plural(usage.reasoner.completion_tokens, "token"));
    this.answer = answer;
    this.find(".actions").hidden = false;
    return caption !== null && REFUSAL.test(answer) ? this.#refuse(answer) : this.#conclude(answer, caption, reason);
  }

  fail(failure) {
    this.timeline.stop();
    this.node.dataset.state = "failed";
    showFailure(this.find(".answer .failure"), failure);
  }

  stop() {
    this.timeline.stop();
    if (this.answer !== undefined) return;
    this.node.dataset.state = "stopped";
    this.#meta("stopped");
  }

  #started() {
    if (this.node.dataset.state !== "waiting") return;
    this.node.dataset.state = "thinking";
    this.timeline.begin("reason");
  }

  #showThought(text) {
    if (text === this.#thought) return;
    this.#thought = text;
    const node = this.find(".thinking .text");
    keepingEnd(node, () => (node.textContent = text));
  }

  #conclude(answer, caption, reason) {
    const found = evidence(answer, caption);
    this.node.dataset.state = "done";
    fillMarked(this.find(".final"), answer, found.answer, { focusable: true });
    this.find(".final").classList.toggle("long", answer.length > LONG);
    const cut = reason === "length" ? "cut at the reasoner's token limit" : "";
    this.find(".checked").textContent = [cut, remark(found)].filter(Boolean).join(" · ");
    announce(`${this.model} answers: ${answer}. ${remark(found)}`);
    return found.caption;
  }

  #refuse(answer) {
    this.node.dataset.state = "refused";
    this.find(".final").textContent = answer.replace(/\.?$/, ".");
    this.find(".checked").textContent =
      "What was seen does not hold it. Another question makes another caption; a vision-language " +
      "captioner sees more than print (docs/embedded.md).";
    announce(`${this.model}: ${this.find(".checked").textContent}`);
    return [];
  }

  #meta(...words) {
    const shown = words.map((word) => element("span", {}, word));
    this.find(".answer .meta").replaceChildren(...shown);
  }
}

// Some servers leave thinking in the text, between <think> tags; templates may open the first one.
function apart(text) {
  const end = text.lastIndexOf("</think>");
  if (end >= 0) return { thought: text.slice(0, end), said: text.slice(end + 8).trimStart() };
  return text.startsWith("<think>") ? { thought: text.slice(7), said: "" } : { thought: null, said: text };
}

// The text without what only repeats the answer.
function working(text, answer) {
  const rest = text.trim().endsWith(`Answer: ${answer}`)
    ? text.trim().slice(0, -`Answer: ${answer}`.length)
    : text;
  return rest.trim() === answer.trim() ? "" : rest.trim();
}

// One question: how it is asked, and what is shown of it while it is answered.

import { announce } from "./announcer.js";
import { Column } from "./column.js";
import { byId, copyOf, toast } from "./dom.js";
import { Failure, showFailure } from "./failures.js";
import { perceive, solve } from "./gateway.js";
import { linkMarks } from "./marks.js";
import { Seen } from "./seen.js";
import { Scale } from "./timeline.js";

// In the place of what was seen.
const UNCAPTIONED = "no caption: the reasoner sees for itself";

export class Run {
  state = "running";
  #stopper = new AbortController();
  #perceived = false;

  // `seeing` are the names of the reasoners that see the pictures themselves.
  constructor({ question, pictures, models, seeing }) {
    Object.assign(this, { question, pictures, seeing });
    this.node = copyOf("run-template");
    this.node.querySelector(".asked").textContent = question;
    this.seen = new Seen(this.node.querySelector(".seen"));
    const several = models.length > 1;
    const scale = new Scale();
    this.columns = models.map(
      (model) => new Column(model, scale, { named: several, aloud: !several }),
    );
    this.node.querySelector(".columns").append(...this.columns.map((column) => column.node));
    this.node.addEventListener("click", (event) => this.#copy(event));
    linkMarks(this.node);
  }

  // Asks, and shows what comes. Never raises: a failure is shown, and is in `failure`.
  async ask() {
    announce("Looking at the pictures.");
    try {
      await (this.columns.length > 1 ? this.#compare() : this.#askOne(this.columns[0]));
      this.state = this.columns.every((column) => column.answer !== undefined) ? "done" : "failed";
    } catch (failure) {
      this.#fail(failure);
    }
  }

  // Aborting the request is what stops captioner and reasoner, too.
  stop() {
    this.#stopper.abort();
  }

  // What the list of earlier questions shows.
  get summary() {
    const answers = this.columns.map((column) => column.answer).filter((one) => one !== undefined);
    return answers.length ? answers.join(" · ") : this.state;
  }

  get #signal() {
    return this.#stopper.signal;
  }

  #sees(column) {
    return this.seeing.has(column.model);
  }

  async #askOne(column) {
    if (this.#sees(column)) {
      this.seen.stop(UNCAPTIONED);
      return this.#askNative(column);
    }
    const began = performance.now();
    column.timeline.begin("perceive");
    const { question, pictures } = this;
    const steps = {
      "visual_context.delta": (piece) => this.seen.hear(piece),
      "visual_context.done": (context) => {
        this.#perceived = true;
        this.seen.settle(context, { ms: performance.now() - began });
        column.begin();
      },
      "reasoning.delta": ({ text }) => column.think(text),
      "answer.delta": ({ text }) => column.say(text),
      done: (response) => this.#settle(column, response),
    };
    const asked = solve({ question, pictures, model: column.model, signal: this.#signal });
    for await (const { name, data } of asked) steps[name]?.(data);
  }

  #settle(column, response) {
    const { visual_context: context, timing_ms: timing, usage } = response;
    const tokens = usage.captioner.completion_tokens;
    // One that saw for itself has nothing to be looked for in.
    if (!context) {
      if (this.columns.length === 1) this.seen.stop(UNCAPTIONED);
      return void column.settle(response, null);
    }
    if (this.columns.length === 1) this.seen.tell(context, { ms: timing.perceive, tokens });
    this.seen.mark(column.settle(response, this.seen.caption));
  }

  // Those that see are sent the pictures, beside what the others are told of them.
  async #compare() {
    const native = this.columns.filter((column) => this.#sees(column));
    const reading = this.columns.filter((column) => !this.#sees(column));
    if (!reading.length) this.seen.stop(UNCAPTIONED);
    await Promise.all([
      ...native.map((column) => this.#tried(column, () => this.#askNative(column))),
      ...(reading.length ? [this.#askReading(reading).catch((failure) => this.#unread(failure, reading))] : []),
    ]);
  }

  // Those that see answer where nothing could be captioned for the others.
  #unread(failure, reading) {
    if (this.#signal.aborted || reading.length === this.columns.length) throw failure;
    this.failure = failure;
    this.seen.stop("failed");
    for (const column of reading) column.fail(failure);
  }

  async #askNative(column) {
    const { question, pictures } = this;
    column.begin();
    const steps = {
      "reasoning.delta": ({ text }) => column.think(text),
      "answer.delta": ({ text }) => column.say(text),
      done: (response) => this.#settle(column, response),
    };
    const asked = solve({ question, pictures, model: column.model, signal: this.#signal });
    for await (const { name, data } of asked) {
      this.#perceived = true;
      steps[name]?.(data);
    }
  }

  // One perception, then every reasoner that reads on the same visual context.
  async #askReading(columns) {
    const began = performance.now();
    const { question, pictures } = this;
    const { id, visual_context: context, usage } = await perceive({ question, pictures, signal: this.#signal });
    this.#perceived = true;
    this.seen.settle(context, {
      ms: performance.now() - began,
      tokens: usage.completion_tokens,
      shared: columns.length,
    });
    await Promise.all(columns.map((column) => this.#tried(column, () => this.#askOn(id, column))));
  }

  // One that fails fails alone.
  async #tried(column, ask) {
    try {
      await ask();
    } catch (failure) {
      if (this.#signal.aborted) throw failure;
      this.failure = failure;
      column.fail(failure);
    }
  }

  async #askOn(id, column) {
    const steps = {
      "visual_context.done": () => column.begin(),
      "reasoning.delta": ({ text }) => column.think(text),
      "answer.delta": ({ text }) => column.say(text),
      done: (response) => this.#settle(column, response),
    };
    const { question } = this;
    const asked = solve({ question, model: column.model, context: id, signal: this.#signal });
    for await (const { name, data } of asked) steps[name]?.(data);
  }

  #fail(failure) {
    for (const column of this.columns) column.stop();
    if (!this.#perceived) this.seen.stop(this.#signal.aborted ? "stopped" : "failed");
    if (this.#signal.aborted) {
      this.state = "stopped";
      announce("Stopped.");
      return;
    }
    this.state = "failed";
    this.failure = failure;
    // A mistake of the page itself.
    if (!(failure instanceof Failure)) console.error(failure);
    if (this.#perceived) this.columns[0].fail(failure);
    else this.#failBeforeAnything(failure);
  }

  #failBeforeAnything(failure) {
    showFailure(this.node.querySelector(":scope > .failure"), failure);
    this.node.querySelector(".columns").hidden = true;
  }

  async #copy({ target }) {
    const what = target.dataset?.copy;
    if (!what) return;
    const { answer, model } = this.columns.find((one) => one.node.contains(target));
    // Most visitors copy nothing.
    const { copyAs } = await import("./code.js");
    toast(await copyAs(what, { question: this.question, pictures: this.pictures, model, answer }));
  }
}

// Puts a run before the reader.
export function show(run) {
  byId("shown").replaceChildren(run.node);
}

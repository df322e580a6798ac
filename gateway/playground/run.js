// One question: how it is asked, and what is shown of it while it is answered.

import { announce } from "./announcer.js";
import { Column } from "./column.js";
import { byId, copyOf, toast } from "./dom.js";
import { Failure, showFailure } from "./failures.js";
import { perceive, solve } from "./gateway.js";
import { linkMarks } from "./marks.js";
import { Seen } from "./seen.js";
import { Scale } from "./timeline.js";

export class Run {
  state = "running";
  #stopper = new AbortController();
  #perceived = false;

  constructor({ question, pictures, models }) {
    Object.assign(this, { question, pictures });
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

  async #askOne(column) {
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
    if (this.columns.length === 1) this.seen.tell(context, { ms: timing.perceive, tokens });
    this.seen.mark(column.settle(response, this.seen.caption));
  }

  // One perception, then every reasoner on the same visual context.
  async #compare() {
    const began = performance.now();
    const { question, pictures } = this;
    const { id, visual_context: context, usage } = await perceive({ question, pictures, signal: this.#signal });
    this.#perceived = true;
    this.seen.settle(context, {
      ms: performance.now() - began,
      tokens: usage.completion_tokens,
      shared: this.columns.length,
    });
    await Promise.all(this.columns.map((column) => this.#askOn(id, column)));
  }

  async #askOn(id, column) {
    const steps = {
      "visual_context.done": () => column.begin(),
      "reasoning.delta": ({ text }) => column.think(text),
      "answer.delta": ({ text }) => column.say(text),
      done: (response) => this.#settle(column, response),
    };
    const { question } = this;
    try {
      const asked = solve({ question, model: column.model, context: id, signal: this.#signal });
      for await (const { name, data } of asked) steps[name]?.(data);
    } catch (failure) {
      if (this.#signal.aborted) throw failure;
      this.failure = failure;
      column.fail(failure);
    }
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

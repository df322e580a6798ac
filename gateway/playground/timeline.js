// The time bar of one answer: its stages side by side, as a browser's network panel has them.

import { duration, element } from "./dom.js";

const STAGES = ["perceive", "first token", "reason"];
const SCALES_MS = [1000, 2000, 5000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000];
const TICK_MS = 100;

// Bars that are read side by side share one scale, which only grows.
export class Scale {
  #bars = [];
  ms = SCALES_MS[0];

  add(bar) {
    this.#bars.push(bar);
  }

  fit(total) {
    if (total <= this.ms) return;
    this.ms = SCALES_MS.find((one) => one >= total) ?? total;
    for (const bar of this.#bars) bar.draw();
  }
}

export class Timeline {
  #scale;
  #spent = Object.fromEntries(STAGES.map((stage) => [stage, 0]));
  #bars = {};
  #words = element("span", { className: "words" });
  #total = element("span", { className: "total" });
  #stage = null;
  #since = 0;
  #ticking = null;

  constructor(node, scale) {
    this.#scale = scale;
    scale.add(this);
    const track = element("div", { className: "track" });
    track.ariaHidden = "true";
    for (const stage of STAGES) {
      this.#bars[stage] = element("span", { className: stage.replace(" ", "-") });
      track.append(this.#bars[stage]);
    }
    node.append(track, element("p", {}, this.#words, this.#total));
    this.draw();
  }

  // Ends the stage before it.
  begin(stage) {
    this.stop();
    this.#stage = stage;
    this.#since = performance.now();
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  stop() {
    if (this.#stage) this.#tick();
    clearInterval(this.#ticking);
    this.#stage = null;
  }

  // Replaces what was measured here by what the gateway measured.
  settle({ perceive, first_token: first, reason }) {
    this.stop();
    this.#spent = { perceive, "first token": first, reason: Math.max(0, reason - first) };
    this.draw();
  }

  #tick() {
    const now = performance.now();
    this.#spent[this.#stage] += now - this.#since;
    this.#since = now;
    this.draw();
  }

  draw() {
    const total = STAGES.reduce((sum, stage) => sum + this.#spent[stage], 0);
    this.#scale.fit(total);
    for (const stage of STAGES) {
      this.#bars[stage].style.width = `${(100 * this.#spent[stage]) / this.#scale.ms}%`;
    }
    const begun = STAGES.filter((stage) => this.#spent[stage] > 0);
    this.#words.replaceChildren(...begun.map((stage) => this.#legend(stage)));
    this.#total.textContent = begun.length ? duration(total) : "";
  }

  #legend(stage) {
    const className = stage.replace(" ", "-");
    return element("span", { className }, `${stage} ${duration(this.#spent[stage])}`);
  }
}

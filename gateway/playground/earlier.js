// The questions of before, the last one first; choosing one shows it again.

import { byId, element } from "./dom.js";

const MOST = 50;

export class Earlier {
  #runs = [];
  #choose;

  constructor(choose) {
    this.#choose = choose;
  }

  get last() {
    return this.#runs[0];
  }

  add(run) {
    this.#runs = [run, ...this.#runs].slice(0, MOST);
    this.show(run);
  }

  clear() {
    this.#runs = [];
    this.show(null);
  }

  // Draws the list; `current` is the run that is shown beside it.
  show(current) {
    byId("earlier").hidden = this.#runs.length === 0;
    const entries = this.#runs.map((run) => element("li", {}, this.#entry(run, run === current)));
    byId("earlier").querySelector("ol").replaceChildren(...entries);
  }

  #entry(run, current) {
    const button = element(
      "button",
      { type: "button" },
      element("span", { className: "q" }, run.question),
      element("span", { className: "a" }, run.summary),
    );
    if (current) button.ariaCurrent = "true";
    button.addEventListener("click", () => this.#choose(run));
    return button;
  }
}

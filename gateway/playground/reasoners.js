// Which reasoners are asked: one, or several side by side.

import { byId, element } from "./dom.js";
import { reasonerCards } from "./gateway.js";

const MOST = 4;

export class Reasoners {
  #names = [];
  #seeing = new Set();
  #selects = [];

  constructor() {
    byId("compare").addEventListener("click", () => {
      this.#add(this.#unused ?? this.#names[0]);
      this.#selects.at(-1).focus();
    });
    this.#show();
  }

  // The names that are chosen, in order. None while the gateway has not told any.
  get chosen() {
    return this.#selects.map((select) => select.value);
  }

  // The names of those that see the pictures themselves.
  get seeing() {
    return this.#seeing;
  }

  // Asks the gateway which there are; what was chosen stays chosen where it still exists. Raises
  // Failure.
  async load() {
    const cards = await reasonerCards();
    this.#names = cards.map(({ name }) => name);
    this.#seeing = new Set(cards.filter(({ sees }) => sees).map(({ name }) => name));
    const kept = this.chosen.filter((name) => this.#names.includes(name));
    const first = this.#names.includes("default") ? "default" : this.#names[0];
    for (const select of this.#selects) select.parentElement.remove();
    this.#selects = [];
    for (const name of kept.length ? kept : [first].filter(Boolean)) this.#add(name);
    this.#show();
  }

  get #unused() {
    return this.#names.find((name) => !this.chosen.includes(name));
  }

  #add(chosen) {
    const options = this.#names.map((name) => element("option", { value: name }, name));
    const select = element("select", {}, ...options);
    select.value = chosen;
    select.ariaLabel = `Reasoner ${this.#selects.length + 1}`;
    const holder = element("span", { className: "reasoner" }, select);
    if (this.#selects.length) holder.append(this.#remover(holder, select));
    this.#selects.push(select);
    byId("compare").before(holder);
    this.#show();
  }

  #remover(holder, select) {
    const remove = element("button", { type: "button", className: "quiet icon" }, "×");
    remove.ariaLabel = "Do not compare with this reasoner";
    remove.addEventListener("click", () => {
      this.#selects = this.#selects.filter((one) => one !== select);
      holder.remove();
      this.#show();
      byId("compare").focus();
    });
    return remove;
  }

  #show() {
    const button = byId("compare");
    button.hidden = this.#names.length < 2;
    button.disabled = this.#selects.length >= Math.min(MOST, this.#names.length);
  }
}

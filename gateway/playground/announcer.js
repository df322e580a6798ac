// What a screen reader says: whole sentences, never the pieces of a stream.

import { byId } from "./dom.js";

const SENTENCES = /[^.!?:\n]*(?:[.!?:](?!\s)[^.!?:\n]*)*(?:[.!?:](?=\s)|\n)/y;

export function announce(words) {
  byId("announcer").textContent = words;
}

// Takes a growing text and announces its sentences once they are whole.
export class Sentences {
  #said = 0;

  hear(text) {
    const whole = [];
    SENTENCES.lastIndex = this.#said;
    for (let match; (match = SENTENCES.exec(text)); this.#said = SENTENCES.lastIndex) {
      whole.push(match[0].trim());
    }
    const words = whole.filter(Boolean).join(" ");
    if (words) announce(words);
  }
}

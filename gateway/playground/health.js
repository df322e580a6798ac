// The dot at the top: whether a question would be answered now.

import { byId } from "./dom.js";
import { health } from "./gateway.js";

const EVERY_MS = 10_000;

function show(state, words, details = "") {
  const node = byId("health");
  node.dataset.state = state;
  node.title = details;
  node.querySelector(".words").textContent = words;
}

// Asks once and shows the answer; calls `then` when it is ready.
async function look(then) {
  try {
    const { ready, checks } = await health();
    const wrong = Object.entries(checks).filter(([, word]) => word !== "ok");
    const details = wrong.map(([name, word]) => `${name}: ${word}`).join("\n");
    const first = wrong.length ? wrong[0].join(": ") : "";
    if (ready) show("ready", first ? `ready, but ${first}` : "ready", details);
    else show("away", first || "not ready", details);
    if (ready) then();
  } catch {
    show("away", "the gateway does not answer");
  }
}

// Keeps looking while somebody looks at the page. Returns a function that looks at once.
export function watchHealth(then) {
  const now = () => look(then);
  setInterval(() => document.hidden || now(), EVERY_MS);
  document.addEventListener("visibilitychange", () => document.hidden || now());
  addEventListener("online", now);
  now();
  return now;
}

// Wires the page's parts together; holds what is asked now.

import { byId, toast } from "./dom.js";
import { Earlier } from "./earlier.js";
import { showExamples } from "./examples.js";
import { watchHealth } from "./health.js";
import { askForKey, givenKey, onKey } from "./key.js";
import { Pictures } from "./pictures.js";
import { Reasoners } from "./reasoners.js";
import { Run, show } from "./run.js";

const field = byId("question");
const start = byId("start");
const pictures = new Pictures(() => field.focus());
const reasoners = new Reasoners();
const earlier = new Earlier(chosen);
let running = null;
// A question that waits for a key.
let waiting = null;

async function loadReasoners() {
  if (reasoners.chosen.length) return;
  await reasoners.load().catch((failure) => {
    if (failure.code === "invalid_api_key") askForKey();
  });
}

function ask(question) {
  if (running) return;
  if (!pictures.all.length) return refuse("Give a picture first: drop, paste or browse.");
  if (!question) return refuse("Write a question about the picture.");
  const models = reasoners.chosen.length ? reasoners.chosen : ["default"];
  field.value = "";
  begin(new Run({ question, pictures: pictures.all, models, seeing: reasoners.seeing }));
}

function refuse(words) {
  toast(words);
  field.focus();
}

async function begin(run) {
  running = run;
  run.key = givenKey();
  earlier.add(run);
  show(run);
  // Where the page is one column the answer begins below the question.
  byId("shown").scrollIntoView({ block: "nearest" });
  showRunning();
  await run.ask();
  running = null;
  showRunning();
  earlier.show(run.node.isConnected ? run : null);
  if (run.failure) recover(run);
}

function showRunning() {
  byId("send").textContent = running ? "Stop" : "Ask";
  document.body.classList.toggle("running", running !== null);
}

// What the page itself can do about a failure.
function recover(run) {
  lookAtHealth();
  if (run.failure.code === "invalid_api_key") {
    if (run.key !== givenKey()) return askAgain(run);
    waiting = run;
    askForKey();
  }
  if (run.failure.code === "unknown_model") reasoners.load().catch(() => {});
}

const askAgain = (run) =>
  begin(new Run({ ...run, models: run.columns.map(({ model }) => model), seeing: reasoners.seeing }));

function chosen(run) {
  pictures.replace(run.pictures);
  show(run);
  earlier.show(run);
  byId("shown").focus();
}

function startOver() {
  running?.stop();
  earlier.clear();
  pictures.replace([]);
  byId("shown").replaceChildren(start);
}

function onFieldKey(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask(field.value.trim());
  }
  if (event.key === "ArrowUp" && field.value === "" && earlier.last) {
    event.preventDefault();
    field.value = earlier.last.question;
  }
}

function onPageKey(event) {
  const writing = event.target.matches("input, textarea, select");
  if (event.key === "Escape") running?.stop();
  if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    field.focus();
  }
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) running.stop();
  else ask(field.value.trim());
});
field.addEventListener("keydown", onFieldKey);
document.addEventListener("keydown", onPageKey);
byId("again").addEventListener("click", startOver);
showExamples(({ file, address, question }) => {
  pictures.addExample(file, address);
  ask(question);
});
onKey(async () => {
  await reasoners.load().catch((failure) => failure.code === "invalid_api_key" && askForKey());
  if (waiting && !running) askAgain(waiting);
  waiting = null;
});
const lookAtHealth = watchHealth(loadReasoners);
loadReasoners();
field.focus();

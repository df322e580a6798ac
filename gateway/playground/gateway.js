// The gateway's API, and only what docs/api.md has: whatever the page does, curl can do.

import { events } from "./events.js";
import { Failure, failureIn, failureOf } from "./failures.js";
import { authorization } from "./key.js";

// Every path is relative to the page, so that it works below a prefix, too.
async function call(path, { headers = {}, ...options } = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers, ...authorization() } });
  } catch (error) {
    throw options.signal?.aborted ? error : new Failure("offline");
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

const json = (body) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

// The reasoners that may be asked, as `{name, sees}`: one that sees is sent no captions.
export async function reasonerCards() {
  const { data } = await (await call("v1/models")).json();
  return data.map((card) => ({ name: card.id, sees: card.visual_context === false }));
}

// What each component says of itself: `{ready, checks}`. Raises an offline failure.
export async function health() {
  const response = await fetch("readyz").catch(() => {
    throw new Failure("offline");
  });
  const { checks = {} } = await response.json().catch(() => ({}));
  return { ready: response.ok, checks };
}

// The events of POST /v1/solve up to and with `done`. Raises Failure.
export async function* solve({ question, pictures, model, context, signal }) {
  const request = context
    ? json({ question, model, stream: true, visual_context: context })
    : { method: "POST", body: form({ question, pictures, model }) };
  const response = await call("v1/solve", { ...request, signal });
  try {
    for await (const event of events(response.body)) {
      if (event.name === "error") throw failureIn(event.data.error);
      yield event;
      if (event.name === "done") return;
    }
  } catch (error) {
    throw error instanceof Failure || signal.aborted ? error : new Failure("broken_off");
  }
  throw new Failure("broken_off");
}

function form({ question, pictures, model }) {
  const fields = new FormData();
  for (const { file } of pictures) fields.append("image", file, file.name);
  fields.append("question", question);
  fields.append("model", model);
  fields.append("stream", "true");
  return fields;
}

// One perception for several reasoners: what POST /v1/visual-contexts answers. Raises Failure.
export async function perceive({ question, pictures, signal }) {
  const images = await Promise.all(pictures.map(({ file }) => dataUrl(file)));
  const response = await call("v1/visual-contexts", { ...json({ question, images }), signal });
  return response.json();
}

export function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Failure("invalid_image", `${file.name} cannot be read`));
    reader.readAsDataURL(file);
  });
}

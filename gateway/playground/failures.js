// What went wrong, in words: what happened, to whom, and what to do about it.

import { element } from "./dom.js";

export class Failure extends Error {
  // `message` is the gateway's own sentence, `code` the error's code in docs/api.md.
  constructor(code, message = "", { retryAfter = null, status = null } = {}) {
    super(message);
    Object.assign(this, { code, retryAfter, status });
  }
}

// The failure that a response with an error's status tells.
export async function failureOf(response) {
  const error = (await response.json().catch(() => ({}))).error ?? {};
  return failureIn(error, {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
  });
}

// The failure in an error object, out of a response or an `error` event.
export function failureIn(error, more = {}) {
  return new Failure(error.code ?? "internal", error.message ?? "", more);
}

const WAIT = "Wait until the dot at the top says ready, then ask again.";
const WORDS = {
  offline: [
    "The gateway does not answer.",
    "See that it still runs and that your network reaches it, then ask again.",
  ],
  broken_off: [
    "The answer broke off.",
    "The connection ended too early. Ask again: what was already seen is in the cache.",
  ],
  invalid_request: ["The gateway does not take this question.", "Change what it names and ask again."],
  invalid_image: [
    "A picture cannot be read.",
    "Open it in another program and save it anew as PNG or JPEG.",
  ],
  unsupported_media_type: ["A file is no picture that can be read.", "Save it as PNG or JPEG."],
  too_large: ["That is more than the gateway takes.", "Give a smaller picture, or fewer of them."],
  context_length_exceeded: [
    "There is too much to read for this reasoner.",
    "Ask about fewer pictures at a time, or choose a reasoner with a longer context.",
  ],
  invalid_api_key: ["The gateway needs an API key.", "Type a good one in the field at the top."],
  url_forbidden: ["The gateway may not fetch that address.", "Save the picture and give the file."],
  unknown_model: ["There is no such reasoner any more.", "The list at the top is up to date: choose again."],
  unknown_visual_context: ["What was seen has expired.", "Ask again: the pictures are looked at anew."],
  rate_limited: ["Your key has reached a limit.", "Ask again later."],
  upstream_error: ["A service behind the gateway gave no usable answer.", "Whoever runs it finds more in its log."],
  overloaded: ["The gateway has too much to do.", "Ask again later."],
  upstream_unavailable: ["A service behind the gateway is away.", WAIT],
  deadline_exceeded: ["It took longer than allowed.", "Ask again, or ask about less."],
  internal: ["The gateway made a mistake.", "Its log has the details. Ask again, or report it."],
};

// Of a code that is not known here, what its status means.
function wordsFor({ code, status }) {
  const unknown = status >= 400 && status < 500 ? WORDS.invalid_request : WORDS.internal;
  return WORDS[code] ?? unknown;
}

function headline(failure) {
  const service = /\b(captioner|reasoner|cache)\b/.exec(failure.message)?.[1];
  if (failure.code === "upstream_unavailable" && service) return `The ${service} is away.`;
  return wordsFor(failure)[0];
}

function remedy(failure) {
  if (failure.retryAfter && failure.code === "rate_limited") {
    return `Ask again in ${failure.retryAfter} s.`;
  }
  return wordsFor(failure)[1];
}

// Shows a failure in its node, which assistive technology reads as an alert.
export function showFailure(node, failure) {
  const message = failure.message && `${failure.message.replace(/\.?$/, ".")}`;
  node.replaceChildren(
    element("strong", {}, headline(failure)),
    ...(message ? [element("p", { className: "told" }, message)] : []),
    element("p", {}, remedy(failure)),
  );
  node.hidden = false;
}

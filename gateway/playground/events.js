// Server-sent events out of a response's body; comments are dropped, as the standard says.

export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      yield* blocks.map(parsed).filter(Boolean);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  const fields = block.split("\n").map((line) => /^(event|data): ?(.*)$/.exec(line));
  const value = (name) => fields.find((field) => field?.[1] === name)?.[2];
  const data = value("data");
  return data === undefined ? null : { name: value("event"), data: JSON.parse(data) };
}

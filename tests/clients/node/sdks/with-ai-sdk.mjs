// The AI SDK over one of its providers, which is named behind the picture: plain, streamed, as an
// object, and with a tool that gives a picture.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";

import { base64, baseUrl, how, Named, question, Receipt, tell } from "./given.mjs";

const [provider] = how;
const settings = { baseURL: `${baseUrl}/v1`, apiKey: "none" };
const models = {
  // By responses, its default.
  "@ai-sdk/openai": () => createOpenAI(settings)("default"),
  "@ai-sdk/openai-compatible": () =>
    createOpenAICompatible({
      ...settings,
      name: "racro",
      includeUsage: true,
      supportsStructuredOutputs: true,
    })("default"),
  "@ai-sdk/anthropic": () => createAnthropic(settings)("default"),
};
const model = models[provider]();
const shown = { type: "image", image: base64, mediaType: "image/png" };
const messages = [{ role: "user", content: [{ type: "text", text: question }, shown] }];
const calls = [];
const look = tool({
  description: "Shows a picture.",
  inputSchema: Named,
  execute: async (input) => {
    calls.push(input);
    return base64;
  },
  toModelOutput: ({ output }) => ({
    type: "content",
    value: [{ type: "image-data", data: output, mediaType: "image/png" }],
  }),
});
const counts = (usage) => [usage.inputTokens, usage.outputTokens];

const whole = await generateText({ model, messages });
const streamed = streamText({ model, messages });
const pieces = [];
for await (const piece of streamed.textStream) pieces.push(piece);
const parsed = await generateText({ model, messages, output: Output.object({ schema: Receipt }) });
const told = await generateText({
  model,
  prompt: question,
  tools: { look },
  stopWhen: stepCountIs(2),
});

tell(provider, {
  chat: whole.text,
  usage: counts(whole.usage),
  stream: pieces.join(""),
  stream_usage: counts(await streamed.usage),
  parsed: parsed.output.total,
  call: calls[0],
  picture_in_tool_result: told.text,
});

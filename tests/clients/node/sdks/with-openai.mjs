// OpenAI's SDK, by `chat` or by `responses`: plain, streamed, parsed, with a tool that gives a picture.

import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

import { baseUrl, dataUrl, how, Named, question, Receipt, tell } from "./given.mjs";

const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: "none" });
const parameters = z.toJSONSchema(Named);

async function chat() {
  const shown = { type: "image_url", image_url: { url: dataUrl } };
  const messages = [{ role: "user", content: [{ type: "text", text: question }, shown] }];
  const asked = { model: "default", messages };
  const whole = await client.chat.completions.create(asked);
  const stream = client.chat.completions.stream({
    ...asked,
    stream_options: { include_usage: true },
  });
  const streamed = await stream.finalChatCompletion();
  const parsed = await client.chat.completions.parse({
    ...asked,
    response_format: zodResponseFormat(Receipt, "receipt"),
  });
  const tools = [{ type: "function", function: { name: "look", parameters } }];
  const textOnly = { role: "user", content: question };
  const called = await client.chat.completions.create({
    model: "default",
    messages: [textOnly],
    tools,
  });
  const [call] = called.choices[0].message.tool_calls;
  const result = { role: "tool", tool_call_id: call.id, content: [shown] };
  const told = await client.chat.completions.create({
    model: "default",
    messages: [textOnly, called.choices[0].message, result],
    tools,
  });
  return {
    chat: whole.choices[0].message.content,
    usage: [whole.usage.prompt_tokens, whole.usage.completion_tokens],
    stream: streamed.choices[0].message.content,
    stream_usage: [streamed.usage.prompt_tokens, streamed.usage.completion_tokens],
    parsed: parsed.choices[0].message.parsed.total,
    call: JSON.parse(call.function.arguments),
    picture_in_tool_result: told.choices[0].message.content,
  };
}

async function responses() {
  const shown = { type: "input_image", image_url: dataUrl, detail: "auto" };
  const asked = {
    model: "default",
    input: [{ role: "user", content: [{ type: "input_text", text: question }, shown] }],
  };
  const whole = await client.responses.create(asked);
  const streamed = await client.responses.stream(asked).finalResponse();
  const parsed = await client.responses.parse({
    ...asked,
    text: { format: zodTextFormat(Receipt, "receipt") },
  });
  const tools = [{ type: "function", name: "look", parameters, strict: false }];
  const textOnly = { role: "user", content: question };
  const called = await client.responses.create({ model: "default", input: [textOnly], tools });
  const [call] = called.output;
  const result = { type: "function_call_output", call_id: call.call_id, output: [shown] };
  const told = await client.responses.create({
    model: "default",
    input: [textOnly, call, result],
    tools,
  });
  return {
    chat: whole.output_text,
    usage: [whole.usage.input_tokens, whole.usage.output_tokens],
    stream: streamed.output_text,
    stream_usage: [streamed.usage.input_tokens, streamed.usage.output_tokens],
    parsed: parsed.output_parsed.total,
    call: JSON.parse(call.arguments),
    picture_in_tool_result: told.output_text,
  };
}

tell("openai", await { chat, responses }[how[0]]());

// OpenAI's own client for JavaScript, in what programs do with it. BASE_URL names a running Homeward.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI, { APIConnectionTimeoutError, APIError, InternalServerError, RateLimitError } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const STARTER = "llama/SmolLM2-135M-Instruct";
const TEXT = "Once upon a time there was a cat.";
const messages = [{ role: "user", content: "Where is Paris? Answer as JSON." }];
const tools = ["weather", "time"].map((name) => ({ type: "function", function: { name, parameters: { type: "object" } } }));
const Place = z.object({ city: z.string(), is_capital: z.boolean() });

const client = (options = {}) =>
  new OpenAI({ baseURL: process.env.BASE_URL, apiKey: "any", maxRetries: 0, ...options });

test("a stream comes in pieces", async () => {
  const stream = await client().chat.completions.create({ model: "gpt-4o", messages, stream: true });
  const pieces = [];
  for await (const chunk of stream) pieces.push(chunk.choices[0].delta.content ?? "");
  assert.equal(pieces.join(""), TEXT);
  assert.ok(pieces.length > 5);
});

test("the helper for streams tells its events", async () => {
  const stream = client().chat.completions.stream({ model: "gpt-4o", messages });
  let told = "";
  stream.on("content", (delta) => (told += delta));
  assert.equal(await stream.finalContent(), TEXT);
  assert.equal(told, TEXT);
});

test("a response is streamed and gone on from", async () => {
  const first = await client().responses.stream({ model: "gpt-4o", input: "Tell me a story." }).finalResponse();
  assert.equal(first.output_text, TEXT);
  const second = await client().responses.create({ model: "gpt-4o", input: "Go on.", previous_response_id: first.id });
  assert.equal((await client().responses.retrieve(second.id)).previous_response_id, first.id);
});

test("tools are called and their results taken", async () => {
  const answer = await client().chat.completions.stream({ model: "tools/calls", messages, tools }).finalMessage();
  const calls = answer.tool_calls.map((call) => [call.id, call.function.name, JSON.parse(call.function.arguments)]);
  assert.deepEqual(calls, [
    ["call_a", "weather", { city: "Paris" }],
    ["call_b", "time", { zone: "CET" }],
  ]);
  const results = calls.map(([id]) => ({ role: "tool", tool_call_id: id, content: "fine" }));
  const asked = { model: "body/body", messages: [...messages, answer, ...results], tools };
  const passedOn = JSON.parse((await client().chat.completions.create(asked)).choices[0].message.content);
  assert.deepEqual(passedOn.messages.map((message) => message.role), ["user", "assistant", "tool", "tool"]);
});

test("structured output is enforced on this device", async () => {
  const limits = { model: STARTER, temperature: 0 };
  const chat = { ...limits, messages, max_tokens: 100, response_format: zodResponseFormat(Place, "place") };
  const answer = await client().chat.completions.parse(chat);
  Place.parse(answer.choices[0].message.parsed);
  const text = { format: zodTextFormat(Place, "place") };
  const response = await client().responses.parse({ ...limits, input: "Where is Paris?", max_output_tokens: 100, text });
  Place.parse(response.output_parsed);
});

test("vectors come as numbers", async () => {
  const { data } = await client().embeddings.create({ model: "text-embedding-3-small", input: ["a river", "a hill"] });
  assert.deepEqual(data.map((each) => typeof each.embedding[0]), ["number", "number"]);
});

test("a timeout is the client's", async () => {
  const asked = { model: "silent/no-first-token-silence", messages };
  await assert.rejects(client({ timeout: 1000 }).chat.completions.create(asked), APIConnectionTimeoutError);
});

test("whoever leaves a stream stops the answer", async () => {
  const stream = await client().chat.completions.create({ model: "endless/never-ends", messages, stream: true });
  for await (const chunk of stream) {
    assert.ok(chunk.id);
    break;
  }
});

test("an answer that breaks off rejects", async () => {
  const stream = await client().chat.completions.create({ model: "broken/half-event-rst", messages, stream: true });
  let told = "";
  const reading = async () => {
    for await (const chunk of stream) told += chunk.choices[0].delta.content ?? "";
  };
  await assert.rejects(reading, APIError);
  assert.equal(told, "Once upon");
});

test("errors are the client's own, and it tries again", async () => {
  const retrying = client({ maxRetries: 2 }).chat.completions;
  await assert.rejects(retrying.create({ model: "busy-too/429-after-2", messages }), RateLimitError);
  await assert.rejects(retrying.create({ model: "down-too/status-502", messages }), InternalServerError);
  await assert.rejects(retrying.create({ model: "nobody", messages }), (error) => error.code === "model_not_found");
});

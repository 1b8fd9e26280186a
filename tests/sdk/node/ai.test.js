// The Vercel AI SDK against the gateway: each of its providers on a model whose provider speaks another dialect.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount, jsonSchema, Output, streamText, tool } from "ai";

const { BARTIZAN_URL, BARTIZAN_KEY, BARTIZAN_MASTER_KEY, MOCK_KEY, MOCK_URL } = process.env;
const openai = createOpenAI({ baseURL: `${BARTIZAN_URL}/v1`, apiKey: BARTIZAN_KEY });
const compatible = createOpenAICompatible({ name: "bartizan", baseURL: `${BARTIZAN_URL}/v1`, apiKey: BARTIZAN_KEY, includeUsage: true, supportsStructuredOutputs: true });
const anthropic = createAnthropic({ baseURL: `${BARTIZAN_URL}/v1`, apiKey: BARTIZAN_KEY });
const google = createGoogle({ baseURL: `${BARTIZAN_URL}/v1beta`, apiKey: BARTIZAN_KEY });

const CLIENTS = [
  ["openai chat on an Anthropic provider", openai.chat("claude-mock"), "/v1/messages"],
  ["openai responses on an Anthropic provider", openai.responses("claude-mock"), "/v1/messages"],
  ["openai-compatible on an Anthropic provider", compatible("claude-mock"), "/v1/messages"],
  ["google on an Anthropic provider", google("claude-mock"), "/v1/messages"],
  ["anthropic on an OpenAI provider", anthropic("gpt-mock"), "/v1/chat/completions"],
  ["google on an OpenAI provider", google("gpt-mock"), "/v1/chat/completions"],
];
const TEXT = 'आधार 🪪 "quoted"\nand a second line';
const SCHEMA = jsonSchema({
  type: "object",
  properties: {
    text: { type: "string" },
    call: { type: "integer" },
    nested: {
      type: "object",
      properties: { again: { type: "array", items: { type: "string" } } },
      required: ["again"],
      additionalProperties: false,
    },
  },
  required: ["text", "call", "nested"],
  additionalProperties: false,
});

const word = () => `w${randomUUID().replaceAll("-", "")}`;
const options = (model, prompt) => ({ model, prompt, maxOutputTokens: 100, maxRetries: 0, abortSignal: AbortSignal.timeout(20_000) });

async function received(text) {
  const answer = await fetch(`${MOCK_URL}/mock/requests?contains=${text}`);
  return (await answer.json()).requests;
}

// Two tools that tell what they were called with, by which its result is known.
function toolbox(ran) {
  const made = (name) =>
    tool({
      description: `The tool ${name}.`,
      inputSchema: SCHEMA,
      execute: async (input, { toolCallId }) => {
        ran.push({ name, input, id: toolCallId });
        return `${name} gave ${input.call}`;
      },
    });
  return { lookup: made("lookup"), measure: made("measure") };
}

// What the provider was shown of the calls and their results, in either dialect: [id, name] and [id, text].
function shown(body) {
  const calls = [];
  const results = [];
  for (const turn of body.messages) {
    for (const call of turn.tool_calls ?? []) {
      calls.push([call.id, call.function.name, JSON.parse(call.function.arguments)]);
    }
    if (turn.role === "tool") {
      results.push([turn.tool_call_id, turn.content]);
    }
    for (const block of Array.isArray(turn.content) ? turn.content : []) {
      if (block.type === "tool_use") {
        calls.push([block.id, block.name, block.input]);
      }
      if (block.type === "tool_result") {
        results.push([block.tool_use_id, block.content]);
      }
    }
  }
  return { calls, results };
}

// The second request holds both calls, and each call's own result, in order.
function assertAnswered(requests, ran, path) {
  assert.deepEqual(requests.map((request) => [request.path, request.outcome]), [[path, "whole"], [path, "whole"]]);
  for (const request of requests) {
    const all = JSON.stringify(request);
    assert.ok(!all.includes(BARTIZAN_KEY) && !all.includes(BARTIZAN_MASTER_KEY), "a key of the gateway's was sent on");
    assert.ok(Object.values(request.headers).flat().some((value) => value.includes(MOCK_KEY)));
    const { tools } = JSON.parse(request.body);
    assert.deepEqual(tools.map((each) => each.function?.name ?? each.name), ["lookup", "measure"]);
  }
  const { calls, results } = shown(JSON.parse(requests[1].body));
  assert.deepEqual(calls.map((call) => call[1]), ["lookup", "measure"]);
  assert.deepEqual(calls.map((call) => call[2]), ran.map((each) => each.input));
  assert.deepEqual(results.map((result) => result[0]), calls.map((call) => call[0]));
  assert.equal(new Set(calls.map((call) => call[0])).size, 2);
  results.forEach((result, index) => {
    assert.ok(JSON.stringify(result[1]).includes(`${ran[index].name} gave ${index}`), JSON.stringify(result));
  });
}

for (const [name, model, path] of CLIENTS) {
  test(`${name}: text, finish reason and usage`, async () => {
    const mark = word();
    const asked = options(model, `mock:usage-10-20 ${mark} ${TEXT}`);
    const whole = await generateText(asked);
    const stream = streamText({ ...asked, onError: () => {} });
    let said = "";
    for await (const piece of stream.textStream) {
      said += piece;
    }
    for (const [text, finish, usage] of [
      [whole.text, whole.finishReason, whole.usage],
      [said, await stream.finishReason, await stream.usage],
    ]) {
      assert.equal(text, `${mark} ${TEXT}`);
      assert.equal(finish, "stop");
      assert.deepEqual([usage.inputTokens, usage.outputTokens, usage.totalTokens], [10, 20, 30]);
    }
    assert.deepEqual((await received(mark)).map((request) => request.path), [path, path]);
  });

  test(`${name}: a cut by the output cap is told`, async () => {
    const asked = options(model, `mock:length ${word()}`);
    assert.equal((await generateText(asked)).finishReason, "length");
    const stream = streamText(asked);
    await stream.consumeStream();
    assert.equal(await stream.finishReason, "length");
  });

  test(`${name}: generateText runs two tools and sends their results`, async () => {
    const mark = word();
    const ran = [];
    const answer = await generateText({ ...options(model, `mock:tools-2 ${mark} ${TEXT}`), tools: toolbox(ran), stopWhen: isStepCount(3) });
    const text = `${mark} ${TEXT}`;
    assert.deepEqual(ran.map((each) => each.input), [0, 1].map((call) => ({ text, call, nested: { again: [text] } })));
    assert.deepEqual(answer.steps.map((step) => step.finishReason), ["tool-calls", "stop"]);
    assert.deepEqual(answer.steps[0].toolCalls.map((call) => call.toolCallId), ran.map((each) => each.id));
    assert.match(answer.text, /measure gave 1/);
    assertAnswered(await received(mark), ran, path);
  });

  test(`${name}: streamText runs two tools and sends their results`, async () => {
    const mark = word();
    const ran = [];
    const stream = streamText({ ...options(model, `mock:tools-2+interleaved+piece-3+split-7 ${mark} ${TEXT}`), tools: toolbox(ran), stopWhen: isStepCount(3) });
    await stream.consumeStream();
    const steps = await stream.steps;
    const text = `${mark} ${TEXT}`;
    assert.deepEqual(ran.map((each) => each.input), [0, 1].map((call) => ({ text, call, nested: { again: [text] } })));
    assert.deepEqual(steps.map((step) => step.finishReason), ["tool-calls", "stop"]);
    assert.deepEqual(steps[0].toolCalls.map((call) => [call.toolName, call.toolCallId]), ran.map((each) => [each.name, each.id]));
    for (const { usage } of steps) {
      assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
      assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
    }
    assert.match(await stream.text, /measure gave 1/);
    assertAnswered(await received(mark), ran, path);
  });

  test(`${name}: a stream that breaks off is an error`, async () => {
    for (const ending of ["cut", "drop", "error"]) {
      const failures = [];
      const asked = options(model, `mock:piece-3+${ending}-after-5 ${word()} ${TEXT}`);
      const stream = streamText({ ...asked, onError: ({ error }) => failures.push(error) });
      await stream.consumeStream({ onError: (error) => failures.push(error) });
      assert.ok(failures.length > 0, ending);
    }
  });

  // An Anthropic model that is not known for answers by a schema is given the schema as a tool, whose call is the answer.
  test(`${name}: an object by its schema`, async () => {
    const mark = word();
    const hidden = path === "/v1/messages";
    const wanted = { text: mark, call: 0, nested: { again: [mark] } };
    const answer = await generateText({
      ...options(model, hidden ? `mock:tools ${mark}` : JSON.stringify(wanted)),
      output: Output.object({ schema: SCHEMA }),
      providerOptions: { anthropic: { structuredOutputMode: "outputFormat" } },
    });
    assert.deepEqual(answer.output, wanted);
    assert.equal(answer.finishReason, "stop");
    const [request] = await received(mark);
    const { tools, response_format } = JSON.parse(request.body);
    const schema = hidden ? tools[0].input_schema : response_format.json_schema.schema;
    assert.deepEqual(Object.keys(schema.properties), ["text", "call", "nested"]);
    assert.equal(request.path, path);
  });
}

const WAYS = [
  ["generateText", generateText],
  [
    "streamText",
    async (asked) => {
      const stream = streamText(asked);
      await stream.consumeStream();
      return { reasoningText: await stream.reasoningText, text: await stream.text };
    },
  ],
];

for (const [way, run] of WAYS) {
  // Anthropic takes a turn of tool calls back only with its own thinking, signed as it was. Thoughts are hidden unless they are asked for.
  for (const [told, thoughts] of [
    ["told", { includeThoughts: true }],
    ["hidden", {}],
  ]) {
    test(`google on an Anthropic provider: ${way} sends the signed thinking back that was ${told}`, async () => {
      const mark = word();
      const ran = [];
      await run({
        ...options(google("claude-mock"), `mock:thinking+tools-2+piece-3 ${mark}`),
        maxOutputTokens: 4_000,
        providerOptions: { google: { thinkingConfig: { ...thoughts, thinkingBudget: 2_000 } } },
        tools: toolbox(ran),
        stopWhen: isStepCount(3),
      });
      const requests = await received(mark);
      assertAnswered(requests, ran, "/v1/messages");
      const { messages } = JSON.parse(requests[1].body);
      assert.deepEqual(messages[1].content.map((block) => block.type), ["thinking", "tool_use", "tool_use"]);
      assert.ok(messages[1].content[0].thinking);
      assert.equal(messages[1].content[0].signature, "EqoBCkgIYRABGAIiQG1vY2sgc2lnbmF0dXJlIQ==");
    });
  }

  for (const [name, model] of [
    ["anthropic on an OpenAI provider", anthropic("gpt-mock")],
    ["openai-compatible on an Anthropic provider", compatible("claude-mock")],
  ]) {
    test(`${name}: ${way} tells thinking as reasoning, and not as text`, async () => {
      const mark = word();
      const { reasoningText, text } = await run(options(model, `mock:thinking ${mark}`));
      assert.ok(reasoningText);
      assert.equal(text, mark);
    });
  }
}

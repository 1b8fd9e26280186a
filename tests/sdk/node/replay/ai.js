// Vercel's AI SDK as a reader, by each of its providers. It validates what it is told against schemas of its own.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { AISDKError, generateText, jsonSchema, streamText, tool } from "ai";

import { REPLAY_URL } from "./exchanges.js";

globalThis.AI_SDK_LOG_WARNINGS = false;

// An error that a stream told, which may be of any type.
class Told extends Error {}

const base = (api, version) => ({ baseURL: `${REPLAY_URL}/as/${api}/${version}`, apiKey: "k" });
// The last two: it was told no reason.
const FINISH = { "tool-calls": "tool_calls", "content-filter": "content_filter", other: null, interrupted: null };

// Tools of these names, which take anything and which nobody runs.
function toolbox(calls) {
  const anything = tool({ inputSchema: jsonSchema({ type: "object", additionalProperties: true }) });
  return Object.fromEntries(calls.map((call) => [call.name, anything]));
}

function asked(model, headers, exchange) {
  const calls = exchange.said?.calls ?? [];
  return {
    model,
    prompt: "a",
    headers,
    maxOutputTokens: 900,
    maxRetries: 0,
    ...(calls.length > 0 && { tools: toolbox(calls) }),
    providerOptions: { google: { thinkingConfig: { includeThoughts: true } } },
  };
}

// `hidden`: what this one does not show.
function reader(name, api, model, hidden = []) {
  return {
    name,
    api,
    hidden,
    failures: [AISDKError, Told],

    async *answers(stream, headers, exchange) {
      yield await this.ask(stream, headers, exchange);
    },

    async ask(stream, headers, exchange) {
      if (!stream) {
        return said(await generateText(asked(model, headers, exchange)));
      }
      const answer = streamText({ ...asked(model, headers, exchange), onError: () => {} });
      for await (const part of answer.fullStream) {
        if (part.type === "error") {
          throw new Told("the stream told an error", { cause: part.error });
        }
      }
      const whole = {};
      for (const member of ["text", "reasoningText", "toolCalls", "finishReason", "usage", "response"]) {
        whole[member] = await answer[member];
      }
      return said(whole);
    },
  };
}

function said({ text, reasoningText, toolCalls, finishReason, usage, response }) {
  const calls = toolCalls.filter((call) => !call.providerExecuted);
  return {
    id: response.id,
    text,
    reasoning: reasoningText ?? "",
    calls: calls.map((call) => ({ id: call.toolCallId, name: call.toolName, arguments: call.input })),
    finish: finishReason in FINISH ? FINISH[finishReason] : finishReason,
    usage: {
      input: usage.inputTokens,
      output: usage.outputTokens,
      cached: usage.inputTokenDetails.cacheReadTokens,
      written: usage.inputTokenDetails.cacheWriteTokens,
      reasoning: usage.outputTokenDetails.reasoningTokens,
    },
  };
}

const openai = (api) => createOpenAI(base(api, "v1"));
const compatible = createOpenAICompatible({ name: "replay", includeUsage: true, ...base("openai_chat", "v1") });

export const READERS = [
  reader("ai's openai", "openai_chat", openai("openai_chat").chat("m"), ["thinking"]),
  reader("ai's openai", "openai_responses", openai("openai_responses").responses("m")),
  reader("ai's openai-compatible", "openai_chat", compatible("m"), ["written"]),
  reader("ai's anthropic", "anthropic_messages", createAnthropic(base("anthropic_messages", "v1"))("m")),
  reader("ai's google", "gemini", createGoogle(base("gemini", "v1beta"))("m")),
];

// The official SDKs of OpenAI and Anthropic as readers: each asks the replay server, and tells what its own objects say.

import assert from "node:assert/strict";

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

import { REPLAY_URL } from "./exchanges.js";

const TIMEOUT = 30_000;
const parsed = (text) => (text.trim() ? JSON.parse(text) : {});

function openai(api) {
  return new OpenAI({ baseURL: `${REPLAY_URL}/as/${api}/v1`, apiKey: "k", maxRetries: 0, timeout: TIMEOUT });
}

async function* all(stream, answer) {
  if (stream) {
    yield* await answer;
  } else {
    yield await answer;
  }
}

function chatUsage(usage) {
  if (!usage) {
    return null;
  }
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  return {
    input: usage.prompt_tokens,
    output: usage.completion_tokens,
    cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
    written: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    reasoning: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

const chat = {
  name: "openai",
  api: "openai_chat",
  failures: [OpenAI.APIError],
  client: openai("openai_chat"),
  asked: { model: "m", messages: [{ role: "user", content: "a" }] },

  // What the SDK makes of it: one answer, or a stream's events.
  answers(stream, headers) {
    const usage = stream ? { stream_options: { include_usage: true } } : {};
    return all(stream, this.client.chat.completions.create({ ...this.asked, stream, ...usage }, { headers }));
  },

  // What it says. A stream is put together by the SDK itself, which is strict about it.
  async ask(stream, headers) {
    if (!stream) {
      return this.said(await this.client.chat.completions.create(this.asked, { headers }));
    }
    const events = this.client.chat.completions.stream({ ...this.asked, stream_options: { include_usage: true } }, { headers });
    let reasoning = "";
    events.on("chunk", ({ choices }) => {
      reasoning += choices[0]?.delta.reasoning_content ?? "";
    });
    return { ...this.said(await events.finalChatCompletion()), reasoning };
  },

  said({ id, choices: [{ message, finish_reason }], usage }) {
    const calls = (message.tool_calls ?? []).map((call) => {
      assert.equal(call.type, "function");
      return { id: call.id, name: call.function.name, arguments: parsed(call.function.arguments) };
    });
    const { content, refusal, reasoning_content } = message;
    return { id, text: content ?? "", refusal: refusal ?? "", reasoning: reasoning_content ?? "", calls, finish: finish_reason, usage: chatUsage(usage) };
  },
};

const completions = {
  name: "openai",
  api: "openai_completions",
  failures: [OpenAI.APIError],
  client: openai("openai_completions"),
  asked: { model: "m", prompt: "a", max_tokens: 900 },

  answers(stream, headers) {
    const usage = stream ? { stream_options: { include_usage: true } } : {};
    return all(stream, this.client.completions.create({ ...this.asked, stream, ...usage }, { headers }));
  },

  async ask(stream, headers) {
    const said = { id: "", text: "", finish: null, usage: null };
    for await (const answer of this.answers(stream, headers)) {
      assert.ok(["", answer.id].includes(said.id));
      said.id = answer.id;
      for (const choice of answer.choices) {
        said.text += choice.text;
        said.finish = choice.finish_reason ?? said.finish;
      }
      said.usage = chatUsage(answer.usage) ?? said.usage;
    }
    return said;
  },
};

const responses = {
  name: "openai",
  api: "openai_responses",
  failures: [OpenAI.APIError],
  client: openai("openai_responses"),
  asked: { model: "m", input: "a", store: false },

  answers(stream, headers) {
    return all(stream, this.client.responses.create({ ...this.asked, stream }, { headers }));
  },

  async ask(stream, headers) {
    if (!stream) {
      return this.said(await this.client.responses.create(this.asked, { headers }));
    }
    const events = this.client.responses.stream(this.asked, { headers });
    let [deltas, count] = ["", 0];
    for await (const event of events) {
      assert.equal(event.sequence_number, count, "sequence numbers");
      count += 1;
      deltas += event.type === "response.output_text.delta" ? event.delta : "";
    }
    const said = this.said(await events.finalResponse());
    assert.equal(deltas, said.text);
    return said;
  },

  said({ id, status, incomplete_details, output, output_text, usage }) {
    const said = { id, text: "", refusal: "", reasoning: "", calls: [], usage: null };
    const why = incomplete_details?.reason;
    said.finish = { completed: "stop", failed: "error", incomplete: why === "max_output_tokens" ? "length" : why }[status];
    for (const item of output) {
      if (item.type === "message") {
        said.text += item.content.map((part) => part.text ?? "").join("");
        said.refusal += item.content.map((part) => part.refusal ?? "").join("");
      } else if (item.type === "reasoning") {
        said.reasoning += [...item.summary, ...(item.content ?? [])].map((part) => part.text).join("");
      } else if (item.type === "function_call") {
        said.calls.push({ id: item.call_id, name: item.name, arguments: parsed(item.arguments) });
      }
    }
    assert.equal(output_text, said.text);
    if (usage) {
      assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
      const { cached_tokens, cache_write_tokens } = usage.input_tokens_details;
      const counted = { input: usage.input_tokens, output: usage.output_tokens, reasoning: usage.output_tokens_details.reasoning_tokens };
      said.usage = { ...counted, cached: cached_tokens, written: cache_write_tokens ?? 0 };
    }
    return settled(said);
  },
};

const STOPS = {
  end_turn: "stop",
  stop_sequence: "stop",
  pause_turn: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

const messages = {
  name: "anthropic",
  api: "anthropic_messages",
  failures: [Anthropic.APIError],
  client: new Anthropic({ baseURL: `${REPLAY_URL}/as/anthropic_messages`, apiKey: "k", maxRetries: 0, timeout: TIMEOUT }),
  asked: { model: "m", max_tokens: 900, messages: [{ role: "user", content: "a" }] },

  answers(stream, headers) {
    return all(stream, this.client.messages.create({ ...this.asked, stream }, { headers }));
  },

  async ask(stream, headers) {
    if (!stream) {
      return this.said(await this.client.messages.create(this.asked, { headers }));
    }
    return this.said(await this.client.messages.stream(this.asked, { headers }).finalMessage());
  },

  said({ id, type, role, content, stop_reason, usage }) {
    assert.deepEqual([type, role], ["message", "assistant"]);
    const of = (kind, member) => content.map((block) => (block.type === kind ? block[member] : "")).join("");
    const calls = content.filter((block) => block.type === "tool_use");
    const [read, written] = [usage.cache_read_input_tokens ?? 0, usage.cache_creation_input_tokens ?? 0];
    return settled({
      id,
      text: of("text", "text"),
      reasoning: of("thinking", "thinking"),
      calls: calls.map((block) => ({ id: block.id, name: block.name, arguments: block.input })),
      finish: STOPS[stop_reason] ?? stop_reason,
      usage: {
        input: usage.input_tokens + read + written,
        output: usage.output_tokens,
        cached: read,
        written,
        reasoning: usage.output_tokens_details?.thinking_tokens ?? 0,
      },
    });
  },
};

// Some APIs say `stop` where tools are to be run: the calls themselves say it.
function settled(said) {
  return said.finish === "stop" && said.calls.length > 0 ? { ...said, finish: "tool_calls" } : said;
}

export const READERS = [chat, responses, completions, messages];

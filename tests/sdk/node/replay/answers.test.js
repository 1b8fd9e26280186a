// Every recorded answer and stream, translated to each client's API, is read by that API's SDKs for Node.js, and says the same.

import { isDeepStrictEqual } from "node:util";
import { test } from "node:test";

import { READERS as AI } from "./ai.js";
import { at, each, exchanges, failed, Misses, unread } from "./exchanges.js";
import { READERS as OFFICIAL } from "./readers.js";

// What stays wrong, and why. All of it is relayed: how its provider says it.
const THOUGHT = "Mistral's thought stands in the content, as a list";
const UNNAMED = "Amazon's call of a tool has no id as an item";
const ENDLESS = "the provider gave no finish reason, which this client takes for a fault";
const KNOWN = {
  "ai's openai openai_chat mistral.chat:27": THOUGHT,
  "ai's openai openai_chat mistral.chat:28": THOUGHT,
  "ai's openai openai_chat mistral.chat:29": THOUGHT,
  "ai's openai openai_chat mistral.chat:30": THOUGHT,
  "ai's openai openai_chat mistral.chat:53": THOUGHT,
  "ai's openai openai_chat mistral.chat:54": THOUGHT,
  "ai's openai openai_chat mistral.chat:55": THOUGHT,
  "ai's openai openai_responses bedrock.responses:0": UNNAMED,
  "ai's openai-compatible openai_chat openai.chat:7": ENDLESS,
  "ai's openai-compatible openai_chat openai.chat:9": ENDLESS,
};

const bare = (text) => text.replaceAll(/\s/g, "");

function differences(reader, { said: wanted }, said) {
  const wrong = [];
  const same = (what, theirs, ours) => {
    if (!reader.hidden?.includes(what) && !isDeepStrictEqual(ours, theirs)) {
      wrong.push(`${what} ${JSON.stringify(theirs)} became ${JSON.stringify(ours)}`);
    }
  };
  same("text", wanted.text, said.text);
  let { finish } = wanted;
  if (reader.api === "openai_completions") {
    finish = finish === "tool_calls" ? "stop" : finish;
  } else {
    // White space between thoughts is the writer's.
    same("thinking", bare(wanted.reasoning), bare(said.reasoning));
    const told = (calls) => calls.map((call) => [call.name, call.arguments]);
    same("calls", told(wanted.calls), told(said.calls));
    wanted.calls.forEach((call, index) => {
      const ours = said.calls[index]?.id;
      if (call.id ? ours !== call.id : !ours) {
        wrong.push(`id ${call.id} became ${ours}`);
      }
    });
  }
  // A stream of responses has no last word for one whose provider gave no reason.
  if (finish || reader.api !== "openai_responses") {
    same("finish", finish, said.finish);
  }
  const usage = { ...wanted.usage, cached: Math.min(wanted.usage.cached, wanted.usage.input) };
  if (reader.api === "gemini") {
    usage.written = 0;
  }
  for (const [kind, tokens] of Object.entries(usage)) {
    same(kind, tokens, said.usage?.[kind] ?? 0);
  }
  if (!said.id) {
    wrong.push("no id");
  }
  return wrong;
}

async function read(reader, exchange, misses) {
  const name = `${reader.name} ${reader.api} ${exchange.file}:${exchange.index}`;
  const failure = failed(exchange);
  try {
    // In the same API bytes pass, and a provider's own ways with them: the SDK must read them, and is not asked what they say.
    if (exchange.api === reader.api && !failure) {
      for await (const _ of reader.answers(exchange.stream, at(exchange, { seed: 7 }), exchange));
      misses.case(name, []);
      return;
    }
    const said = await reader.ask(exchange.stream, at(exchange, { seed: 7 }), exchange);
    misses.case(name, failure ? ["an error was read as an answer"] : differences(reader, exchange, said));
  } catch (error) {
    const expected = failure && reader.failures.some((kind) => error instanceof kind);
    misses.case(name, expected ? [] : [`${error.stack} ${error.cause ?? ""}`]);
  }
}

for (const reader of [...OFFICIAL, ...AI]) {
  for (const stream of [false, true]) {
    const what = `${stream ? "streams" : "answers"} of ${reader.api} read by ${reader.name}`;
    test(what, { skip: unread }, async () => {
      const misses = new Misses(what, KNOWN);
      const chosen = exchanges.filter((exchange) => exchange.stream === stream);
      await each(chosen, (exchange) => read(reader, exchange, misses));
      misses.settle();
    });
  }
}

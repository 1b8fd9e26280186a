// No stream that breaks off looks whole: cut after every event of the provider's, in each client's API, the SDKs for Node.js raise.

import { test } from "node:test";

import { READERS as AI } from "./ai.js";
import { at, each, exchanges, Misses, unread } from "./exchanges.js";
import { READERS as OFFICIAL } from "./readers.js";

// Behind the last thing that these APIs say, a cut can't be told from the end.
const LAST = { gemini: 1, cohere_chat: 2, bedrock_converse: 2, openai_completions: 0 };
const streams = exchanges.filter((exchange) => exchange.stream && exchange.status < 400);
const whole = ({ api, events }) => events - (LAST[api] ?? 0);

function* every() {
  for (const exchange of streams) {
    for (let cut = 0; cut < whole(exchange); cut += 1) {
      yield [exchange, cut];
    }
  }
}

// Where all but the end has been said: the AI SDK takes many times as long as the others for a stream.
function* lasts() {
  for (const exchange of streams.filter((exchange) => whole(exchange) > 0)) {
    yield [exchange, whole(exchange) - 1];
  }
}

async function read(reader, exchange, cut, misses) {
  const name = `${reader.name} ${reader.api} ${exchange.file}:${exchange.index} ${cut}`;
  try {
    for await (const _ of reader.answers(true, at(exchange, { cut }), exchange));
    misses.case(name, ["it looks whole"]);
  } catch (error) {
    misses.case(name, reader.failures.some((kind) => error instanceof kind) ? [] : [error.stack]);
  }
}

for (const [readers, cuts] of [
  [OFFICIAL, every],
  [AI, lasts],
]) {
  for (const reader of readers) {
    const what = `cut streams of ${reader.api} read by ${reader.name}`;
    test(what, { skip: unread }, async () => {
      const misses = new Misses(what);
      await each(cuts(), ([exchange, cut]) => read(reader, exchange, cut, misses));
      misses.settle();
    });
  }
}

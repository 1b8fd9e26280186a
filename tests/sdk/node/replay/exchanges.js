// What the replays share: the replay server (tests/replay), what each exchange says by its own JSON, and what went wrong.

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";

export const { REPLAY_URL } = process.env;
export const exchanges = await (await fetch(`${REPLAY_URL}/exchanges`)).json();
export const unread = exchanges.length === 0 && "no recorded exchanges here";

// The headers that lead to an exchange; `cut`: after how many events the stream ends; `seed`: how it is cut into pieces.
export function at(exchange, how = {}) {
  const headers = { "x-replay-at": `${exchange.file}:${exchange.index}` };
  for (const [name, value] of Object.entries(how)) {
    headers[`x-replay-${name}`] = String(value);
  }
  return headers;
}

// An exchange whose provider failed, or said nothing.
export function failed({ status, said }) {
  return status >= 400 || !said || !(said.text || said.calls.length || said.reasoning || said.opaque.length || said.finish);
}

// Runs them a few at a time: nothing of one waits for another.
export async function each(cases, run) {
  const rest = cases[Symbol.iterator]();
  const workers = Array.from({ length: 4 * availableParallelism() }, async () => {
    for (const one of rest) {
      await run(one);
    }
  });
  await Promise.all(workers);
}

// What went wrong, by name; most of all must be right, and what is not must be known and explained.
export class Misses {
  constructor(what, known = {}) {
    Object.assign(this, { what, known, cases: 0, found: new Map() });
  }

  case(name, wrong) {
    this.cases += 1;
    if (wrong.length > 0) {
      this.found.set(name, wrong);
    }
  }

  settle() {
    const right = this.cases - this.found.size;
    console.log(`${this.what}: ${right} of ${this.cases}`);
    for (const [name, wrong] of this.found) {
      console.log(`  ${name}: ${wrong.map((one) => one.slice(0, 300)).join("; ")} [${this.known[name] ?? "unexplained"}]`);
    }
    assert.ok(this.cases > 0, "nothing was read");
    const unexplained = [...this.found.keys()].filter((name) => !(name in this.known));
    assert.deepEqual(unexplained, [], this.what);
    assert.ok(right >= this.cases * 0.99, this.what);
  }
}

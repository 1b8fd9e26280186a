"""What the replays share: the replay server, and what each exchange says by its own JSON.

`REPLAY_URL` is `bartizan-replay` (tests/replay): under `/as/API` a client of that API is answered as the recorded provider answered that
the header `x-replay-at` names, translated. Without recordings there is nothing to replay, and the tests are skipped.
"""

import functools
import json
import os
import urllib.request
from dataclasses import dataclass, field

import pytest

URL = os.environ["REPLAY_URL"]
CLIENTS = ("openai_chat", "openai_responses", "openai_completions", "anthropic_messages", "gemini")


@dataclass(frozen=True)
class Exchange:
    file: str
    index: int
    api: str
    model: str
    stream: bool
    status: int
    tags: tuple
    events: int
    said: dict | None = field(compare=False)

    @property
    def name(self):
        return f"{self.file}:{self.index}"

    def at(self, **how):
        """The headers that lead to this exchange; `cut`: after how many events the stream ends; `seed`: how it is cut into pieces."""
        return {"x-replay-at": self.name, **{f"x-replay-{name}": str(value) for name, value in how.items()}}


def fetched(path):
    with urllib.request.urlopen(f"{URL}{path}", timeout=60) as answer:
        return json.load(answer)


@functools.cache
def exchanges():
    return [Exchange(**{**one, "tags": tuple(one["tags"])}) for one in fetched("/exchanges")]


@pytest.fixture(scope="session", autouse=True)
def recordings():
    if not exchanges():
        pytest.skip("no recorded exchanges here")


class Misses:
    """What went wrong, by name; most of all must be right, and what is not must be known and explained."""

    def __init__(self, what, known=None):
        self.what, self.known, self.cases, self.found = what, known or {}, 0, {}

    def case(self, name, wrong):
        self.cases += 1
        if wrong:
            self.found[name] = wrong

    def settle(self):
        print(f"\n{self.what}: {self.cases - len(self.found)} of {self.cases}")
        for name, wrong in self.found.items():
            print(f"  {name}: {'; '.join(str(one)[:300] for one in wrong)} [{self.known.get(name, 'unexplained')}]")
        assert self.cases > 0
        unexplained = [name for name in self.found if name not in self.known]
        assert not unexplained, f"{len(unexplained)} of {self.cases} {self.what}: {unexplained[:20]}"
        assert len(self.found) <= self.cases / 100, f"{len(self.found)} of {self.cases} {self.what}"

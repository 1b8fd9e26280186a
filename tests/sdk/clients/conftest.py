"""What the tests of real clients share: the mock provider's memory, and what a provider was shown of calls and their results."""

import json
import os
import urllib.request
import uuid

import pytest

URL = os.environ["BARTIZAN_URL"]
KEY = os.environ["BARTIZAN_KEY"]
MASTER_KEY = os.environ["BARTIZAN_MASTER_KEY"]
MOCK_URL = os.environ["MOCK_URL"]
MOCK_KEY = os.environ["MOCK_KEY"]

# No client of these sends traces or counts of its use anywhere.
for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
    os.environ[name] = "false"

TEXT = 'आधार 🪪 "quoted"\nand a second line'
PATHS = {"claude-mock": "/v1/messages", "gpt-mock": "/v1/chat/completions"}


def expected(text, call):
    """The arguments of the mock's call of this number."""
    return {"text": text, "call": call, "nested": {"again": [text]}}


def received(text):
    """The requests that had this word in their bodies, oldest first. None holds a key of the gateway's."""
    with urllib.request.urlopen(f"{MOCK_URL}/mock/requests?contains={text}", timeout=10) as answer:
        raw = answer.read().decode()
    assert KEY not in raw and MASTER_KEY not in raw, "a key of the gateway's was sent on"
    requests = json.loads(raw)["requests"]
    for request in requests:
        headers = request["headers"]
        assert MOCK_KEY in (headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer "))
    return requests


def shown(request):
    """What a request holds in the provider's dialect: the calls as (id, name, arguments), and the results as (id, text), in order.

    It also holds that each call is answered in the turns right after it, once, in the order of the calls.
    """
    body = json.loads(request["body"])
    calls, results, open_calls = [], [], []

    def call(id_, name, arguments):
        calls.append((id_, name, arguments))
        open_calls.append(id_)

    def result(id_, content):
        assert open_calls and id_ == open_calls.pop(0), f"{id_} answers no call, or not the next one"
        text = content if isinstance(content, str) else "".join(part["text"] for part in content)
        results.append((id_, text))

    for turn in body["messages"]:
        content = turn.get("content")
        blocks = content if isinstance(content, list) else []
        if turn["role"] == "tool":
            result(turn["tool_call_id"], content)
            continue
        if not any(block.get("type") == "tool_result" for block in blocks):
            assert not open_calls, f"{open_calls} were not answered"
        for each in turn.get("tool_calls") or []:
            call(each["id"], each["function"]["name"], json.loads(each["function"]["arguments"]))
        for block in blocks:
            if block["type"] == "tool_use":
                call(block["id"], block["name"], block["input"])
            elif block["type"] == "tool_result":
                result(block["tool_use_id"], block["content"])
    assert not open_calls, f"{open_calls} were not answered"
    assert len({each[0] for each in calls}) == len(calls)
    return calls, results


def tool_names(request):
    """The names of the tools that the provider was offered."""
    tools = json.loads(request["body"])["tools"]
    return [tool.get("function", tool)["name"] for tool in tools]


@pytest.fixture
def word():
    """A word that no other test says, by which the mock's record of this one is found."""
    return "w" + uuid.uuid4().hex

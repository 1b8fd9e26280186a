"""What the SDK tests share: clients of the gateway, and the mock provider's memory.

The mock is scripted by the start of the last user text, `mock:WORDS ` (the vocabulary stands in crates/testkit/src/mock.rs); the
rest of that text is what it echoes.
"""

import json
import os
import urllib.request
import uuid

import anthropic
import openai
import pytest
from google import genai

URL = os.environ["BARTIZAN_URL"]
KEY = os.environ["BARTIZAN_KEY"]
MASTER_KEY = os.environ["BARTIZAN_MASTER_KEY"]
MOCK_URL = os.environ["MOCK_URL"]
MOCK_KEY = os.environ["MOCK_KEY"]
PLANTED = os.environ.get("BARTIZAN_PLANTED")

TOOL = {
    "name": "lookup",
    "description": "Looks something up.",
    "parameters": {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "call": {"type": "integer"},
            "nested": {"type": "object"},
        },
    },
}
OPENAI_TOOL = {"type": "function", "function": TOOL}
RESPONSES_TOOL = {"type": "function", **TOOL, "strict": False}
ANTHROPIC_TOOL = {"name": TOOL["name"], "description": TOOL["description"], "input_schema": TOOL["parameters"]}


def openai_client(key=KEY, **options):
    return openai.OpenAI(base_url=f"{URL}/v1", api_key=key, timeout=20, **{"max_retries": 0, **options})


def anthropic_client(key=KEY, **options):
    return anthropic.Anthropic(base_url=URL, api_key=key, timeout=20, **{"max_retries": 0, **options})


def google_client(key=KEY, version="v1beta"):
    once = genai.types.HttpRetryOptions(attempts=1)
    options = genai.types.HttpOptions(base_url=URL, api_version=version, timeout=20_000, retry_options=once)
    return genai.Client(api_key=key, http_options=options)


class Mock:
    """The mock provider's memory."""

    def requests(self, text):
        """The requests that had this word in their bodies."""
        with urllib.request.urlopen(f"{MOCK_URL}/mock/requests?contains={text}", timeout=10) as answer:
            return json.load(answer)["requests"]

    def one(self, text):
        requests = self.requests(text)
        assert len(requests) == 1, [request["outcome"] for request in requests]
        return requests[0]


@pytest.fixture
def mock():
    return Mock()


@pytest.fixture(scope="session")
def oai():
    return openai_client()


@pytest.fixture(scope="session")
def ant():
    return anthropic_client()


@pytest.fixture(scope="session")
def google():
    return google_client()


@pytest.fixture
def word():
    """A word that no other test says, by which the mock's record of this one is found."""
    return "w" + uuid.uuid4().hex


@pytest.fixture
def planted():
    """Tells the runner of a text that the gateway must not print."""

    def plant(text):
        if PLANTED:
            with open(PLANTED, "a") as file:
                file.write(text + "\n")
        return text

    return plant


def user(text):
    return [{"role": "user", "content": text}]


def generate_key(**fields):
    """Makes a virtual key with the master key."""
    request = urllib.request.Request(
        f"{URL}/key/generate",
        data=json.dumps(fields).encode(),
        headers={"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["key"]


def chat_stream(client, text, model="gpt-mock", **options):
    """Reads a chat stream to its end: the text, the tool calls by index, the finish reason, the usage."""
    text_out, calls, finish, usage = "", {}, None, None
    for chunk in client.chat.completions.create(model=model, messages=user(text), stream=True, **options):
        if chunk.usage:
            usage = chunk.usage
        for choice in chunk.choices:
            text_out += choice.delta.content or ""
            for call in choice.delta.tool_calls or []:
                known = calls.setdefault(call.index, {"id": "", "name": "", "arguments": ""})
                known["id"] += call.id or ""
                known["name"] += call.function.name or ""
                known["arguments"] += call.function.arguments or ""
            finish = choice.finish_reason or finish
    return text_out, calls, finish, usage

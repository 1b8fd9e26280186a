"""instructor with a pydantic model, each of its modes on a model whose provider speaks another dialect."""

import json

import anthropic
import instructor
import openai
import pytest
from conftest import KEY, PATHS, URL, expected, received, tool_names
from pydantic import BaseModel


class Nested(BaseModel):
    again: list[str]


class Lookup(BaseModel):
    """Looks something up."""

    text: str
    call: int
    nested: Nested


def by_openai(mode):
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, timeout=20, max_retries=0)
    return instructor.from_openai(client, mode=mode), "claude-mock"


def by_anthropic(mode):
    client = anthropic.Anthropic(base_url=URL, api_key=KEY, timeout=20, max_retries=0)
    return instructor.from_anthropic(client, mode=mode), "gpt-mock"


def ask(client, model, text, **options):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(
        model=model, messages=messages, max_tokens=100, response_model=Lookup, max_retries=1, **options
    )


CLIENTS = {"openai": by_openai, "anthropic": by_anthropic}


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_tool_mode(make, word):
    client, model = make(instructor.Mode.TOOLS)
    answer = ask(client, model, f"mock:tools {word}")
    assert answer.model_dump() == expected(word, 0)
    (request,) = received(word)
    assert request["path"] == PATHS[model]
    assert tool_names(request) == ["Lookup"]
    choice = json.loads(request["body"])["tool_choice"]
    assert choice.get("function", choice)["name"] == "Lookup"


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_tool_mode_streams_partial_objects(make, word):
    client, model = make(instructor.Mode.TOOLS)
    messages = [{"role": "user", "content": f"mock:tools+piece-3 {word}"}]
    partial = list(client.chat.completions.create_partial(model=model, messages=messages, max_tokens=100, response_model=Lookup))
    assert len(partial) > 1
    assert partial[-1].model_dump() == expected(word, 0)


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_json_schema_mode(make, word):
    # Anthropic's clients are told the schema in words.
    client, model = make(instructor.Mode.JSON_SCHEMA if make is by_openai else instructor.Mode.JSON)
    wanted = expected(word, 7)
    assert ask(client, model, json.dumps(wanted)).model_dump() == wanted
    (request,) = received(word)
    assert request["path"] == PATHS[model]
    # The provider was shown the schema, in whatever word it has for that.
    assert '"again' in request["body"] or '\\"again' in request["body"]


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_an_object_that_does_not_fit_is_asked_for_again(make, word):
    client, model = make(instructor.Mode.TOOLS)
    with pytest.raises(Exception):
        # The mock answers by text, which is no call of the tool.
        ask(client, model, word)
    assert len(received(word)) >= 1

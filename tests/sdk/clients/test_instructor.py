"""instructor with a pydantic model, each of its modes on a model whose provider speaks another dialect."""

import json

import anthropic
import instructor
import openai
import pytest
from conftest import KEY, PATHS, URL, expected, received, shown, tool_names
from instructor.core import InstructorRetryException
from pydantic import BaseModel, Field


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


def ask(client, model, text, response_model=Lookup):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(
        model=model, messages=messages, max_tokens=100, response_model=response_model, max_retries=1
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


class Picky(Lookup):
    """Takes no call of number 0."""

    call: int = Field(ge=1)


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_what_was_wrong_with_a_call_goes_back_as_its_result(make, word):
    client, model = make(instructor.Mode.TOOLS)
    with pytest.raises(InstructorRetryException):
        ask(client, model, f"mock:tools {word}", response_model=Picky)
    first, second = received(word)
    assert shown(first) == ([], [])
    calls, results = shown(second)
    assert [call[1:] for call in calls] == [("Picky", expected(word, 0))]
    assert len(results) == 1 and "greater than or equal to 1" in results[0][1]

"""No silent truncation: a stream that the provider breaks after any event raises in the SDK, or shows an error. It never ends as if
it were whole."""

import anthropic
import openai
import pytest
from conftest import ANTHROPIC_TOOL, OPENAI_TOOL, RESPONSES_TOOL, user

CONTENT = {"text": "", "tools": "tools+", "thinking": "thinking+"}


class Broke(Exception):
    """The stream said by itself that it had failed."""


def chat(oai, ant, text, model="gpt-mock"):
    for chunk in oai.chat.completions.create(model=model, messages=user(text), stream=True, max_tokens=100, tools=[OPENAI_TOOL]):
        assert chunk.object == "chat.completion.chunk"


def chat_to_anthropic(oai, ant, text):
    chat(oai, ant, text, "claude-mock")


def responses(oai, ant, text):
    for event in oai.responses.create(model="gpt-mock", input=text, stream=True, tools=[RESPONSES_TOOL]):
        if event.type in ("error", "response.failed"):
            raise Broke


def messages(oai, ant, text):
    options = {"model": "claude-mock", "max_tokens": 100, "messages": user(text), "tools": [ANTHROPIC_TOOL]}
    for _ in ant.messages.create(**options, stream=True):
        pass


PATHS = [chat, chat_to_anthropic, responses, messages]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
@pytest.mark.parametrize(
    ("ending", "content"),
    [("cut", "text"), ("cut", "tools"), ("cut", "thinking"), ("drop", "text"), ("abort", "text")],
)
def test_a_stream_broken_after_any_event_is_seen(oai, ant, mock, word, path, content, ending):
    for count in range(100):
        mark = f"{word}{count}x"
        text = f"mock:{CONTENT[content]}piece-12+{ending}-after-{count} {mark} and more"
        try:
            path(oai, ant, text)
            seen = False
        except AssertionError:
            raise
        except Exception:
            seen = True
        outcomes = {request["outcome"] for request in mock.requests(mark)}
        assert outcomes, "nothing reached the provider"
        if outcomes == {"whole"}:
            assert not seen, "a whole stream was refused"
            assert count >= 5
            return
        assert seen, f"a stream that was {ending} after {count} events passed for a whole one ({outcomes})"
    pytest.fail("no stream was whole")


# A JSON text that ends early is none, and the SDKs say so: `ValueError` where the gateway had no reason to read the answer.
@pytest.mark.parametrize("ending", ["cut", "drop", "abort"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_unstreamed_answer_that_breaks_off_is_an_error(oai, ant, mock, word, ending, count):
    text = f"mock:{ending}-after-{count} {word}"
    for model in ("gpt-mock", "claude-mock"):
        with pytest.raises((openai.APIStatusError, openai.APIConnectionError, ValueError)):
            oai.chat.completions.create(model=model, messages=user(text), max_tokens=100)
    with pytest.raises((anthropic.APIStatusError, anthropic.APIConnectionError, ValueError)):
        ant.messages.create(model="claude-mock", max_tokens=100, messages=user(text))
    assert {request["outcome"] for request in mock.requests(word)} == {"broken"}


@pytest.mark.parametrize("ending", ["cut", "drop", "abort"])
def test_an_unstreamed_answer_that_the_gateway_reads_and_cannot_is_the_providers_failure(oai, ant, mock, word, ending):
    text = f"mock:{ending}-after-1 {word} My card is 4111 1111 1111 1111."
    for model in ("gpt-mock", "claude-mock"):
        with pytest.raises(openai.InternalServerError) as raised:
            oai.chat.completions.create(model=model, messages=user(text), max_tokens=100)
        assert raised.value.status_code == 502
    with pytest.raises(anthropic.InternalServerError) as raised:
        ant.messages.create(model="claude-mock", max_tokens=100, messages=user(text))
    assert raised.value.status_code == 502
    assert len(mock.requests(word)) == 3


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_a_garbled_event_is_seen(oai, ant, mock, word, path):
    with pytest.raises(Exception) as raised:
        path(oai, ant, f"mock:garbled-after-4+piece-4 {word} and more words here")
    assert not isinstance(raised.value, AssertionError)
    assert len(mock.requests(word)) == 1

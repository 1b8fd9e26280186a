"""Personal data does not reach the provider, and is back in the answer."""

import json
import re

import pytest
from conftest import ANTHROPIC_TOOL, OPENAI_TOOL, RESPONSES_TOOL, chat_stream, user

D = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6], [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1], [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]  # fmt: skip
P = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4], [5, 8, 0, 3, 7, 9, 6, 1, 4, 2], [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0], [4, 2, 8, 6, 5, 7, 3, 9, 0, 1], [2, 7, 9, 3, 8, 0, 6, 4, 1, 5], [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
]  # fmt: skip


def verhoeff(digits):
    """The check digit that an Aadhaar number ends with."""
    check = 0
    for index, digit in enumerate(reversed(digits), 1):
        check = D[check][P[index % 8][int(digit)]]
    return str(D[check].index(0))


AADHAAR = "23456789012"
AADHAAR += verhoeff(AADHAAR)
AADHAAR = f"{AADHAAR[:4]} {AADHAAR[4:8]} {AADHAAR[8:]}"
PAN = "BQNPR4729K"
CARD = "4111 1111 1111 1111"
EMAIL = "asha.rao@bartizan-tests.in"
SECRETS = (AADHAAR, PAN, CARD, EMAIL)
SENTENCE = f"My Aadhaar is {AADHAAR}, my PAN is {PAN}, the card is {CARD} and I am at {EMAIL}, thanks."


def sent(mock, word):
    """What the provider was sent, with its one body read to the texts in it."""
    return json.dumps(json.loads(mock.requests(word)[-1]["body"]), ensure_ascii=False)


def check(mock, word, planted):
    body = sent(mock, word)
    digits = re.sub(r"\D", "", body)
    for secret in SECRETS:
        planted(secret)
        assert secret not in body
        bare = re.sub(r"\D", "", secret)
        assert len(bare) < 12 or bare not in digits
    assert "My Aadhaar is" in body and "thanks." in body


def test_the_check_digit_is_right():
    assert verhoeff("236") == "3"


def test_chat_is_masked_and_restored(oai, mock, word, planted):
    text = f"{word} {SENTENCE}"
    for model in ("gpt-mock", "claude-mock"):
        answer = oai.chat.completions.create(model=model, messages=user(text), max_tokens=100)
        assert answer.choices[0].message.content == text
        check(mock, word, planted)


@pytest.mark.parametrize("words", ["piece-1", "piece-3", "piece-7", "piece-40", "piece-2+split-1", "scatter-9"])
@pytest.mark.parametrize("model", ["gpt-mock", "claude-mock"])
def test_a_chat_stream_is_restored_however_it_is_cut(oai, mock, word, planted, words, model):
    text, _, finish, _ = chat_stream(oai, f"mock:{words} {word} {SENTENCE}", model=model, max_tokens=100)
    assert (text, finish) == (f"{word} {SENTENCE}", "stop")
    check(mock, word, planted)


@pytest.mark.parametrize("words", ["tools", "tools-2+piece-1", "tools-2+interleaved+piece-5", "tools+split-2"])
@pytest.mark.parametrize("model", ["gpt-mock", "claude-mock"])
def test_tool_arguments_are_restored(oai, mock, word, planted, words, model):
    text = f"{word} {SENTENCE}"
    options = {"model": model, "max_tokens": 100, "tools": [OPENAI_TOOL]}
    whole = oai.chat.completions.create(messages=user(f"mock:{words} {text}"), **options)
    _, streamed, _, _ = chat_stream(oai, f"mock:{words} {text}", **options)
    arguments = [call.function.arguments for call in whole.choices[0].message.tool_calls]
    arguments += [call["arguments"] for call in streamed.values()]
    for given in map(json.loads, arguments):
        assert (given["text"], given["nested"]) == (text, {"again": [text]})
    check(mock, word, planted)


def test_responses_are_masked_and_restored(oai, mock, word, planted):
    text = f"{word} {SENTENCE}"
    assert oai.responses.create(model="gpt-mock", input=text).output_text == text
    check(mock, word, planted)
    for words in ("piece-1", "piece-5+split-3"):
        with oai.responses.stream(model="gpt-mock", input=f"mock:{words} {text}") as stream:
            events = list(stream)
            final = stream.get_final_response()
        assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == text
        assert final.output_text == text
        check(mock, word, planted)
    called = oai.responses.create(model="gpt-mock", input=f"mock:tools {text}", tools=[RESPONSES_TOOL])
    assert json.loads(called.output[0].arguments)["text"] == text


@pytest.mark.parametrize("words", ["echo", "piece-1", "piece-5+split-3"])
def test_messages_are_masked_and_restored(ant, mock, word, planted, words):
    text = f"{word} {SENTENCE}"
    asked = {"model": "claude-mock", "max_tokens": 100, "messages": user(f"mock:{words} {text}")}
    assert ant.messages.create(**asked).content[0].text == text
    check(mock, word, planted)
    with ant.messages.stream(**asked) as stream:
        assert stream.get_final_message().content[0].text == text
    asked["messages"] = user(f"mock:tools+piece-3 {text}")
    with ant.messages.stream(**asked, tools=[ANTHROPIC_TOOL]) as stream:
        assert stream.get_final_message().content[0].input["text"] == text


def test_no_part_of_a_request_is_overlooked(oai, ant, mock, word, planted):
    call = {"id": "call_1", "type": "function", "function": {"name": "lookup", "arguments": json.dumps({"q": SENTENCE})}}
    oai.chat.completions.create(
        model="gpt-mock",
        messages=[
            {"role": "system", "content": SENTENCE},
            {"role": "user", "content": [{"type": "text", "text": SENTENCE}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": f"{word} {SENTENCE}"},
        ],
        tools=[OPENAI_TOOL],
    )
    check(mock, word, planted)
    other = f"{word}a"
    ant.messages.create(
        model="claude-mock",
        max_tokens=100,
        system=[{"type": "text", "text": SENTENCE}],
        messages=[
            *user(SENTENCE),
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "lookup", "input": {"q": [SENTENCE]}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": f"{other} {SENTENCE}"}]},
        ],
        tools=[ANTHROPIC_TOOL],
    )
    check(mock, other, planted)

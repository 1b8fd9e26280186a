"""The OpenAI SDK with an Anthropic provider behind the gateway."""

import json

import pytest
from conftest import MOCK_KEY, OPENAI_TOOL, chat_stream, user

MODEL = "claude-mock"
TEXT = 'आधार 🪪 "quoted"\nand a second line'


def test_chat_is_translated_both_ways(oai, mock, word):
    messages = [{"role": "system", "content": "Be brief."}, *user(f"mock:usage-10-20+cached-4 {word} {TEXT}")]
    answer = oai.chat.completions.create(model=MODEL, messages=messages, max_tokens=100)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content == f"{word} {TEXT}"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (10, 20, 30)
    assert answer.usage.prompt_tokens_details.cached_tokens == 4

    request = mock.one(word)
    assert request["path"] == "/v1/messages"
    assert request["headers"]["x-api-key"] == MOCK_KEY
    assert request["headers"]["anthropic-version"] == "2023-06-01"
    assert "authorization" not in request["headers"]
    body = json.loads(request["body"])
    assert "Be brief." in json.dumps(body["system"])
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert body["max_tokens"] == 100


@pytest.mark.parametrize("words", ["echo", "piece-1", "split-3", "crlf+comments", "thinking"])
def test_a_stream_says_the_same(oai, word, words):
    text, _, finish, usage = chat_stream(oai, f"mock:{words} {word} {TEXT}", model=MODEL, max_tokens=100)
    assert (text, finish, usage) == (f"{word} {TEXT}", "stop", None)


def test_a_stream_has_usage_when_asked(oai, word):
    options = {"model": MODEL, "max_tokens": 100, "stream_options": {"include_usage": True}}
    _, _, _, usage = chat_stream(oai, f"mock:usage-10-20 {word}", **options)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 20, 30)


def test_parallel_tool_calls_arrive_whole(oai, mock, word):
    text = f"{word} {TEXT}"
    expected = [{"text": text, "call": index, "nested": {"again": [text]}} for index in range(2)]
    options = {"model": MODEL, "max_tokens": 100, "tools": [OPENAI_TOOL]}

    answer = oai.chat.completions.create(messages=user(f"mock:tools-2 {text}"), **options)
    calls = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert [json.loads(call.function.arguments) for call in calls] == expected

    _, calls, finish, _ = chat_stream(oai, f"mock:tools-2+piece-1 {text}", **options)
    assert finish == "tool_calls"
    assert sorted(calls) == [0, 1]
    assert [json.loads(calls[index]["arguments"]) for index in range(2)] == expected

    sent = json.loads(mock.requests(word)[0]["body"])
    assert [tool["name"] for tool in sent["tools"]] == ["lookup"]


def test_a_tool_result_goes_back(oai, mock, word):
    call = {"id": "call_1", "type": "function", "function": {"name": "lookup", "arguments": '{"text":"x"}'}}
    messages = [
        *user(f"ask {word}"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": f"result {word}"},
    ]
    answer = oai.chat.completions.create(model=MODEL, messages=messages, max_tokens=100, tools=[OPENAI_TOOL])
    assert answer.choices[0].message.content == f"result {word}"
    turns = json.loads(mock.one(word)["body"])["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[1]["content"][-1]["type"] == "tool_use"
    assert turns[2]["content"][0]["type"] == "tool_result"
    assert turns[1]["content"][-1]["id"] == turns[2]["content"][0]["tool_use_id"]


def test_length_and_refusal_are_told(oai, word):
    for words, finish in (("length", "length"), ("refusal", "content_filter")):
        answer = oai.chat.completions.create(model=MODEL, messages=user(f"mock:{words} {word}"), max_tokens=100)
        assert answer.choices[0].finish_reason == finish


def test_headers_have_the_names_that_the_sdk_reads(oai, word):
    raw = oai.chat.completions.with_raw_response.create(model=MODEL, messages=[{"role": "user", "content": word}], max_tokens=100)
    # The gateway's own id, and the provider's beside it.
    assert raw.parse()._request_id == raw.headers["x-request-id"]
    assert "request-id" not in raw.headers
    assert raw.headers["llm_provider-x-request-id"].startswith("req_")
    assert int(raw.headers["x-ratelimit-remaining-requests"]) >= 0
    assert not [name for name in raw.headers if name.startswith("anthropic-")]
    assert not {"set-cookie", "location", "server", "via"} & set(raw.headers)

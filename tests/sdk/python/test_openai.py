"""The OpenAI SDK with an OpenAI provider behind the gateway."""

import json

import pytest
from conftest import MOCK_KEY, OPENAI_TOOL, RESPONSES_TOOL, chat_stream, user

TEXT = 'आधार 🪪 "quoted"\nand a second line'


def test_chat_answers_with_usage(oai, mock, word):
    answer = oai.chat.completions.create(model="gpt-mock", messages=user(f"mock:usage-10-20+cached-4 {word} {TEXT}"))
    assert answer.choices[0].message.content == f"{word} {TEXT}"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 20)
    assert answer.usage.prompt_tokens_details.cached_tokens == 4


def test_the_provider_gets_its_own_key_and_none_of_the_callers_headers(oai, mock, word):
    oai.chat.completions.create(model="gpt-mock", messages=user(word), extra_headers={"cookie": "a=b", "x-forwarded-for": "192.0.2.1"})
    headers = mock.one(word)["headers"]
    assert headers["authorization"] == f"Bearer {MOCK_KEY}"
    assert "cookie" not in headers and "x-forwarded-for" not in headers


def test_the_providers_cookies_and_organisation_stay_behind(oai, word):
    headers = oai.chat.completions.with_raw_response.create(model="gpt-mock", messages=user(word)).headers
    assert "set-cookie" not in headers and "openai-organization" not in headers


@pytest.mark.parametrize("words", ["echo", "piece-1", "split-3", "scatter-5", "crlf+comments", "cr", "bom"])
def test_a_stream_says_the_same(oai, word, words):
    text, _, finish, usage = chat_stream(oai, f"mock:{words} {word} {TEXT}")
    assert (text, finish, usage) == (f"{word} {TEXT}", "stop", None)


def test_a_stream_has_usage_when_asked(oai, word):
    _, _, finish, usage = chat_stream(oai, f"mock:usage-10-20 {word}", stream_options={"include_usage": True})
    assert finish == "stop"
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 20, 30)


@pytest.mark.parametrize("words", ["tools-2", "tools-2+interleaved", "tools-2+piece-1+split-5"])
def test_parallel_tool_calls_arrive_whole(oai, word, words):
    text = f"{word} {TEXT}"
    expected = [{"text": text, "call": index, "nested": {"again": [text]}} for index in range(2)]

    answer = oai.chat.completions.create(model="gpt-mock", messages=user(f"mock:{words} {text}"), tools=[OPENAI_TOOL])
    calls = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert [json.loads(call.function.arguments) for call in calls] == expected
    assert len({call.id for call in calls}) == 2

    _, calls, finish, _ = chat_stream(oai, f"mock:{words} {text}", tools=[OPENAI_TOOL])
    assert finish == "tool_calls"
    assert [json.loads(calls[index]["arguments"]) for index in range(2)] == expected
    assert {call["name"] for call in calls.values()} == {"lookup"}


def test_length_and_refusal_are_kept(oai, word):
    cut = oai.chat.completions.create(model="gpt-mock", messages=user(f"mock:length {word}"))
    assert cut.choices[0].finish_reason == "length"
    refused = oai.chat.completions.create(model="gpt-mock", messages=user(f"mock:refusal {word}"))
    assert refused.choices[0].message.refusal and not refused.choices[0].message.content


def test_responses_answer(oai, word):
    answer = oai.responses.create(model="gpt-mock", input=f"mock:usage-10-20+cached-4 {word} {TEXT}")
    assert answer.output_text == f"{word} {TEXT}"
    assert answer.status == "completed"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (10, 20)


@pytest.mark.parametrize("words", ["echo", "thinking", "piece-1+split-3"])
def test_responses_stream(oai, word, words):
    events = list(oai.responses.create(model="gpt-mock", input=f"mock:{words} {word} {TEXT}", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == f"{word} {TEXT}"
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == f"{word} {TEXT}"


def test_responses_call_tools(oai, word):
    asked = {"model": "gpt-mock", "input": f"mock:tools-2 {word}", "tools": [RESPONSES_TOOL]}
    answer = oai.responses.create(**asked)
    assert [json.loads(item.arguments)["text"] for item in answer.output] == [word, word]
    with oai.responses.stream(**asked) as stream:
        final = stream.get_final_response()
    assert [json.loads(item.arguments)["call"] for item in final.output] == [0, 1]


def test_embeddings(oai, word):
    answer = oai.embeddings.create(model="embed-mock", input=[word, "another"], dimensions=4)
    assert [len(item.embedding) for item in answer.data] == [4, 4]
    assert answer.data[0].embedding != answer.data[1].embedding


def test_models_are_those_of_the_configuration(oai):
    assert {model.id for model in oai.models.list()} == {"gpt-mock", "embed-mock", "claude-mock"}

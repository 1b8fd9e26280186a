"""A loop as Claude Code's: Anthropic's SDK, streaming with several tools and thinking, on a provider that speaks OpenAI's dialect."""

import json

import anthropic
import pytest
from conftest import KEY, TEXT, URL, expected, received, shown, tool_names

SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "call": {"type": "integer"}, "nested": {"type": "object"}},
    "required": ["text"],
}
CACHED = {"cache_control": {"type": "ephemeral"}}
NAMES = ["Read", "Edit", "Bash"]
TOOLS = [{"name": name, "description": f"The tool {name}.", "input_schema": SCHEMA} for name in NAMES]
TOOLS[-1] |= CACHED
SYSTEM = [{"type": "text", "text": "You are an agent."}, {"type": "text", "text": "Work step by step.", **CACHED}]
EVENTS = {
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
}


@pytest.fixture
def client():
    return anthropic.Anthropic(base_url=URL, api_key=KEY, timeout=20, max_retries=0)


def turn(client, messages):
    """One streamed turn, its events held to the protocol."""
    kinds, started, stopped = [], [], []
    with client.messages.stream(
        model="gpt-mock",
        max_tokens=4000,
        system=SYSTEM,
        tools=TOOLS,
        thinking={"type": "enabled", "budget_tokens": 2000},
        metadata={"user_id": "user_1_session_2"},
        messages=messages,
    ) as stream:
        for event in stream:
            if event.type not in EVENTS:
                continue  # The SDK's own, made from these.
            kinds.append(event.type)
            if event.type == "content_block_start":
                started.append(event.index)
            elif event.type in ("content_block_delta", "content_block_stop"):
                assert event.index in started and event.index not in stopped
            if event.type == "content_block_stop":
                stopped.append(event.index)
        message = stream.get_final_message()
    kinds = [kind for kind in kinds if kind != "ping"]
    assert kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("message_start") == kinds.count("message_delta") == kinds.count("message_stop") == 1
    assert started == sorted(stopped) == list(range(len(message.content)))
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0
    return message


def test_a_loop_of_four_turns(client, word):
    said = f"{word} {TEXT}"
    messages = [{"role": "user", "content": f"mock:thinking+tools-3+piece-3 {said}"}]
    turns, uses = [], []
    for number, wanted in enumerate([3, 2, 1, 0]):
        message = turn(client, messages)
        turns.append(message)
        calls = [block for block in message.content if block.type == "tool_use"]
        uses.append(calls)
        assert [call.name for call in calls] == NAMES[:wanted]
        assert message.stop_reason == ("tool_use" if wanted else "end_turn")
        messages.append({"role": "assistant", "content": message.content})
        if not wanted:
            break
        assert message.content[0].type == "thinking" and message.content[0].thinking
        assert [call.input["call"] for call in calls] == list(range(wanted))
        assert all(said in call.input["text"] for call in calls)
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": f"turn {number} {call.name}", "is_error": call.name == "Edit"}
            for call in calls
        ]
        results[-1] |= CACHED
        script = f"mock:thinking+tools-{wanted - 1}" if wanted > 1 else "mock:thinking"
        # Claude Code says what it has to say after the results, in the same turn.
        messages.append({"role": "user", "content": [*results, {"type": "text", "text": f"{script} {said}"}]})

    ids = [call.id for calls in uses for call in calls]
    assert len(set(ids)) == len(ids) == 6
    assert turns[-1].content[-1].text == said

    requests = received(word)
    assert [(request["path"], request["outcome"]) for request in requests] == [("/v1/chat/completions", "whole")] * 4
    bodies = [json.loads(request["body"]) for request in requests]
    for number, (request, body) in enumerate(zip(requests, bodies)):
        assert body["stream"] is True
        assert tool_names(request) == NAMES
        assert body["messages"][0]["role"] in ("system", "developer")
        first = json.dumps(body["messages"][0])
        assert "You are an agent." in first and "Work step by step." in first
        assert "cache_control" not in request["body"] and "anthropic-beta" not in request["headers"]
        calls, results = shown(request)
        assert [call[0] for call in calls] == ids[: (0, 3, 5, 6)[number]]
        assert [call[:2] for call in calls] == [(call.id, call.name) for calls in uses[:number] for call in calls]
        assert [result[0] for result in results] == [call[0] for call in calls]
    # What failed is told, to a dialect without a word for it: the text of the result is whole.
    _, results = shown(requests[-1])
    texts = ["turn 0 Read", "turn 0 Edit", "turn 0 Bash", "turn 1 Read", "turn 1 Edit", "turn 2 Read"]
    assert all(text in result[1] for text, result in zip(texts, results, strict=True))
    # What was sent before is sent the same again: a provider's prefix cache lives on it.
    for before, after in zip(bodies, bodies[1:]):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert after["tools"] == before["tools"]
    roles = [message["role"] for message in bodies[-1]["messages"][1:]]
    assert roles == ["user", "assistant", *["tool"] * 3, "user", "assistant", *["tool"] * 2, "user", "assistant", "tool", "user"]


@pytest.mark.parametrize("thinking", [[], [{"type": "thinking", "thinking": "Anthropic's own.", "signature": "c2lnbmVk"}]])
def test_a_signature_of_another_maker_stays_behind(client, word, thinking):
    messages = [
        {"role": "user", "content": f"ask {word}"},
        {"role": "assistant", "content": [*thinking, {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"text": "a"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": [{"type": "text", "text": word}]}]},
    ]
    message = turn(client, messages)
    assert message.content[-1].type == "text" and word in message.content[-1].text
    (request,) = received(word)
    assert "c2lnbmVk" not in request["body"]
    calls, results = shown(request)
    assert calls == [("toolu_1", "Read", {"text": "a"})]
    assert [result[0] for result in results] == ["toolu_1"]


def test_calls_whose_pieces_interleave_arrive_whole(client, word):
    message = turn(client, [{"role": "user", "content": f"mock:tools-3+interleaved+piece-2+split-5 {word}"}])
    assert [block.input for block in message.content] == [expected(word, call) for call in range(3)]


def test_usage_is_told_in_classes_that_do_not_overlap(client, word):
    usage = turn(client, [{"role": "user", "content": f"mock:usage-10-20+cached-4 {word}"}]).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (6, 4, 20)


def test_tokens_are_counted_by_an_estimate_that_says_so(client, word):
    def count(text):
        raw = client.messages.with_raw_response.count_tokens(
            model="gpt-mock", system=SYSTEM, tools=TOOLS, messages=[{"role": "user", "content": text}]
        )
        assert raw.headers["x-bartizan-estimated"] == "tokens"
        return raw.parse().input_tokens

    short, long = count(word), count(f"{word} {TEXT * 50}")
    assert 0 < short < long
    # The provider, which does not count, was not asked.
    assert received(word) == []


@pytest.mark.parametrize("ending", ["cut", "drop", "abort", "error"])
def test_a_turn_that_breaks_off_raises(client, word, ending):
    for count in (1, 4, 9):
        with pytest.raises(anthropic.APIError):
            turn(client, [{"role": "user", "content": f"mock:tools-2+piece-3+{ending}-after-{count} {word}"}])


@pytest.mark.parametrize(
    "status, kind",
    [(400, anthropic.BadRequestError), (429, anthropic.RateLimitError), (529, anthropic.APIStatusError), (500, anthropic.InternalServerError)],
)
def test_a_failure_is_the_class_that_the_loop_catches(client, word, status, kind):
    with pytest.raises(kind) as caught:
        turn(client, [{"role": "user", "content": f"mock:error-{status} {word}"}])
    assert caught.value.body["type"] == "error" and caught.value.body["error"]["type"]

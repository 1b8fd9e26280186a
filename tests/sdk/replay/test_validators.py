"""The judges judge: what each provider takes they let pass, and a foreign member or a wrong type they find, at any depth."""

import copy

import pytest
import validators

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHAT = {
    "model": "m",
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
        {"role": "assistant", "content": "b", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "r"},
    ],
    "tools": [FUNCTION],
}
GOOD = {
    "openai_chat": CHAT,
    "mistral": CHAT,
    "openai_completions": {"model": "m", "prompt": "a"},
    "openai_responses": {
        "model": "m",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "r"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}],
    },
    "anthropic_messages": {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "r"}]},
        ],
        "tools": [{"name": "f", "input_schema": SCHEMA}],
    },
    "gemini": {
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "YQ=="}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "r"}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]}],
        "generationConfig": {"maxOutputTokens": 9, "thinkingConfig": {"includeThoughts": True}},
    },
    "bedrock_converse": {
        "messages": [
            {"role": "user", "content": [{"text": "a"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "r"}]}}]},
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}}]},
    },
    "cohere_chat": {**CHAT, "stream": False},
    "ollama_chat": {
        "model": "m",
        "messages": [
            {"role": "user", "content": "a", "images": ["aGk="]},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
            {"role": "tool", "content": "r", "tool_name": "f"},
        ],
        "tools": [FUNCTION],
        "options": {"temperature": 1.0},
    },
}
# What callers choose themselves: any members may stand in these.
FREE = ("parameters", "input_schema", "parametersJsonSchema", "json", "args", "input", "arguments", "response", "inputSchema")


def objects(value, path=()):
    """The places of all objects whose members are the provider's to choose."""
    if isinstance(value, dict):
        yield path
        for key, one in value.items():
            if key not in FREE:
                yield from objects(one, (*path, key))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from objects(one, (*path, at))


def at(value, path):
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize("api", validators.JUDGES)
def test_a_judge_finds_what_does_not_belong(api):
    good = GOOD[api]
    if validators.faults(api, good) is None:
        pytest.skip("its specification is not here")
    assert validators.faults(api, good) == []
    for path in objects(good):
        bad = copy.deepcopy(good)
        at(bad, path)["x_unheard_of"] = 1
        assert validators.faults(api, bad), f"a foreign member in {path}"
        for key, value in at(good, path).items():
            # Mistral takes arguments as an object too.
            if isinstance(value, str | list) and key != "arguments":
                bad = copy.deepcopy(good)
                at(bad, path)[key] = {"wrong": {"type": 1}}
                assert validators.faults(api, bad), f"an object for {key} in {path}"

"""In the same API on both sides bytes pass: boto3's parsers, Cohere's SDK and Mistral's read what their own providers were recorded to say."""

import functools
import json

import botocore.config
import botocore.session
import cohere
import pytest
from conftest import URL, Misses, exchanges
from mistralai.client import Mistral


def said(**parts):
    return {"text": "", "calls": [], "input": 0, "output": 0, **parts}


def call(name, arguments):
    return (name, json.loads(arguments or "{}") if isinstance(arguments, str) else arguments)


@functools.cache
def boto():
    """The client, and the headers that its next request gets."""
    session = botocore.session.Session()
    session.set_credentials("a", "b")
    config = botocore.config.Config(retries={"max_attempts": 1}, proxies={})
    options = {"region_name": "us-east-1", "endpoint_url": f"{URL}/as/bedrock_converse", "config": config}
    client = session.create_client("bedrock-runtime", **options)
    at = {}
    client.meta.events.register("before-sign.*", lambda request, **_: [request.headers.add_header(*one) for one in at.items()])
    return client, at


def by_boto(exchange):
    client, at = boto()
    at.update(exchange.at(seed=5))
    asked = {"modelId": exchange.model, "messages": [{"role": "user", "content": [{"text": "a"}]}]}
    got = said()
    if not exchange.stream:
        answer = client.converse(**asked)
        for block in answer["output"]["message"]["content"]:
            got["text"] += block.get("text", "")
            got["text"] += "".join(part["text"] for part in block.get("citationsContent", {}).get("content", []))
            if "toolUse" in block and block["toolUse"].get("type") != "server_tool_use":
                got["calls"].append(call(block["toolUse"]["name"], block["toolUse"]["input"]))
        usage = answer["usage"]
    else:
        uses, usage = {}, {}
        for event in client.converse_stream(**asked)["stream"]:
            delta = event.get("contentBlockDelta", {}).get("delta", {})
            start = event.get("contentBlockStart", {})
            if "toolUse" in start.get("start", {}) and start["start"]["toolUse"].get("type") != "server_tool_use":
                uses[start["contentBlockIndex"]] = [start["start"]["toolUse"]["name"], ""]
            if "toolUse" in delta and event["contentBlockDelta"]["contentBlockIndex"] in uses:
                uses[event["contentBlockDelta"]["contentBlockIndex"]][1] += delta["toolUse"]["input"]
            got["text"] += delta.get("text", "")
            usage = event.get("metadata", {}).get("usage", usage)
        got["calls"] = [call(*use) for use in uses.values()]
    cached = usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
    return {**got, "input": usage["inputTokens"] + cached, "output": usage["outputTokens"]}


@functools.cache
def cohere_client():
    return cohere.ClientV2(api_key="k", base_url=f"{URL}/as/cohere_chat")


def by_cohere(exchange):
    client = cohere_client()
    asked = {"model": "m", "messages": [{"role": "user", "content": "a"}], "request_options": {"additional_headers": exchange.at(seed=5)}}
    got = said()
    if not exchange.stream:
        answer = client.chat(**asked)
        got["text"] = "".join(part.text for part in answer.message.content or [] if part.type == "text")
        got["calls"] = [call(one.function.name, one.function.arguments) for one in answer.message.tool_calls or []]
        usage = answer.usage
    else:
        calls, usage = [], None
        for event in client.chat_stream(**asked):
            if event.type == "content-delta":
                got["text"] += event.delta.message.content.text or ""
            elif event.type == "tool-call-start":
                calls.append([event.delta.message.tool_calls.function.name, ""])
            elif event.type == "tool-call-delta":
                calls[-1][1] += event.delta.message.tool_calls.function.arguments
            elif event.type == "message-end":
                usage = event.delta.usage
        got["calls"] = [call(*one) for one in calls]
    images = getattr(usage.tokens, "image_tokens", None) or 0
    return {**got, "input": usage.tokens.input_tokens + images, "output": usage.tokens.output_tokens}


@functools.cache
def mistral_client():
    return Mistral(api_key="k", server_url=f"{URL}/as/openai_chat")


def by_mistral(exchange):
    client = mistral_client()
    asked = {"model": "m", "messages": [{"role": "user", "content": "a"}], "http_headers": exchange.at(seed=5)}
    got, usage = said(), None
    if not exchange.stream:
        answer = client.chat.complete(**asked)
        pieces, usage = [answer.choices[0].message], answer.usage
    else:
        pieces = []
        for event in client.chat.stream(**asked):
            pieces += [choice.delta for choice in event.data.choices]
            usage = event.data.usage or usage
    for piece in pieces:
        content = piece.content or ""
        got["text"] += content if isinstance(content, str) else "".join(part.text for part in content if part.type == "text")
        got["calls"] += [call(one.function.name, one.function.arguments) for one in piece.tool_calls or []]
    return {**got, "input": usage.prompt_tokens, "output": usage.completion_tokens}


READERS = {"bedrock.converse": by_boto, "cohere.chat_v2": by_cohere, "mistral.chat": by_mistral}


@pytest.mark.parametrize("file", READERS)
def test_the_providers_own_sdk_reads_what_is_relayed(file):
    misses = Misses(f"relayed answers of {file}")
    for exchange in exchanges():
        if exchange.file != file or exchange.status != 200:
            continue
        usage = exchange.said["usage"]
        calls = [(one["name"], one["arguments"]) for one in exchange.said["calls"]]
        wanted = {"text": exchange.said["text"], "calls": calls, "input": usage["input"], "output": usage["output"]}
        try:
            got = READERS[file](exchange)
        except Exception as error:
            misses.case(exchange.name, [repr(error)])
        else:
            misses.case(exchange.name, [f"{key} {wanted[key]!r} became {got[key]!r}" for key in wanted if wanted[key] != got[key]])
    misses.settle()

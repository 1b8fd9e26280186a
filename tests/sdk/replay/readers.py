"""Each official SDK as a reader: asks the replay server, and tells what its own objects say."""

import functools
import json

import anthropic
import openai
import pydantic
from conftest import URL
from google import genai
from google.genai import types as google
from openai.lib.streaming.chat import ChatCompletionStreamState

TIMEOUT = 30


def valid(model):
    """The SDKs build their objects without a look at the types; so look, with what was received alone."""
    type(model).model_validate(model.model_dump(mode="json", exclude_unset=True, by_alias=True, warnings=False))
    return model


def arguments(text):
    return json.loads(text) if text.strip() else {}


def listed(answer, stream):
    return answer if stream else [answer]


def empty():
    return {"text": "", "reasoning": "", "refusal": "", "calls": [], "opaque": [], "finish": None, "usage": None, "id": ""}


class Chat:
    name = "openai_chat"
    error = openai.APIError

    @functools.cached_property
    def client(self):
        return openai.OpenAI(base_url=f"{URL}/as/{self.name}/v1", api_key="k", max_retries=0, timeout=TIMEOUT)

    def answers(self, stream, headers):
        """What the SDK makes of it: one answer, or a stream's events."""
        asked = {"model": "m", "messages": [{"role": "user", "content": "a"}], "extra_headers": headers}
        if not stream:
            return [self.client.chat.completions.create(**asked)]
        return self.client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})

    def ask(self, stream, headers):
        """What it says."""
        if not stream:
            return self.said(valid(self.answers(stream, headers)[0]))
        state = ChatCompletionStreamState()
        reasoning, usage = "", None
        for chunk in self.answers(stream, headers):
            state.handle_chunk(valid(chunk))
            usage = chunk.usage or usage
            for choice in chunk.choices:
                reasoning += getattr(choice.delta, "reasoning_content", None) or ""
        # What is whole, as the SDK sees it; it does not put together what is not OpenAI's own.
        whole = state.current_completion_snapshot
        said = self.said(whole)
        said["usage"] = self.usage(usage)
        said["reasoning"] = reasoning
        return said

    def said(self, answer):
        said = empty()
        choice = answer.choices[0]
        message = choice.message
        said["id"] = answer.id
        said["text"] = message.content or ""
        said["refusal"] = message.refusal or ""
        said["reasoning"] = getattr(message, "reasoning_content", None) or ""
        said["finish"] = choice.finish_reason
        for call in message.tool_calls or []:
            assert call.type == "function"
            said["calls"].append({"id": call.id, "name": call.function.name, "arguments": arguments(call.function.arguments)})
        said["usage"] = self.usage(answer.usage)
        return said

    @staticmethod
    def usage(usage):
        if usage is None:
            return None
        prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        return {
            "input": usage.prompt_tokens,
            "output": usage.completion_tokens,
            "cached": (prompt and prompt.cached_tokens) or 0,
            "written": (prompt and getattr(prompt, "cache_write_tokens", None)) or 0,
            "reasoning": (completion and completion.reasoning_tokens) or 0,
        }


class Completions(Chat):
    name = "openai_completions"

    def answers(self, stream, headers):
        asked = {"model": "m", "prompt": "a", "max_tokens": 900, "extra_headers": headers}
        if not stream:
            return [self.client.completions.create(**asked)]
        return self.client.completions.create(**asked, stream=True, stream_options={"include_usage": True})

    def ask(self, stream, headers):
        said = empty()
        for answer in self.answers(stream, headers):
            if not stream or any(choice.finish_reason for choice in answer.choices):
                # Its chunks are of the same class as whole answers, which all have an end: OpenAI's own have none.
                valid(answer)
            assert said["id"] in ("", answer.id)
            said["id"] = answer.id
            for choice in answer.choices:
                if choice.index == 0:
                    said["text"] += choice.text
                    said["finish"] = choice.finish_reason or said["finish"]
            said["usage"] = self.usage(answer.usage) or said["usage"]
        return said


class Responses(Chat):
    name = "openai_responses"

    asked = {"model": "m", "input": "a", "store": False}

    def answers(self, stream, headers):
        return listed(self.client.responses.create(**self.asked, stream=stream, extra_headers=headers), stream)

    def ask(self, stream, headers):
        if not stream:
            return self.said(valid(self.answers(stream, headers)[0]))
        with self.client.responses.stream(**self.asked, extra_headers=headers) as stream:
            events = [valid(event) for event in stream]
        numbers = [event.sequence_number for event in events]
        assert numbers == list(range(len(numbers))), "sequence numbers"
        # The SDK gives no final response where it is incomplete.
        assert events[-1].type in ("response.completed", "response.incomplete")
        return self.said(events[-1].response)

    def said(self, answer):
        said = empty()
        said["id"] = answer.id
        said["finish"] = {"completed": "stop", "failed": "error"}.get(answer.status)
        if answer.status == "incomplete" and answer.incomplete_details:
            said["finish"] = {"max_output_tokens": "length"}.get(answer.incomplete_details.reason, answer.incomplete_details.reason)
        for item in answer.output:
            if item.type == "message":
                for part in item.content:
                    if part.type == "refusal":
                        said["refusal"] += part.refusal
                    else:
                        said["text"] += part.text
            elif item.type == "reasoning":
                said["reasoning"] += "".join(part.text for part in [*item.summary, *(item.content or [])])
                said["opaque"] += [item.encrypted_content] if item.encrypted_content else []
            elif item.type == "function_call":
                said["calls"].append({"id": item.call_id, "name": item.name, "arguments": arguments(item.arguments)})
        assert answer.output_text == said["text"]
        usage = answer.usage
        if usage:
            assert usage.total_tokens == usage.input_tokens + usage.output_tokens
            said["usage"] = {
                "input": usage.input_tokens,
                "output": usage.output_tokens,
                "cached": usage.input_tokens_details.cached_tokens,
                "written": getattr(usage.input_tokens_details, "cache_write_tokens", None) or 0,
                "reasoning": usage.output_tokens_details.reasoning_tokens,
            }
        return settled(said)


class Messages:
    name = "anthropic_messages"
    error = anthropic.APIError

    @functools.cached_property
    def client(self):
        return anthropic.Anthropic(base_url=f"{URL}/as/{self.name}", api_key="k", max_retries=0, timeout=TIMEOUT)

    asked = {"model": "m", "max_tokens": 900, "messages": [{"role": "user", "content": "a"}]}

    def answers(self, stream, headers):
        return listed(self.client.messages.create(**self.asked, stream=stream, extra_headers=headers), stream)

    def ask(self, stream, headers):
        if not stream:
            return self.said(valid(self.answers(stream, headers)[0]))
        with self.client.messages.stream(**self.asked, extra_headers=headers) as events:
            for event in events:
                # The SDK adds events of its own, with a snapshot in them.
                if event.type in ("message_start", "message_delta", "content_block_start", "content_block_delta"):
                    valid(event)
            return self.said(events.get_final_message())

    def said(self, answer):
        said = empty()
        assert (answer.type, answer.role) == ("message", "assistant")
        said["id"] = answer.id
        for block in answer.content:
            if block.type == "text":
                said["text"] += block.text
            elif block.type == "thinking":
                said["reasoning"] += block.thinking
                said["opaque"] += [block.signature] if block.signature else []
            elif block.type == "redacted_thinking":
                said["opaque"].append(block.data)
            elif block.type == "tool_use":
                said["calls"].append({"id": block.id, "name": block.name, "arguments": block.input})
        said["finish"] = {
            "end_turn": "stop",
            "stop_sequence": "stop",
            "pause_turn": "stop",
            "max_tokens": "length",
            "model_context_window_exceeded": "length",
            "tool_use": "tool_calls",
            "refusal": "content_filter",
        }.get(answer.stop_reason, answer.stop_reason)
        usage = answer.usage
        read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        details = getattr(usage, "output_tokens_details", None)
        said["usage"] = {
            "input": usage.input_tokens + read + written,
            "output": usage.output_tokens,
            "cached": read,
            "written": written,
            "reasoning": (details and details.thinking_tokens) or 0,
        }
        return settled(said)


class Gemini:
    name = "gemini"
    # A stream's error is one of the SDK's own, or of the reader of what it got.
    error = (genai.errors.APIError, genai.errors.UnknownApiResponseError, pydantic.ValidationError)

    @functools.cached_property
    def client(self):
        options = google.HttpOptions(base_url=f"{URL}/as/{self.name}", timeout=TIMEOUT * 1000)
        return genai.Client(api_key="k", http_options=options, vertexai=False)

    def answers(self, stream, headers):
        thinking = google.ThinkingConfig(include_thoughts=True)
        config = google.GenerateContentConfig(thinking_config=thinking, http_options=google.HttpOptions(headers=headers))
        asked = {"model": "m", "contents": "a", "config": config}
        if stream:
            return self.client.models.generate_content_stream(**asked)
        return [self.client.models.generate_content(**asked)]

    def ask(self, stream, headers):
        said = empty()
        for answer in self.answers(stream, headers):
            valid_google(answer)
            self.add(said, answer)
        return settled(said)

    @staticmethod
    def add(said, answer):
        said["id"] = answer.response_id or said["id"]
        if answer.prompt_feedback and answer.prompt_feedback.block_reason:
            said["finish"] = "content_filter"
        for candidate in answer.candidates or []:
            for part in (candidate.content and candidate.content.parts) or []:
                if part.thought_signature:
                    said["opaque"].append(part.thought_signature)
                if part.text is not None:
                    said["reasoning" if part.thought else "text"] += part.text
                elif part.function_call:
                    call = part.function_call
                    said["calls"].append({"id": call.id or "", "name": call.name, "arguments": call.args or {}})
            if candidate.finish_reason:
                said["finish"] = {"STOP": "stop", "MAX_TOKENS": "length"}.get(candidate.finish_reason.value, "content_filter")
                if candidate.finish_reason.value in ("OTHER", "MALFORMED_FUNCTION_CALL", "FINISH_REASON_UNSPECIFIED"):
                    said["finish"] = "error"
        usage = answer.usage_metadata
        if usage:
            thoughts = usage.thoughts_token_count or 0
            prompt = (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0)
            output = (usage.candidates_token_count or 0) + thoughts
            said["usage"] = {
                "input": prompt,
                "output": output,
                "cached": usage.cached_content_token_count or 0,
                "written": 0,
                "reasoning": thoughts,
            }
            if usage.total_token_count is not None:
                said["total"] = usage.total_token_count


def valid_google(answer):
    """Its models know no required members: but they must be of the types that they are."""
    type(answer).model_validate(answer.model_dump(exclude_unset=True, exclude={"sdk_http_response"}))


def settled(said):
    if said["finish"] == "stop" and said["calls"]:
        said["finish"] = "tool_calls"
    return said


CLIENTS = {reader.name: reader for reader in (Chat(), Responses(), Completions(), Messages(), Gemini())}

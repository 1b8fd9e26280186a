"""Requests of OpenAI's clients, one for each thing that can be asked; beside the recorded ones."""

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": SCHEMA}}
BARE = {"type": "function", "function": {"name": "now"}}
MARK = {"type": "ephemeral"}


def call(name, arguments="{}", at=1):
    return {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}


def result(text, at=1):
    return {"role": "tool", "tool_call_id": f"call_{at}", "content": text}


def user(content="hi"):
    return {"role": "user", "content": content}


def text(words, **rest):
    return {"type": "text", "text": words, **rest}


def image(url):
    return {"type": "image_url", "image_url": {"url": url}}


def asked(*messages, **rest):
    return {"messages": list(messages) or [user()], **rest}


CALLED = {"role": "assistant", "content": None, "tool_calls": [call("weather", '{"city": "Pune"}')]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}}

REQUESTS = {
    "a text": asked(),
    "system": asked({"role": "system", "content": "be brief"}, user()),
    "developer": asked({"role": "developer", "content": "be brief"}, user()),
    "system in the middle": asked(user(), {"role": "system", "content": "be brief"}, user("go on")),
    "neighbours of one role": asked(user("a"), user("b")),
    "an assistant first": asked({"role": "assistant", "content": "a"}, user("b")),
    "an assistant last": asked(user("a"), {"role": "assistant", "content": "b"}),
    "empty texts": asked(user("a"), {"role": "assistant", "content": ""}, user("b")),
    "parts": asked(user([text("a"), text("b")])),
    "an image": asked(user([text("what is it?"), image(f"data:image/png;base64,{PIXEL}")])),
    "a document": asked(user([{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQK"}}])),
    "tools": asked(tools=[TOOL]),
    "a tool without parameters": asked(tools=[BARE]),
    "tool choice auto": asked(tools=[TOOL], tool_choice="auto"),
    "tool choice none": asked(tools=[TOOL], tool_choice="none"),
    "tool choice required": asked(tools=[TOOL], tool_choice="required"),
    "tool choice by name": asked(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "weather"}}),
    "one call at a time": asked(tools=[TOOL], parallel_tool_calls=False),
    "a call and its result": asked(user(), CALLED, result("warm"), tools=[TOOL]),
    "a text beside a call": asked(user(), {**CALLED, "content": "I look."}, result("warm"), tools=[TOOL]),
    "an empty text beside a call": asked(user(), {**CALLED, "content": ""}, result("warm"), tools=[TOOL]),
    "empty arguments": asked(user(), {"role": "assistant", "tool_calls": [call("now", "")]}, result("12"), tools=[BARE]),
    "parallel calls": asked(
        user(),
        {"role": "assistant", "tool_calls": [call("weather", '{"city": "Pune"}'), call("weather", '{"city": "Puri"}', 2)]},
        result("warm"),
        result("hot", 2),
        tools=[TOOL],
    ),
    "equal parallel calls": asked(
        user(),
        {"role": "assistant", "tool_calls": [call("weather", '{"city": "Pune"}'), call("weather", '{"city": "Pune"}', 2)]},
        result("warm"),
        result("warm", 2),
        tools=[TOOL],
    ),
    "results and then a question": asked(user(), CALLED, result("warm"), user("and tomorrow?"), tools=[TOOL]),
    "a history of calls without tools": asked(user(), CALLED, result("warm"), user("thanks")),
    "stop": asked(stop=["a", "b"]),
    "one stop": asked(stop="a"),
    "max_tokens": asked(max_tokens=9),
    "max_completion_tokens": asked(max_completion_tokens=9),
    "temperature": asked(temperature=0.3),
    "a temperature over 1": asked(temperature=1.7),
    "top_p": asked(top_p=0.4),
    "penalties": asked(frequency_penalty=0.5, presence_penalty=0.5),
    "penalties of nothing": asked(frequency_penalty=0, presence_penalty=0),
    "seed": asked(seed=7),
    "logprobs": asked(logprobs=True, top_logprobs=2),
    "several answers": asked(n=2),
    "user": asked(user="u-1"),
    "effort low": asked(reasoning_effort="low", max_tokens=20000),
    "effort medium": asked(reasoning_effort="medium", max_tokens=20000),
    "effort high": asked(reasoning_effort="high", max_tokens=40000),
    "effort none": asked(reasoning_effort="none"),
    "a json object": asked(response_format={"type": "json_object"}),
    "a json schema": asked(response_format=FORMAT),
    "a json schema and tools": asked(response_format=FORMAT, tools=[TOOL]),
    "cache marks": asked(
        {"role": "system", "content": [text("long", cache_control=MARK)]},
        user([text("longer", cache_control=MARK), text("a")]),
    ),
    "cached tools": asked(tools=[{**TOOL, "cache_control": MARK}]),
    "signed thinking": asked(
        user(),
        {
            **CALLED,
            "reasoning_content": "t",
            "thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "c2ln"}],
            "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "c2ln"}],
        },
        result("warm"),
        tools=[TOOL],
    ),
}

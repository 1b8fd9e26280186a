"""LangChain's chat models, each on a model whose provider speaks another dialect."""

import json

import pytest
from conftest import KEY, PATHS, TEXT, URL, expected, received, shown, tool_names
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


def openai(model, **options):
    return ChatOpenAI(
        model=model, base_url=f"{URL}/v1", api_key=KEY, max_tokens=100, timeout=20, max_retries=0, stream_usage=True, **options
    )


def responses(model):
    return openai(model, use_responses_api=True)


def anthropic(model):
    return ChatAnthropic(model=model, base_url=URL, api_key=KEY, max_tokens=100, timeout=20, max_retries=0, stream_usage=True)


def google(model):
    return ChatGoogleGenerativeAI(model=model, base_url=URL, api_key=KEY, max_output_tokens=100, timeout=20, max_retries=1)


CLIENTS = {
    "openai": (openai, "claude-mock"),
    "responses": (responses, "claude-mock"),
    "anthropic": (anthropic, "gpt-mock"),
    "google on OpenAI": (google, "gpt-mock"),
    "google on Anthropic": (google, "claude-mock"),
}


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client(request):
    """A chat model, and the path that its provider is asked at."""
    make, model = request.param
    return make(model), PATHS[model]


class Nested(BaseModel):
    again: list[str]


@tool
def lookup(text: str, call: int, nested: Nested) -> str:
    """Looks something up."""
    return f"lookup gave {call}"


@tool
def measure(text: str, call: int, nested: Nested) -> str:
    """Measures something."""
    return f"measure gave {call}"


TOOLS = {"lookup": lookup, "measure": measure}


def finish(message):
    """Why the answer ended, whatever the client calls it."""
    told = message.response_metadata
    said = told.get("finish_reason") or told.get("stop_reason") or told.get("status")
    return {"end_turn": "stop", "completed": "stop", "STOP": "stop", "tool_use": "tool_calls"}.get(said, said)


def gathered(model, messages):
    """A stream's chunks, added up as LangChain does."""
    whole = None
    for chunk in model.stream(messages):
        whole = chunk if whole is None else whole + chunk
    return whole


WAYS = {"invoke": lambda model, messages: model.invoke(messages), "stream": gathered}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def ask(request):
    return request.param


def test_text_finish_and_usage(client, ask, word):
    model, path = client
    said = f"{word} {TEXT}"
    answer = ask(model, [SystemMessage("Be brief."), HumanMessage(f"mock:usage-10-20+cached-4 {said}")])
    assert answer.text == said
    assert finish(answer) == "stop"
    usage = answer.usage_metadata
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (10, 20, 30)
    assert usage["input_token_details"]["cache_read"] == 4

    (request,) = received(word)
    assert request["path"] == path
    assert "Be brief." in request["body"]


def test_two_parallel_calls_and_their_results(client, ask, word):
    model, path = client
    said = f"{word} {TEXT}"
    model = model.bind_tools(list(TOOLS.values()))
    messages = [HumanMessage(f"mock:tools-2+piece-3 {said}")]
    first = ask(model, messages)
    assert [call["name"] for call in first.tool_calls] == ["lookup", "measure"]
    assert [call["args"] for call in first.tool_calls] == [expected(said, 0), expected(said, 1)]
    assert first.invalid_tool_calls == []
    assert finish(first) in ("tool_calls", "stop")
    usage = first.usage_metadata
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0

    results = [TOOLS[call["name"]].invoke(call) for call in first.tool_calls]
    assert all(isinstance(result, ToolMessage) for result in results)
    last = ask(model, [*messages, first, *results])
    assert "measure gave 1" in last.text
    assert finish(last) == "stop"

    requests = received(word)
    assert [request["path"] for request in requests] == [path, path]
    assert all(tool_names(request) == ["lookup", "measure"] for request in requests)
    assert shown(requests[0]) == ([], [])
    calls, told = shown(requests[1])
    assert [call[1:] for call in calls] == [("lookup", expected(said, 0)), ("measure", expected(said, 1))]
    assert [text for _, text in told] == ["lookup gave 0", "measure gave 1"]


def test_calls_whose_pieces_interleave_arrive_whole(client, word):
    model, _ = client
    first = gathered(model.bind_tools(list(TOOLS.values())), [HumanMessage(f"mock:tools-3+interleaved+piece-2 {word}")])
    assert [call["args"] for call in first.tool_calls] == [expected(word, call) for call in range(3)]


@pytest.mark.parametrize("choice", ["any", "lookup"])
def test_a_tool_choice_arrives(client, word, choice):
    model, path = client
    answer = model.bind_tools([lookup], tool_choice=choice).invoke(f"mock:tools {word}")
    assert [call["name"] for call in answer.tool_calls] == ["lookup"]
    asked = json.loads(received(word)[0]["body"])["tool_choice"]
    forced = {"type": "tool", "name": "lookup"} if path == "/v1/messages" else {"type": "function", "function": {"name": "lookup"}}
    some = {"type": "any"} if path == "/v1/messages" else "required"
    if isinstance(asked, dict):
        asked.pop("disable_parallel_tool_use", None)
    # Of one tool, Google's client says "any of this one", which is the tool itself.
    assert asked == forced or (choice == "any" and asked == some)


@pytest.mark.parametrize("ending", ["cut", "drop", "error"])
def test_a_stream_that_breaks_off_raises(client, word, ending):
    model, _ = client
    with pytest.raises(Exception):
        gathered(model, [HumanMessage(f"mock:piece-3+{ending}-after-5 {word} {TEXT}")])
    assert [request["outcome"] for request in received(word)] != ["whole"]


class Answer(BaseModel):
    text: str
    call: int
    nested: Nested


def test_structured_output_by_schema(client, word):
    model, path = client
    # An Anthropic model that is not known for answers by a schema is given the schema as a tool, whose call is the answer.
    hidden = path == "/v1/messages"
    wanted = expected(word, 0)
    answer = model.with_structured_output(Answer, method="json_schema").invoke(f"mock:tools {word}" if hidden else json.dumps(wanted))
    assert answer.model_dump() == wanted
    body = json.loads(received(word)[0]["body"])
    schema = body["tools"][0]["input_schema"] if hidden else body["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["text", "call", "nested"]

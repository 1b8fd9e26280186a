"""Google's SDK, with providers of other APIs behind the gateway."""

import json

import pytest
from conftest import MOCK_KEY, google_client
from google.genai import errors, types

TEXT = 'आधार 🪪 "quoted"\nand a second line'
MODELS = ["gpt-mock", "claude-mock"]
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="lookup",
            description="Looks something up.",
            parameters_json_schema={"type": "object", "properties": {"text": {"type": "string"}}},
        )
    ]
)


def config(**options):
    # Anthropic's models need it.
    return {"max_output_tokens": 100, **options}


def stream(google, model, text, **options):
    """Reads a stream to its end: the text, the tool calls, the finish reason, the usage."""
    said, calls, finish, usage = "", [], None, None
    for chunk in google.models.generate_content_stream(model=model, contents=text, config=config(**options)):
        usage = chunk.usage_metadata or usage
        for candidate in chunk.candidates or []:
            for part in (candidate.content and candidate.content.parts) or []:
                said += part.text or ""
                calls += [part.function_call] if part.function_call else []
            finish = candidate.finish_reason or finish
    return said, calls, finish, usage


@pytest.mark.parametrize("model", MODELS)
def test_content_is_generated_whole(google, mock, word, model):
    answer = google.models.generate_content(
        model=model,
        contents=f"mock:usage-10-20+cached-4 {word} {TEXT}",
        config=config(system_instruction="Be brief."),
    )
    assert answer.text == f"{word} {TEXT}"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (10, 20, 30)
    assert usage.cached_content_token_count == 4
    request = mock.one(word)
    assert "Be brief." in request["body"]
    assert MOCK_KEY in json.dumps(request["headers"])
    assert "x-goog-api-key" not in request["headers"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("words", ["echo", "piece-1", "split-3", "crlf+comments"])
def test_a_stream_says_the_same(google, word, model, words):
    said, _, finish, usage = stream(google, model, f"mock:{words}+usage-10-20 {word} {TEXT}")
    assert (said, finish) == (f"{word} {TEXT}", types.FinishReason.STOP)
    assert usage.total_token_count == 30


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_both_versions_of_the_api_lead_here(word, version):
    client = google_client(version=version)
    answer = client.models.generate_content(model="gpt-mock", contents=word)
    assert answer.text == word


@pytest.mark.parametrize("model", MODELS)
def test_parallel_tool_calls_arrive_whole(google, word, model):
    text = f"{word} {TEXT}"
    expected = [{"text": text, "call": index, "nested": {"again": [text]}} for index in range(2)]
    answer = google.models.generate_content(model=model, contents=f"mock:tools-2 {text}", config=config(tools=[TOOL]))
    assert [call.args for call in answer.function_calls] == expected
    _, calls, finish, _ = stream(google, model, f"mock:tools-2+piece-1 {text}", tools=[TOOL])
    assert ([call.args for call in calls], finish) == (expected, types.FinishReason.STOP)


@pytest.mark.parametrize("model", MODELS)
def test_personal_data_is_masked_and_restored(google, mock, word, planted, model):
    email = planted(f"{word}.rao@example.org")
    said, _, _, _ = stream(google, model, f"mock:piece-3 {word} write to {email} now")
    assert email in said
    bodies = [request["body"] for request in mock.requests(word)]
    assert bodies and not any(email in body for body in bodies)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("status", "seen", "name"),
    [
        (400, 400, "INVALID_ARGUMENT"),
        (403, 403, "PERMISSION_DENIED"),
        (404, 404, "NOT_FOUND"),
        (429, 429, "RESOURCE_EXHAUSTED"),
        (500, 500, "INTERNAL"),
        (503, 503, "UNAVAILABLE"),
        (529, 503, "UNAVAILABLE"),
    ],
)
def test_a_providers_failure_has_googles_shape(google, word, model, status, seen, name):
    with pytest.raises(errors.APIError) as raised:
        google.models.generate_content(model=model, contents=f"mock:error-{status}+retry-after-7 {word}", config=config())
    assert (raised.value.code, raised.value.status) == (seen, name)
    assert raised.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("ending", ["cut", "drop", "error"])
def test_a_stream_broken_after_any_event_is_seen(google, mock, word, model, ending):
    for count in range(100):
        mark = f"{word}{count}x"
        try:
            stream(google, model, f"mock:piece-12+{ending}-after-{count} {mark} and more")
            seen = False
        except errors.APIError:
            seen = True
        outcomes = {request["outcome"] for request in mock.requests(mark)}
        assert outcomes, "nothing reached the provider"
        if outcomes == {"whole"} and not seen:
            assert count >= 5
            return
        assert seen, f"a stream that was broken after {count} events passed for a whole one ({outcomes})"
    pytest.fail("no stream was whole")


def test_tokens_are_counted_and_texts_embedded(google, word):
    for model in MODELS:
        assert google.models.count_tokens(model=model, contents=word).total_tokens > 0
    answer = google.models.embed_content(model="embed-mock", contents=[word, "b", word])
    one, two, three = (embedding.values for embedding in answer.embeddings)
    assert one == three != two


def test_models_are_listed(google):
    assert {model.name for model in google.models.list()} == {"models/claude-mock", "models/embed-mock", "models/gpt-mock"}
    assert google.models.get(model="gpt-mock").name == "models/gpt-mock"


def test_a_refusal_has_googles_shape(google):
    for client, model, code, status in [
        (google, "nobody", 404, "NOT_FOUND"),
        (google_client(key="nobody"), "gpt-mock", 401, "UNAUTHENTICATED"),
    ]:
        with pytest.raises(errors.ClientError) as raised:
            client.models.generate_content(model=model, contents="x")
        assert (raised.value.code, raised.value.status) == (code, status)

"""Judges of requests: each provider's own specification, or the types of its official SDK. Members that it does not know are faults.

`faults(api, request)` gives what is wrong with a request, one line each. The specifications are read where they lie, in `shared/specs`
beside the workspace; where they don't, `None` says that there is no judge.
"""

import copy
import functools
import inspect
import json
import typing
from pathlib import Path

import anthropic.types
import botocore.model
import botocore.validate
import jsonschema_rs
import pydantic
import yaml
from anthropic.types import message_create_params
from cohere.v2.client import V2Client
from google.genai import types as google

SPECS = Path(__file__).parents[4] / "shared" / "specs"


def faults(api, request):
    judge = JUDGES[api]()
    return None if judge is None else judge(request)


# -- by JSON schema


def closed(schema, ajar=False):
    """The schema with every object closed. One that is a part of another's `allOf` is closed by that one."""
    if isinstance(schema, list):
        return [closed(one, ajar) for one in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {}
    for key, value in schema.items():
        if key in ("properties", "$defs", "patternProperties"):
            shut[key] = {name: closed(one) for name, one in value.items()}
        elif key in ("default", "example", "examples", "enum", "const", "discriminator"):
            # `discriminator` only speeds up what the branches say.
            if key in ("enum", "const"):
                shut[key] = value
        elif key == "oneOf":
            # Some alternatives overlap: to be one of them is enough.
            shut["anyOf"] = closed(value, ajar)
        else:
            shut[key] = closed(value, ajar or key == "allOf")
    shaped = "properties" in schema or "allOf" in schema
    if shaped and not ajar and schema.get("additionalProperties") in (None, True):
        shut.pop("additionalProperties", None)
        shut["unevaluatedProperties"] = False
    return shut


def parts_of_others(value, found):
    """The names of schemas that stand in an `allOf`."""
    if isinstance(value, dict):
        for one in value.get("allOf", []):
            if isinstance(one, dict) and "$ref" in one:
                found.add(one["$ref"].rsplit("/", 1)[-1])
        for one in value.values():
            parts_of_others(one, found)
    elif isinstance(value, list):
        for one in value:
            parts_of_others(one, found)
    return found


def judge(document):
    validator = jsonschema_rs.Draft202012Validator(document)

    def look(request):
        return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:400]}" for error in validator.iter_errors(request)]

    return look


@functools.cache
def specification(provider):
    path = SPECS / provider / "openapi.yaml"
    if not path.exists():
        return None
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["components"]["schemas"]


def by_openapi(provider, name):
    schemas = specification(provider)
    if schemas is None:
        return None
    schemas = added(provider, copy.deepcopy(schemas))
    there = reachable(schemas, name)
    ajar = parts_of_others([schemas[key] for key in there], set())
    shut = {key: closed(schemas[key], key in ajar) for key in there}
    return judge({"$ref": f"#/components/schemas/{name}", "components": {"schemas": shut}, "unevaluatedProperties": False})


def added(provider, schemas):
    """What providers take and their specifications lag behind."""
    if provider == "ollama":
        # As its server reads a message (api/types.go) and its documents of thinking and tools write one.
        message, call = schemas["ChatMessage"]["properties"], schemas["ToolCall"]["properties"]
        for name in ("thinking", "tool_name", "tool_call_id"):
            message[name] = {"type": "string"}
        call["id"] = {"type": "string"}
    if provider == "mistral":
        # As it was recorded to take it, with 200.
        sound = schemas["AudioChunk"]["properties"]["input_audio"]
        words = {"data": {"type": "string"}, "format": {"type": "string"}}
        sound["anyOf"].append({"type": "object", "properties": words, "required": ["data"]})
    return schemas


def reachable(schemas, name):
    """The schemas that one refers to, and so on."""
    found, todo = set(), [name]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += refs(schemas[one], [])
    return found


def refs(value, found):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            found.append(value["$ref"].rsplit("/", 1)[-1])
        for one in value.values():
            refs(one, found)
    elif isinstance(value, list):
        for one in value:
            refs(one, found)
    return found


# -- by SDKs' types


def by_anthropic():
    for module in vars(anthropic.types).values():
        if typing.is_typeddict(module):
            module.__pydantic_config__ = pydantic.ConfigDict(extra="forbid")
    schema = pydantic.TypeAdapter(message_create_params.MessageCreateParamsBase).json_schema()
    schema["properties"]["stream"] = {"type": "boolean"}
    # The SDK has dropped these, which the newest models refuse; the API takes them of the others, as recorded answers show.
    for name, kind in {"temperature": "number", "top_p": "number", "top_k": "integer"}.items():
        schema["properties"][name] = {"type": kind}
    return judge(closed(schema))


def by_cohere():
    """The parameters of the SDK's own method, which it writes into the body one by one."""
    members = {
        name: (parameter.annotation, ... if parameter.default is inspect.Parameter.empty else None)
        for name, parameter in inspect.signature(V2Client.chat).parameters.items()
        if name not in ("self", "request_options")
    }
    members["stream"] = (bool, None)
    schema = pydantic.create_model("Request", **members).model_json_schema()
    return judge(closed(schema))


def by_google():
    """Google's requests are put together of these."""
    members = {
        "contents": (list[google.Content], ...),
        "system_instruction": (google.Content | None, None),
        "tools": (list[google.Tool] | None, None),
        "tool_config": (google.ToolConfig | None, None),
        "safety_settings": (list[google.SafetySetting] | None, None),
        "generation_config": (google.GenerationConfig | None, None),
        "cached_content": (str | None, None),
        "labels": (dict[str, str] | None, None),
        "service_tier": (google.ServiceTier | None, None),
    }
    config = pydantic.ConfigDict(extra="forbid", alias_generator=google.Content.model_config["alias_generator"], val_json_bytes="base64")
    model = pydantic.create_model("Request", __config__=config, **members)

    def look(request):
        try:
            model.model_validate(request)
        except pydantic.ValidationError as errors:
            return [f"{'/'.join(map(str, error['loc']))}: {error['msg']}" for error in errors.errors()]
        return []

    return look


def by_botocore():
    path = SPECS / "bedrock" / "bedrock-runtime.service-2.json"
    if not path.exists():
        return None
    operation = botocore.model.ServiceModel(json.loads(path.read_text()), "bedrock-runtime").operation_model("Converse")

    def look(request):
        report = botocore.validate.ParamValidator().validate({"modelId": "m", **request}, operation.input_shape)
        return report.generate_report().splitlines()

    return look


JUDGES = {
    "openai_chat": functools.cache(lambda: by_openapi("openai", "CreateChatCompletionRequest")),
    "openai_responses": functools.cache(lambda: by_openapi("openai", "CreateResponse")),
    "openai_completions": functools.cache(lambda: by_openapi("openai", "CreateCompletionRequest")),
    "mistral": functools.cache(lambda: by_openapi("mistral", "ChatCompletionRequest")),
    "ollama_chat": functools.cache(lambda: by_openapi("ollama", "ChatRequest")),
    "anthropic_messages": functools.cache(by_anthropic),
    "cohere_chat": functools.cache(by_cohere),
    "gemini": functools.cache(by_google),
    "bedrock_converse": functools.cache(by_botocore),
}

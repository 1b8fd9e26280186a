"""What LiteLLM sends for the same OpenAI requests, beside what we send: each kind of difference at each place stands, explained, in
docs/litellm-differences.md.

Runs in an environment of its own without secrets, reaches loopback alone, and takes its table of models from the package. `REPLAY_URL` is
`bartizan-replay`, which translates; `python differential.py` fails where a difference is not explained, and where an explanation explains
nothing any more. With `--list` it prints all differences, by explanation.
"""

import collections
import difflib
import fnmatch
import http.server
import json
import os
import socket
import sys
import threading
import urllib.request
from pathlib import Path

from asked import REQUESTS

URL = os.environ["REPLAY_URL"]
EXPLAINED = Path(__file__).parents[3] / "docs" / "litellm-differences.md"
AWS = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "aws_region_name": "us-east-1"}
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
# The provider, its API as we call it, the model, LiteLLM's name for it, and what LiteLLM wants beside.
PROVIDERS = [
    ("anthropic", "anthropic_messages", "claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", {"api_key": "k"}),
    ("gemini", "gemini", "gemini-2.5-flash", "gemini/gemini-2.5-flash", {"api_key": "k"}),
    ("bedrock", "bedrock_converse", CLAUDE, f"bedrock/converse/{CLAUDE}", AWS),
]


def loopback_alone():
    """Nothing here may reach further, whatever a library finds worth asking for."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
            raise OSError(f"not loopback: {address[0]}")
        return connect(self, address)

    socket.socket.connect = guarded
    lookup = socket.getaddrinfo

    def local(host, *rest, **named):
        if host not in ("127.0.0.1", "::1", "localhost", None):
            raise socket.gaierror(f"not loopback: {host}")
        return lookup(host, *rest, **named)

    socket.getaddrinfo = local


class Recorder(http.server.BaseHTTPRequestHandler):
    """A provider of all three APIs that remembers what it was asked last."""

    protocol_version = "HTTP/1.1"
    last = None
    ANSWER = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "x"}],
        "stop_reason": "end_turn",
        "stopReason": "end_turn",
        "output": {"message": {"role": "assistant", "content": [{"text": "x"}]}},
        "candidates": [{"content": {"parts": [{"text": "x"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    }

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        Recorder.last = json.loads(body)
        answer = json.dumps(self.ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def fetched(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{URL}{path}", data=data), timeout=60) as answer:
        return json.load(answer)


def requests():
    """The table's, and the recorded ones, each once; streams are asked for whole, which changes nothing of what is sent but that word."""
    seen = set()
    for name, request in REQUESTS.items():
        yield name, request
    for one in fetched("/asked/openai_chat"):
        request = {key: value for key, value in one["body"].items() if key not in ("model", "stream", "stream_options")}
        key = json.dumps(request, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield f"{one['file']}:{one['index']}", request


# What stands in these is the caller's own, or a schema.
FREE = ("parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "args", "response", "input", "input_schema", "json")


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def usual(provider, value):
    """One spelling for what means the same: a text is a list of one part at Anthropic, Google reads two spellings of each member, and
    an empty configuration is none."""
    if isinstance(value, list):
        return [usual(provider, one) for one in value]
    if isinstance(value, dict):
        if provider == "gemini":
            value = {camel(key): one for key, one in value.items()}
        if "output_format" in value:
            value = {**without(value, "output_format"), "output_config": {"format": value["output_format"]}}
        value = {key: one if key in FREE else usual(provider, one) for key, one in value.items()}
        if ("role" in value or value.get("type") == "tool_result") and isinstance(value.get("content"), str):
            value["content"] = [{"type": "text", "text": value["content"]}]
        return {key: one for key, one in value.items() if key not in ("inferenceConfig", "generationConfig") or one}
    return value


def differences(theirs, ours, path=""):
    """Where the two differ, with what each has there; places in lists are left out. What one alone has in a list stands by itself, and a
    member that is only called otherwise is told by both names."""
    if theirs == ours:
        return
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for one, other in renamed(theirs, ours):
            yield f"{path}.{one}" if path else one, theirs[one], Renamed(other)
            theirs, ours = without(theirs, one), without(ours, other)
        for key in sorted({*theirs, *ours}):
            yield from differences(theirs.get(key), ours.get(key), f"{path}.{key}" if path else key)
    elif isinstance(theirs, list) and isinstance(ours, list):
        for one, other in matched(theirs, ours):
            yield from differences(one, other, f"{path}[]")
    else:
        yield path, theirs, ours


class Renamed(str):
    """The name that a member has on the other side."""


def without(value, name):
    return {key: one for key, one in value.items() if key != name}


def renamed(theirs, ours):
    """Members of one value and two names."""
    left, right = theirs.keys() - ours.keys(), ours.keys() - theirs.keys()
    return [(one, other) for one in sorted(left) for other in sorted(right) if theirs[one] == ours[other]][:1]


def matched(theirs, ours):
    """The items of two lists that belong together, in their order: equal ones, or those of the same members."""
    texts = [[json.dumps(one, sort_keys=True) for one in side] for side in (theirs, ours)]
    for _, start, end, begin, stop in difflib.SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        rest = ours[begin:stop]
        for one in theirs[start:end]:
            at = next((at for at, other in enumerate(rest) if alike(one, other)), None)
            if at is None:
                yield one, None
                continue
            yield from ((None, other) for other in rest[:at])
            yield one, rest[at]
            rest = rest[at + 1 :]
        yield from ((None, other) for other in rest)


def alike(one, other):
    if not isinstance(one, dict) or not isinstance(other, dict):
        return type(one) is type(other)
    if any(one.get(key) != other.get(key) for key in ("role", "type", "name") if key in one and key in other):
        return False
    return 2 * len(one.keys() & other.keys()) >= len(one.keys() | other.keys())


# Strings that are anybody's.
OPAQUE = ("id", "tooluseid", "bytes", "data", "signature", "field")


def shape(value, key=""):
    """What a value looks like: a number or a short string as it is, a longer string by its beginning, an object by its members, a list by
    its items."""
    match value:
        case None:
            return "–"
        case str() if key.lower() in OPAQUE:
            return "text"
        case str():
            short = value if len(value) <= 30 else f"{value[:24]}…"
            return json.dumps(short.replace("|", "¦").replace("`", "'"), ensure_ascii=False)
        case dict():
            whole = ", ".join(f"{name}: {shape(value[name], name)}" for name in sorted(value))
            return f"{{{whole if len(whole) <= 90 else ', '.join(sorted(value))}}}"
        case list():
            return f"[{', '.join(dict.fromkeys(map(shape, value)))}]"
    return json.dumps(value)


def values(path, theirs, ours):
    """What became of what, by its shape."""
    if isinstance(ours, Renamed):
        return f"as {ours}"
    key = path.rsplit(".", 1)[-1]
    return f"{shape(theirs, key)} → {shape(ours, key)}"


def explanations():
    """The rows of the tables in the document: provider, where, what became of what, what LiteLLM does, what we do."""
    for line in EXPLAINED.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[1].startswith("`"):
            yield cells[0], cells[1].strip("`"), cells[2].strip("`"), line


def explained(provider, path, what, known):
    def fits(said, pattern):
        return fnmatch.fnmatchcase(said, pattern.replace("[", "[[]"))

    for who, where, difference, line in known:
        if provider == who and fits(path, where) and fits(what, difference):
            return line
    return None


def litellm_sends(litellm, model, extra, base, request):
    Recorder.last = None
    try:
        litellm.completion(model=model, api_base=base, **extra, **request, drop_params=True, num_retries=0, timeout=10)
    except Exception as error:
        if Recorder.last is None:
            return None, f"{type(error).__name__}"
    return Recorder.last, None


def main():
    loopback_alone()
    import litellm

    litellm.suppress_debug_info = True
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    known = list(explanations())
    found, unexplained, cases = collections.defaultdict(list), [], 0
    for name, request in requests():
        for provider, api, model, theirs_model, extra in PROVIDERS:
            cases += 1
            theirs, failure = litellm_sends(litellm, theirs_model, extra, base, request)
            ours = fetched(f"/translate/openai_chat/{api}/{model}", {"model": "m", **request})
            if theirs is None or ours["sent"] is None:
                what = f"refused:{'both' if theirs is None and ours['sent'] is None else 'litellm' if theirs is None else 'bartizan'}"
                if what == "refused:both":
                    continue
                pairs = [(what if ours["sent"] else f"{what}:{ours['refused']['field']}", failure, ours["refused"])]
            else:
                pairs = list(differences(usual(provider, theirs), usual(provider, ours["sent"]["body"])))
            for path, one, other in pairs:
                what = values(path, one, other)
                line = explained(provider, path, what, known)
                place = (name, provider, path, what, one, other)
                (found[line] if line else unexplained).append(place)
    idle = [line for *_, line in known if line not in found]
    if "--list" in sys.argv:
        for line, places in found.items():
            print(line, f"\n    {len(places)} times, as in {places[0]}")
    for name, provider, path, what, one, other in unexplained:
        print(f"{provider} {path} {what}: LiteLLM {json.dumps(one)[:160]}, we {json.dumps(other)[:160]} ({name})")
    for line in idle:
        print(f"explains nothing any more: {line}")
    print(f"{cases} requests, {sum(map(len, found.values()))} differences explained, {len(unexplained)} not")
    return 1 if unexplained or idle or not cases else 0


if __name__ == "__main__":
    sys.exit(main())

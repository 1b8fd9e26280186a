"""Every recorded answer and stream, translated to each client's API, is read by that API's official SDK, and says the same."""

import pytest
from conftest import CLIENTS, Misses, exchanges
from readers import CLIENTS as READERS

# What stays wrong, and why.
KNOWN = {}


def bare(text):
    return "".join(text.split())


def differences(client, exchange, said):
    wanted = exchange.said
    wrong = []

    def same(what, theirs, ours):
        if theirs != ours:
            wrong.append(f"{what} {theirs!r} became {ours!r}")

    same("text", wanted["text"], said["text"])
    finish = wanted["finish"]
    if client == "openai_completions":
        finish = "stop" if finish == "tool_calls" else finish
    else:
        # White space between thoughts is the writer's.
        same("thinking", bare(wanted["reasoning"]), bare(said["reasoning"]))
        calls = [(call["name"], call["arguments"]) for call in wanted["calls"]]
        same("calls", calls, [(call["name"], call["arguments"]) for call in said["calls"]])
        for theirs, ours in zip(wanted["calls"], said["calls"], strict=False):
            if theirs["id"]:
                same("id", theirs["id"], ours["id"])
            elif not ours["id"]:
                wrong.append("a call without an id")
    # A stream of responses has no last word for one whose provider gave no reason.
    if finish or client != "openai_responses":
        same("finish", finish, said["finish"])
    usage = dict(wanted["usage"])
    usage["cached"] = min(usage["cached"], usage["input"])
    if client == "gemini":
        usage["written"] = 0
    same("usage", usage, said["usage"] or dict.fromkeys(usage, 0))
    if not said["id"]:
        wrong.append("no id")
    return wrong


def empty(said):
    return said is None or not (said["text"] or said["calls"] or said["reasoning"] or said["opaque"] or said["finish"])


@pytest.mark.parametrize("stream", [False, True], ids=["answers", "streams"])
@pytest.mark.parametrize("client", CLIENTS)
def test_the_clients_own_sdk_reads_what_was_said(client, stream):
    reader = READERS[client]
    misses = Misses(f"{'streams' if stream else 'answers'} read by {client}", KNOWN)
    for exchange in exchanges():
        if exchange.stream != stream:
            continue
        name = f"{client} {exchange.name}"
        failed = exchange.status >= 400 or empty(exchange.said)
        # In the same API bytes pass, and a provider's own ways with them: the SDK must read them, and is not asked what they say.
        relayed = exchange.api == client
        try:
            if relayed and not failed:
                for _ in reader.answers(stream, exchange.at(seed=7)):
                    pass
                misses.case(name, [])
                continue
            said = reader.ask(stream, exchange.at(seed=7))
        except reader.error as error:
            misses.case(name, [] if failed else [repr(error)])
        except Exception as error:
            misses.case(name, [repr(error)])
        else:
            misses.case(name, ["an error was read as an answer"] if failed else differences(client, exchange, said))
    misses.settle()

"""Recorded provider streams, cut after every event and passed through core: the official SDKs never take them for whole.

`cargo xtask test` has core's own tests write what a client receives, one file a cut; without recorded exchanges there are none.
"""

import os
import pathlib

import anthropic
import httpx2
import openai
import pytest

FOLDER = pathlib.Path(os.environ.get("BARTIZAN_CUTS", "no-recorded-exchanges"))


def serving(path):
    def answer(_):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=path.read_bytes())

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def openai_chat(path):
    with openai.OpenAI(api_key="none", http_client=serving(path), max_retries=0) as client:
        for _ in client.chat.completions.create(model="m", messages=[], stream=True):
            pass


def openai_responses(path):
    with openai.OpenAI(api_key="none", http_client=serving(path), max_retries=0) as client:
        for _ in client.responses.create(model="m", input="x", stream=True):
            pass


def anthropic_messages(path):
    with anthropic.Anthropic(api_key="none", http_client=serving(path), max_retries=0) as client:
        for _ in client.messages.create(model="m", max_tokens=1, messages=[], stream=True):
            pass


@pytest.mark.skipif(not FOLDER.is_dir(), reason="no recorded exchanges on this machine")
@pytest.mark.parametrize(
    "prefix, read, error",
    [
        ("openai.chat", openai_chat, openai.APIError),
        ("openai.responses", openai_responses, openai.APIError),
        ("anthropic.messages", anthropic_messages, anthropic.APIError),
    ],
)
def test_every_cut_raises(prefix, read, error):
    files = sorted(FOLDER.glob(f"{prefix}-*.sse"))
    assert len(files) > 100, f"{len(files)} cuts of {prefix}"
    silent = []
    for path in files:
        try:
            read(path)
        except error as raised:
            assert "broke off" in str(raised), path.name
        else:
            silent.append(path.name)
    assert not silent

"""Every recorded request, translated to each provider's API, is one that the provider's own specification or SDK takes."""

import collections

import pytest
import validators
from conftest import CLIENTS, Misses, fetched

# What stays wrong, and why.
KNOWN = {}


@pytest.mark.parametrize("provider", validators.JUDGES)
def test_what_is_sent_is_what_the_provider_specifies(provider):
    misses = Misses(f"requests sent to {provider}", KNOWN)
    refused = collections.Counter()
    for client in CLIENTS:
        # In the same API bytes pass, and are the caller's own.
        if client == provider or (client, provider) == ("openai_chat", "mistral"):
            continue
        for one in fetched(f"/requests/{client}/{provider}"):
            name = f"{client} {one['file']}:{one['index']} {provider}"
            if one["sent"] is None:
                refused[f"{client}: {one['refused']['field']}"] += 1
                misses.case(name, [] if one["refused"]["status"] == 400 and one["refused"]["field"] else ["refused without a field's name"])
                continue
            wrong = validators.faults(provider, one["sent"]["body"])
            if wrong is None:
                pytest.skip("its specification is not here")
            misses.case(name, wrong)
    print(f"\nrefused: {dict(refused)}")
    misses.settle()

"""No stream that breaks off looks whole: cut after any event of the provider's, in each client's API, its official SDK raises.

A stream that ends cleanly without its last word raises nothing in these SDKs; so what they get must be an error, or a body that breaks off.
"""

import os

import pytest
from conftest import CLIENTS, Misses, exchanges
from readers import CLIENTS as READERS

# Behind the last thing that these APIs say, a cut can't be told from the end.
LAST = {"gemini": 1, "cohere_chat": 2, "bedrock_converse": 2, "openai_completions": 0}


def cuts(exchange):
    """Every event of the short streams; the ends of the long ones and some between, whose deltas are all alike."""
    whole = exchange.events - LAST.get(exchange.api, 0)
    if os.environ.get("BARTIZAN_EVERY_CUT"):
        return range(whole)
    return [cut for cut in range(whole) if cut < 12 or cut > whole - 8 or cut % 16 == 0]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_cut_stream_is_an_error(client):
    reader = READERS[client]
    misses = Misses(f"cut streams read by {client}")
    for exchange in exchanges():
        if not exchange.stream or exchange.status >= 400:
            continue
        for cut in cuts(exchange):
            try:
                for _ in reader.answers(True, exchange.at(cut=cut)):
                    pass
            except reader.error:
                misses.case(f"{client} {exchange.name} {cut}", [])
            except Exception as error:
                misses.case(f"{client} {exchange.name} {cut}", [repr(error)])
            else:
                misses.case(f"{client} {exchange.name} {cut}", ["it looks whole"])
    misses.settle()

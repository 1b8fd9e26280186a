"""Presidio's own anonymizer library beside the gateway: the same spans, the same text.

Run by `cargo xtask differential`; PRESIDIO_URL is the gateway's address for Presidio's API, SEED and CASES may choose other spans.
"""

import json
import os
import random
import unittest
import urllib.error
import urllib.request

from presidio_anonymizer import AnonymizerEngine, DeanonymizeEngine
from presidio_anonymizer.entities import InvalidParamError, OperatorConfig, OperatorResult, RecognizerResult

URL = os.environ["PRESIDIO_URL"]
SEED = int(os.environ.get("SEED", "1"))
CASES = int(os.environ.get("CASES", "1500"))


def post(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def config(operators):
    return {name: OperatorConfig.from_json(dict(operator)) for name, operator in operators.items()}


def theirs(text, spans, operators):
    found = [RecognizerResult.from_json(span) for span in spans]
    try:
        return 200, json.loads(AnonymizerEngine().anonymize(text, found, config(operators)).to_json())
    except InvalidParamError as error:
        return 422, {"error": error.err_msg}


class Anonymizer(unittest.TestCase):
    maxDiff = None

    def test_any_spans_are_changed_alike(self):
        chance = random.Random(SEED)
        for _ in range(CASES):
            length = chance.randint(0, 30)
            text = "".join(chance.choice("ab\u00e9 \U0001f600  x\u0939") for _ in range(length))
            spans = []
            for _ in range(chance.randint(0, 8)):
                start = chance.randint(0, length)
                # Presidio's versions differ about spans without a length inside of others, which nobody finds.
                end = min(length + (chance.random() < 0.02), start + chance.choice([1, 1, 3, 6, 20]))
                if end > start:
                    score = chance.choice([0, 0.3, 0.5, 0.5, 0.9])
                    spans.append({"start": start, "end": end, "entity_type": chance.choice("ABC"), "score": score})
            operators = {
                "A": {
                    "type": "mask",
                    "masking_char": chance.choice("*\u00e9"),
                    "chars_to_mask": chance.randint(-1, 5),
                    "from_end": chance.random() < 0.5,
                },
                "B": {"type": chance.choice(["keep", "hash"]), "salt": "s" * 16},
            }
            if chance.random() < 0.3:
                operators = {}
            if chance.random() < 0.3:
                operators["DEFAULT"] = {"type": "redact"}
            ours = post("/anonymize", {"text": text, "analyzer_results": spans, "anonymizers": operators})
            self.assertEqual(ours, theirs(text, spans, operators), (text, spans, operators))

    def test_what_either_encrypts_the_other_decrypts(self):
        text = "\u0906\u0927\u093e\u0930 of Jane \U0001f600, and Ravi"
        spans = [
            {"start": 0, "end": 4, "entity_type": "A", "score": 0.5},
            {"start": 8, "end": 14, "entity_type": "B", "score": 0.5},
        ]
        for length in [16, 24, 32]:
            key = "k" * length
            there, back = ({"DEFAULT": {"type": kind, "key": key}} for kind in ("encrypt", "decrypt"))
            status, ours = post("/anonymize", {"text": text, "analyzer_results": spans, "anonymizers": there})
            self.assertEqual(status, 200, ours)
            items = [OperatorResult.from_json(item) for item in ours["items"]]
            self.assertEqual(DeanonymizeEngine().deanonymize(ours["text"], items, config(back)).text, text)

            _, sealed = theirs(text, spans, there)
            asked = {"text": sealed["text"], "anonymizer_results": sealed["items"], "deanonymizers": back}
            status, ours = post("/deanonymize", asked)
            self.assertEqual((status, ours["text"]), (200, text))
            items = [OperatorResult.from_json(item) for item in sealed["items"]]
            wanted = json.loads(DeanonymizeEngine().deanonymize(sealed["text"], items, config(back)).to_json())
            self.assertEqual(ours, wanted)

    def test_mistakes_are_told_in_the_same_words(self):
        span = {"start": 0, "end": 2, "entity_type": "A", "score": 0.5}
        for spans, operator in [
            ([dict(span, end=9)], {"type": "redact"}),
            ([span], {"type": "nothing-like-it"}),
            ([span], {"type": "mask", "chars_to_mask": 1, "from_end": True}),
            ([span], {"type": "mask", "masking_char": "**", "chars_to_mask": 1, "from_end": True}),
            ([span], {"type": "mask", "masking_char": "*", "chars_to_mask": "1", "from_end": True}),
            ([span], {"type": "mask", "masking_char": "*", "chars_to_mask": 1}),
            ([span], {"type": "replace", "new_value": 7}),
            ([span], {"type": "encrypt", "key": "short"}),
        ]:
            ours = post("/anonymize", {"text": "hello", "analyzer_results": spans, "anonymizers": {"A": operator}})
            self.assertEqual(ours, theirs("hello", spans, {"A": operator}), operator)


if __name__ == "__main__":
    unittest.main()

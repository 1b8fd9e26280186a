"""LiteLLM's own Presidio guardrail, pointed at the gateway instead of Presidio: nothing but the address is changed.

Run by `cargo xtask differential` in LiteLLM's environment, which holds no secret; PRESIDIO_URL is the gateway's address for Presidio's API.
"""

import json
import os
import tempfile
import unittest
import uuid

from litellm.caching.caching import DualCache
from litellm.exceptions import BlockedPiiEntityError
from litellm.proxy._types import UserAPIKeyAuth
from litellm.proxy.guardrails.guardrail_hooks.presidio import _OPTIONAL_PresidioPIIMasking as Guardrail
from litellm.types.utils import ModelResponse

URL = os.environ["PRESIDIO_URL"]
CARD = "4111 1111 1111 1111"


def guardrail(base=URL, **settings):
    return Guardrail(
        guardrail_name="personal data",
        event_hook="pre_call",
        default_on=True,
        presidio_analyzer_api_base=base,
        presidio_anonymizer_api_base=base,
        **settings,
    )


def answer(text):
    message = {"role": "assistant", "content": text}
    return ModelResponse(choices=[{"index": 0, "finish_reason": "stop", "message": message}])


class Guarded(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.made = []

    async def asyncTearDown(self):
        for one in self.made:
            await one._close_http_session()

    def guardrail(self, **settings):
        self.made.append(guardrail(**settings))
        return self.made[-1]

    async def sent(self, one, *contents):
        """What a model would get of a user's texts."""
        data = {"messages": [{"role": "user", "content": content} for content in contents], "metadata": {}}
        data["litellm_call_id"] = uuid.uuid4().hex
        data = await one.async_pre_call_hook(UserAPIKeyAuth(), DualCache(), data, "completion")
        return data, [message["content"] for message in data["messages"]]

    async def test_texts_are_masked_before_the_call(self):
        one = self.guardrail(pii_entities_config={"EMAIL_ADDRESS": "MASK", "CREDIT_CARD": "MASK", "IN_AADHAAR": "MASK"})
        _, sent = await self.sent(
            one,
            "write to ravi@example.in",
            f"\U0001f600\U0001f600 \u0906\u0927\u093e\u0930 2341 2341 2346, card {CARD}!",
            [{"type": "text", "text": "and é ravi@example.in"}],
            "  ",
        )
        self.assertEqual(
            sent,
            [
                "write to <EMAIL_ADDRESS>",
                "\U0001f600\U0001f600 \u0906\u0927\u093e\u0930 <IN_AADHAAR>, card <CREDIT_CARD>!",
                [{"type": "text", "text": "and é <EMAIL_ADDRESS>"}],
                "  ",
            ],
        )

    async def test_what_was_masked_comes_back_after_the_call(self):
        one = self.guardrail(output_parse_pii=True, pii_entities_config={"EMAIL_ADDRESS": "MASK"})
        data, [sent] = await self.sent(one, "ravi@example.in and sita@example.in, then ravi@example.in")
        for address in ["ravi@", "sita@"]:
            self.assertNotIn(address, sent)
        back = await one.async_post_call_success_hook(data, UserAPIKeyAuth(), answer(sent))
        self.assertEqual(
            back.choices[0].message.content, "ravi@example.in and sita@example.in, then ravi@example.in"
        )

    async def test_a_blocked_kind_stops_the_call(self):
        one = self.guardrail(pii_entities_config={"CREDIT_CARD": "BLOCK", "EMAIL_ADDRESS": "MASK"})
        with self.assertRaises(BlockedPiiEntityError) as raised:
            await self.sent(one, f"card {CARD}")
        self.assertEqual(raised.exception.entity_type, "CREDIT_CARD")
        _, sent = await self.sent(one, "ravi@example.in")
        self.assertEqual(sent, ["<EMAIL_ADDRESS>"])

    async def test_without_a_choice_of_kinds_the_usual_ones_are_masked(self):
        _, sent = await self.sent(self.guardrail(), "ravi@example.in at 192.0.2.7")
        self.assertEqual(sent, ["<EMAIL_ADDRESS> at <IP_ADDRESS>"])

    async def test_scores_and_kinds_can_be_left_out_by_the_caller(self):
        settings = {"EMAIL_ADDRESS": "MASK", "IP_ADDRESS": "MASK"}
        text = "ravi@example.in at 192.0.2.7"
        for more, expected in [
            ({"presidio_score_thresholds": {"ALL": 1.01}}, text),
            ({"presidio_score_thresholds": {"EMAIL_ADDRESS": 1.01}}, "ravi@example.in at <IP_ADDRESS>"),
            ({"presidio_entities_deny_list": ["IP_ADDRESS"]}, "<EMAIL_ADDRESS> at 192.0.2.7"),
        ]:
            _, sent = await self.sent(self.guardrail(pii_entities_config=settings, **more), text)
            self.assertEqual(sent, [expected], more)

    async def test_recognizers_of_a_file_are_used(self):
        recognizers = [
            {
                "name": "Badge",
                "supported_language": "en",
                "patterns": [{"name": "badge", "regex": r"\bB-\d{4}\b", "score": 0.3}],
                "supported_entity": "BADGE",
            },
            {"name": "Desk", "supported_language": "en", "deny_list": ["Desk 9"], "supported_entity": "DESK"},
        ]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(recognizers, file)
            file.flush()
            one = self.guardrail(presidio_ad_hoc_recognizers=file.name)
        _, sent = await self.sent(one, "é badge B-1234 at desk 9, ravi@example.in")
        self.assertEqual(sent, ["é badge <BADGE> at <DESK>, <EMAIL_ADDRESS>"])

    async def test_a_long_text_is_masked_over_the_seams_of_its_pieces(self):
        one = self.guardrail(pii_entities_config={"EMAIL_ADDRESS": "MASK"}, presidio_analyze_chunk_size_bytes=2_000)
        text = "".join(f"\u0939 line {n}: user{n}@example.in\n" for n in range(400))
        _, [sent] = await self.sent(one, text)
        self.assertEqual(sent, "".join(f"\u0939 line {n}: <EMAIL_ADDRESS>\n" for n in range(400)))

    async def test_what_the_model_writes_is_masked(self):
        one = self.guardrail(apply_to_output=True, pii_entities_config={"EMAIL_ADDRESS": "MASK"})
        back = await one.async_post_call_success_hook({"metadata": {}}, UserAPIKeyAuth(), answer("ask new@example.in"))
        self.assertEqual(back.choices[0].message.content, "ask <EMAIL_ADDRESS>")

    async def test_kinds_that_nobody_finds_here_close_the_call(self):
        one = self.guardrail(pii_entities_config={"PERSON": "MASK"})
        with self.assertRaisesRegex(Exception, "(?i)presidio"):
            await self.sent(one, "Ravi")

    async def test_a_wrong_address_closes_the_call(self):
        one = self.guardrail(base=f"{URL}/nowhere", pii_entities_config={"EMAIL_ADDRESS": "MASK"})
        with self.assertRaisesRegex(Exception, "(?i)presidio"):
            await self.sent(one, "ravi@example.in")


if __name__ == "__main__":
    unittest.main()

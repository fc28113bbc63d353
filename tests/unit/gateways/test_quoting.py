"""A person's words quoted by a gateway say nothing about an account and hide no true error code."""

from typing import Any

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import Locked
from bot.core.quoting import Written
from bot.gateways.creations import read_creation
from bot.gateways.polls import read_poll, read_refusal
from bot.gateways.spelling import plain
from tests.unit.core.orders import changed

from .bodies import PLAIN, catalog
from .samples import request
from .spoken import answer, envelope, flat, kind

QUOTING: list[Any] = [
    lambda words: {"error": {"message": "no", "reason": words}},
    lambda words: {"error": {"message": "no", "type": words}},
    lambda words: {"error": {"message": "no", "code": words}},
    lambda words: {"error": {"message": "no", "details": [{"reason": words}]}},
    lambda words: {"error": {"message": "no", "innererror": {"code": words}}},
    lambda words: {"code": "x", "message": "no", "data": {"code": words}},
    lambda words: {"detail": [{"msg": "no", "type": words, "input": words}]},
    lambda words: {"message": "no", "data": {"error_type": f"prompt:{words}"}},
    lambda words: envelope('{"error": {"message": "no", "reason": "' + words + '"}}'),
    lambda words: {"error": {"message": f"{words}: turned down"}},
    lambda words: {"error": {"message": f"turned down: {words}"}},
]
PROMPTS = [
    "insufficient_quota",
    "Insufficient balance",
    "A shop sign: insufficient balance. please top up!",
    "arrearage",
    "Arrearage, a town in the rain",
    'x", "base_resp": {"status_code": 1008}, "y": "z',
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("quoting", QUOTING)
@pytest.mark.parametrize("status", [400, 403, 422, 429])
def test_a_field_that_quotes_the_prompt_pauses_no_gateway(
    prompt: str, quoting: Any, status: int
) -> None:
    for words in (prompt, prompt.title(), prompt[:20], prompt.replace(" ", "_")):
        for written in (prompt, f"a cat\n{prompt}"):
            told = answer(status, quoting(words))
            created = read_creation(told, trust_json_5xx=True, prompt=written)
            assert not isinstance(created, Locked), words
            assert not isinstance(read_poll(told, gateway_id="v", prompt=written), Locked)
            assert not isinstance(read_refusal(told, prompt=written), Locked)


@pytest.mark.parametrize("prompt", ["a", "in", "cat", "n", "1", '"', "{", "the", "quota", "error"])
def test_a_short_prompt_does_not_hide_a_true_error_code(prompt: str) -> None:
    for body, outcome in (
        (envelope("x", "insufficient_quota"), ("Locked", Reason.NO_BALANCE)),
        (envelope("insufficient_quota: no"), ("Locked", Reason.NO_BALANCE)),
        (flat("x", '{"code": "Arrearage", "message": "no"}'), ("Locked", Reason.NO_BALANCE)),
        (flat("x", 'litellm: {"error": {"code": "x"}, "type": "invalid_api_key"}'),
         ("Locked", Reason.BAD_KEY)),
        (envelope("Insufficient balance"), ("Locked", Reason.NO_BALANCE)),
        (envelope("DataInspectionFailed: no"), ("Rejected", Reason.MODERATED)),
    ):  # fmt: skip
        told = answer(400, body)
        assert kind(read_creation(told, trust_json_5xx=True, prompt=prompt)) == outcome, body


def test_a_moderation_code_equal_to_the_prompt_still_rejects_that_order() -> None:
    for body in (envelope("x", "nsfw"), {"error": "NSFW"}):
        told = answer(400, body)
        seen = read_creation(told, trust_json_5xx=True, prompt="nsfw")
        assert kind(seen) == ("Rejected", Reason.MODERATED)
    accepted = answer(200, {"code": 0, "message": "ok", "reason": "nsfw"})
    assert kind(read_creation(accepted, trust_json_5xx=True, prompt="nsfw"))[0] == "Uncertain"


def test_a_quoted_negative_prompt_pauses_no_gateway() -> None:
    wanted = changed(PLAIN, negative_prompt="Insufficient balance")
    family = next(m.name for m in catalog("new-api").models if "negative_prompt" in m.takes)
    sent = catalog("new-api").choose(changed(wanted, family=family))[1]
    told = answer(403, envelope("Insufficient balance"))

    assert "Insufficient balance" in sent.written.splitlines()
    quoted = read_creation(told, trust_json_5xx=True, prompt=sent.written)
    assert kind(quoted) == ("Rejected", Reason.REFUSED)
    alone = read_creation(told, trust_json_5xx=True, prompt=sent.prompt)
    assert kind(alone) == ("Locked", Reason.NO_BALANCE)


def test_every_text_parameter_of_a_request_counts_as_written_by_a_person() -> None:
    made = request(parameters=(("metadata.title", "a sign"), ("seed", 7), ("audio", True)))
    assert made.written == "a cat\na sign"


def test_a_quotation_of_the_prompt_is_recognized_in_part_and_with_changed_punctuation() -> None:
    written = Written("a Cat, on a mat\nno rain", plain=plain)
    for text in ("a cat, on a mat", "A CAT", "cat_on", "cat%on", "no rain", "norain"):
        assert written.has(text), text
    for text in ("a cat, on a mat: refused", "mat no", "", "…"):
        assert not written.has(text), text

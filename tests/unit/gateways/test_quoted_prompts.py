"""A prompt that a gateway quotes decides nothing about the meaning of an answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.jobs import Reason
from bot.core.outcomes import (
    Locked,
)
from bot.gateways.creations import read_creation
from bot.gateways.polls import read_poll
from bot.gateways.table import PACKAGED
from tests.unit.gateways.meanings import examples

from .spoken import answer, create, envelope, flat, kind

EVIL = [
    *(said for row in PACKAGED.rows for text in row.sentences for said in examples(text)),
    *(code for row in PACKAGED.rows for text in row.codes for code in examples(text)),
    '{"error": {"code": "insufficient_quota"}}',
    '{"code": "Arrearage", "message": "x"}',
    "insufficient_quota: and so on",
]
QUOTES: list[Any] = [
    lambda prompt: prompt,
    lambda prompt: f"the prompt '{prompt}' is not for us",
    lambda prompt: f"{prompt} was turned down",
    lambda prompt: f"turned down: {prompt}",
    lambda prompt: json.dumps({"message": prompt}),
    lambda prompt: prompt[: max(1, len(prompt) // 2)],
    lambda prompt: prompt.upper(),
]
ENVELOPES: list[Any] = [
    lambda words: {"error": {"message": words, "type": "new_api_error", "code": ""}},
    lambda words: {"error": words},
    lambda words: flat("fail_to_fetch_task", words),
    lambda words: {"detail": words},
    lambda words: {"detail": [{"msg": words, "input": words}]},
    lambda words: {"message": words},
    lambda words: {"error": {"message": "no", "param": words, "metadata": {"raw": words}}},
    lambda words: {"code": 1, "message": {"message": words}, "prompt": words, "input": words},
    lambda words: f"Refused. {words}",
]


@pytest.mark.proof
@given(
    prompt=st.sampled_from(EVIL) | st.text(min_size=1, max_size=40),
    quote=st.sampled_from(QUOTES),
    wrap=st.sampled_from(ENVELOPES),
    status=st.sampled_from([200, 400, 403, 404, 409, 412, 413, 422, 429, 500, 503]),
)
def test_a_quoted_prompt_in_any_answer_pauses_no_gateway(
    prompt: str, quote: Any, wrap: Any, status: int
) -> None:
    spoken = answer(status, wrap(quote(prompt)))
    created = read_creation(spoken, trust_json_5xx=True, prompt=prompt)
    seen = read_poll(spoken, gateway_id="video_1", prompt=prompt)

    assert not isinstance(created, Locked)
    assert not isinstance(seen, Locked)


def test_negative_control_the_same_words_of_the_gateway_itself_pause_it() -> None:
    for prompt in ("Insufficient balance", "insufficient_quota", '{"code": "Arrearage"}'):
        spoken = answer(403, {"error": {"message": prompt, "code": ""}})
        assert isinstance(read_creation(spoken, trust_json_5xx=True, prompt="a cat"), Locked)
        quoted = read_creation(spoken, trust_json_5xx=True, prompt=prompt)
        assert kind(quoted) == ("Rejected", Reason.REFUSED)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 412, 429, 500])
def test_a_moderated_order_pauses_no_gateway_whatever_the_status(status: int) -> None:
    for code in ("prompt_blocked", "content_policy_violation", "DataInspectionFailed"):
        assert kind(create(status, envelope("insufficient balance", code)))[1] is Reason.MODERATED

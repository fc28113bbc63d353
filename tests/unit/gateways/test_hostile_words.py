"""Texts of a gateway that were made to keep us busy take no longer to read than others."""

import time

import pytest

from bot.gateways.creations import read_creation
from bot.gateways.polls import read_poll, read_refusal
from bot.gateways.table import PACKAGED

from .spoken import answer, envelope

LONG = 4096
"""The number of characters of a message that are read."""
STARTS = sorted({text.split("*")[0] for row in PACKAGED.rows for text in row.sentences})
RUNS = [
    *("\t", " ", "\n", "\u3000", ".", "。", "!", ",", "，", "(", ")", "[", "（", "{", '"'),
    *("\\", ":", "-", "_", "a", "é", "字", "1", "1x", "#", "*", "error", "error:", "_error-"),
    *("request id", "request id:", "(request id: a)", "req-id ", "status_code=1, "),
    *("could not generate rephras ", "could not generate ", "rephras", "support codes", "prompt "),
    *("quota exceeded for ", "size 1x1 ", "blocked by ", "violates the ", "model requires a "),
    *("\u0301\u0323", "\ufdfa", "ſ", "余额不足", "额度，", "请充值", "image url ", "download "),
]  # fmt: skip
HOSTILE = [(part * LONG)[:LONG] for part in RUNS]
SEVERAL = [
    *([f"{number} {text}"[:LONG] for number in range(100)] for text in HOSTILE[-26::5]),
    [f"{start} {number}" for start in STARTS for number in range(2)],
    [(start * LONG)[:LONG] for start in STARTS if start][:100],
    ["".join(STARTS)[number : number + LONG] for number in range(0, 3000, 30)],
]


def body_of(texts: list[str]) -> object:
    """Return an answer with a hundred messages; ten of a list are read."""
    tens = [texts[at : at + 10] for at in range(0, 100, 10)]
    return {"errors": [[{"message": text} for text in ten] for ten in tens]}


def cost(body: object, prompt: str = "") -> float:
    """Return the processor seconds that reading one answer takes, over all kinds of reading."""
    told = answer(400, body)
    began = time.process_time()
    read_creation(told, trust_json_5xx=True, prompt=prompt)
    read_poll(told, gateway_id="v", prompt=prompt)
    read_refusal(told, prompt=prompt)
    return time.process_time() - began


@pytest.mark.proof
def test_no_single_message_takes_long_to_read() -> None:
    took = {text[:40]: cost(envelope(text)) for text in HOSTILE}
    assert max(took.values()) < 0.5, max(took, key=lambda text: took[text])


@pytest.mark.proof
@pytest.mark.parametrize("prompt", ["", "\n".join(STARTS)[:LONG], "a\n" * 2000])
def test_an_answer_with_many_messages_does_not_take_long_to_read(prompt: str) -> None:
    took = {texts[0][:40]: cost(body_of(texts), prompt) for texts in SEVERAL}
    assert max(took.values()) < 0.5, took

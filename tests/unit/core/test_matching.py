"""A video in a gateway's list is proposed for what speaks for it, and never against the order."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.matching import candidates
from bot.core.outcomes import Listed
from tests.contract.rows import NOON, a_job

JOB = replace(a_job(), submitted_at=NOON)
MODEL, PROMPT = JOB.request.model, JOB.request.prompt


VIDEO = Listed(id="v1", model=MODEL, created_at=NOON + 2, prompt=PROMPT)


@pytest.mark.parametrize(
    ("told", "confidence"),
    [
        ({}, "strong"),
        ({"model": MODEL.upper(), "prompt": f" {PROMPT.replace(' ', '  ')}"}, "strong"),
        ({"prompt": None}, "likely"),
        ({"created_at": None}, "likely"),
        ({"created_at": NOON + 600}, "likely"),
        ({"model": ""}, "likely"),
        ({"prompt": None, "model": ""}, "possible"),
        ({"prompt": None, "created_at": NOON + 600}, "possible"),
        ({"prompt": None, "created_at": None, "model": ""}, None),
        ({"prompt": None, "created_at": NOON + 600, "model": ""}, None),
        ({"prompt": "a dog"}, None),
        ({"model": "sora-2"}, None),
        ({"created_at": NOON - 301}, None),
        ({"created_at": NOON + 901}, None),
    ],
)
def test_a_match_is_as_sure_as_its_grounds(told: dict[str, Any], confidence: str | None) -> None:
    found = candidates(JOB, [replace(VIDEO, **told)], known=())
    assert [each.confidence for each in found] == ([confidence] if confidence else [])


def test_a_video_of_another_job_is_no_candidate() -> None:
    assert candidates(JOB, [VIDEO, replace(VIDEO, id="v2")], known={"v1"})[0].video.id == "v2"


def test_the_id_that_the_job_knows_stands_before_all_others() -> None:
    found = candidates(
        replace(JOB, gateway_id="own"), [VIDEO, replace(VIDEO, id="own", prompt=None)], known=()
    )
    assert [each.video.id for each in found] == ["own", "v1"]


def test_the_likeliest_stands_first_and_none_is_picked() -> None:
    videos = [
        replace(VIDEO, id="far", created_at=NOON + 90),
        replace(VIDEO, id="unsure", prompt=None),
        replace(VIDEO, id="near", created_at=NOON - 3),
    ]
    found = candidates(JOB, videos, known=())
    assert [each.video.id for each in found] == ["near", "far", "unsure"]
    assert found[0].later == -3

"""A listed video is a candidate if facts match its order and none contradicts."""

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
def test_the_confidence_of_a_candidate_depends_on_how_many_facts_match(
    told: dict[str, Any], confidence: str | None
) -> None:
    found = candidates(JOB, [replace(VIDEO, **told)], known=())
    assert [each.confidence for each in found] == ([confidence] if confidence else [])


def test_a_video_that_belongs_to_another_job_is_no_candidate() -> None:
    assert candidates(JOB, [VIDEO, replace(VIDEO, id="v2")], known={"v1"})[0].video.id == "v2"


def test_the_video_with_the_jobs_own_id_is_the_first_candidate() -> None:
    found = candidates(
        replace(JOB, gateway_id="own"), [VIDEO, replace(VIDEO, id="own", prompt=None)], known=()
    )
    assert [each.video.id for each in found] == ["own", "v1"]


def test_candidates_are_sorted_by_likelihood() -> None:
    videos = [
        replace(VIDEO, id="far", created_at=NOON + 90),
        replace(VIDEO, id="unsure", prompt=None),
        replace(VIDEO, id="near", created_at=NOON - 3),
    ]
    found = candidates(JOB, videos, known=())
    assert [each.video.id for each in found] == ["near", "far", "unsure"]
    assert found[0].later == -3

"""A glance returns what a full reading returns, or nothing; it suffices for the usual answers."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.outcomes import Running
from bot.gateways.envelopes import NAMES
from bot.gateways.glances import read_glance
from bot.gateways.polls import read_poll
from bot.gateways.table import PACKAGED

from .spoken import answer

ID = "video_1"
USUAL = [
    {"id": ID, "object": "video", "model": "sora-2", "status": "queued", "progress": 0},
    {"id": ID, "status": "in_progress", "progress": 33, "error": None, "size": "1280x720"},
    {"id": "7", "task_id": ID, "status": "processing", "progress": "40%", "metadata": {}},
    {"task_id": ID, "status": "IN_PROGRESS", "created_at": 1_768_478_400, "seconds": "5"},
    {"id": ID, "status": "running", "prompt": "a cat: the status is failed", "video_url": ""},
]
SPELT = [
    *NAMES["states"][:9],
    *("Status", "video_status", "STATE", "id", "task_id", "taskId", "progress", "Progress"),
    *("pro-gress", "error", "message", "code", "data", "output", "model", "url", "video_url"),
    *("success", "detail", "metadata", "reason", "done", "items", "fail_reason"),
]
WORDS = [
    *("in_progress", "queued", "running", "IN_PROGRESS", " processing ", "NOT_START", "submitted"),
    *("completed", "failed", "success", "ok", "error", "", "200", "2", "brewing", ID, "video_2"),
    *("33", "50%", "nan", "-1", "https://a.example/v.mp4", "content policy violation"),
    *('{"status": "completed"}', 'failed: {"code": "x"}', "data: [DONE]"),
]
plain = st.sampled_from(WORDS) | st.sampled_from([None, True, False, 0, 1, 7, 42.5, 100, 101, -3])
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(SPELT), inner, max_size=2)
    ),
    max_leaves=4,
)
tables = st.dictionaries(st.sampled_from(SPELT), values, max_size=5)
making = st.dictionaries(st.sampled_from(SPELT), plain | values, max_size=3).map(
    lambda more: {"id": ID, "status": "in_progress", **more}
)


@pytest.mark.parametrize("body", USUAL)
def test_a_glance_suffices_for_the_usual_answers(body: dict[str, object]) -> None:
    told = answer(200, body, **{"openai-poll-after-ms": "2500"})
    seen = read_glance(told, ID, meanings=PACKAGED)
    assert seen == read_poll(told, gateway_id=ID)
    assert isinstance(seen, Running)
    assert seen.at_least == 2.5


@given(tables | making, st.sampled_from([200, 200, 200, 202, 404, 500]))
@example({"id": ID, "status": "in_progress", "task_status": "completed"}, 200)
@example({"id": ID, "status": "in_progress", "pro-gress": 40}, 200)
@example({"id": ID, "status": "in_progress", "data": {"task_status": "failed"}}, 200)
@example({"id": ID, "status": "queued", "output": '{"task_status": "failed"}'}, 200)
@example({"id": ID, "Status": "completed", "status": "queued"}, 200)
@example({"id": ID, "status": "queued", "progress": 3, "Progress": 40}, 200)
def test_a_glance_returns_what_a_full_reading_returns_or_nothing(
    body: dict[str, object], status: int
) -> None:
    told = answer(status, body)
    seen = read_glance(told, ID, meanings=PACKAGED)
    assert seen is None or seen == read_poll(told, gateway_id=ID, prompt="in_progress")


@pytest.mark.parametrize(
    "body",
    [
        *({"id": ID, "status": word} for word in ("completed", "failed", "brewing", "success")),
        {"id": "video_2", "status": "queued"},
        {"id": ID, "status": "queued", "prompt": "a cat " * 400},
        {"id": ID, "status": "queued", "data": {"status": "failed"}},
        {"id": ID, "status": ["queued"]},
        [{"id": ID, "status": "queued"}],
        "queued",
    ],
)
def test_a_glance_returns_nothing_for_unusual_answers(body: object) -> None:
    assert read_glance(answer(200, body), ID, meanings=PACKAGED) is None


def test_a_glance_returns_nothing_for_an_object_hidden_by_escaped_braces() -> None:
    told = answer(200, r'{"id": "video_1", "status": "queued", "output": "\u007b\"status\": 1}"}')
    assert read_glance(told, ID, meanings=PACKAGED) is None


def test_a_glance_returns_nothing_for_a_body_that_is_no_json() -> None:
    for raw in ("", "<html>", "[" * 1100, json.dumps({"id": ID, "status": "queued"})[:-1]):
        assert read_glance(answer(200, raw), ID, meanings=PACKAGED) is None

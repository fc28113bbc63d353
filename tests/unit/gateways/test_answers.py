"""The status words of gateways, row by row of the references, and what they never mean."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.jobs import Reason
from bot.core.outcomes import Done, Failed, Running
from bot.gateways.meanings import Meaning, Row
from bot.gateways.polls import read_poll
from bot.gateways.table import PACKAGED
from tests.unit.gateways.words import words

from .spoken import answer, envelope, flat, kind, poll

DONE = words(
    "completed succeeded succeed success done complete finished ready TASK_STATUS_SUCCEED"
    " JOB_STATE_SUCCEEDED TaskStatus.Success"
)
FAILED = words(
    "failed fail failure error canceled cancelled rejected timeout TASK_STATUS_FAILED timed-out"
    " JOB_STATE_CANCELLED aborted"
)
WAITING = words(
    "queued queueing in_queue pending submitted created preparing not_start TASK_STATUS_QUEUED"
)
RUNNING = words("in_progress processing running generating InProgress TASK_STATUS_PROCESSING")
NO_WORD: list[Any] = ["unknown", "SUSPENDED", "完成", 0, 1, True, 3.5]


@pytest.mark.parametrize("word", DONE)
def test_a_status_word_of_success_means_done(word: str) -> None:
    for spelling in (word, word.upper(), word.title(), f"  {word}\n"):
        assert poll({"status": spelling}) == Done()
        assert poll({"data": {"status": spelling}}) == Done()


@pytest.mark.parametrize("word", FAILED)
def test_a_status_word_of_failure_means_failed(word: str) -> None:
    for spelling in (word, word.upper(), f" {word} "):
        assert kind(poll({"status": spelling})) == ("Failed", Reason.REFUSED)
        assert kind(poll({"data": {"status": spelling}})) == ("Failed", Reason.REFUSED)


def test_the_status_word_expired_means_failed_with_the_reason_expired() -> None:
    assert kind(poll({"status": "expired"})) == ("Failed", Reason.EXPIRED)


@pytest.mark.parametrize("word", WAITING + RUNNING)
def test_a_status_word_of_waiting_means_running_without_a_warning(word: str) -> None:
    with capture_logs() as events:
        assert poll({"status": word}) == poll({"status": word.upper()}) == Running()

    assert events == []


@pytest.mark.parametrize("word", NO_WORD, ids=repr)
def test_an_unknown_status_word_means_running_whatever_other_fields_say(word: object) -> None:
    """The status word alone decides: no progress, time, URL or error changes its meaning."""
    over = {"progress": 100, "completed_at": 1640995200, "url": "https://a.example/v.mp4"}

    unknown = str(word) if word == "完成" or type(word) is int else ""
    for body in ({"status": word, **over}, {"status": word, **over, "error": {"message": "no"}}):
        seen = poll(body)
        assert isinstance(seen, Running)
        assert (seen.progress, seen.unknown) == (100, unknown)


def test_an_answer_without_a_status_word_means_running_and_its_shape_is_reported() -> None:
    shape = "{id: text, object: “video”}"
    assert poll({"id": "video_1", "object": "video"}) == Running(shape=shape)


def test_an_answer_with_progress_only_means_running_and_no_shape_is_reported() -> None:
    assert poll({"id": "video_1", "progress": 30}) == Running(30)


# A state in another field, or no state.
READ = [
    (["completed"], Done()),
    ("completed", Done()),
    ([{"status": "completed"}], Done()),
    ({"status": ["completed"]}, Done()),
    ({"status": {"state": "COMPLETED", "since": 1}}, Done()),
    ({"data": {"data": {"status": "completed"}}}, Done()),
    ({"code": "success", "data": {"data": {"data": {"task_status": "succeed"}}}}, Done()),
    ({"status": "success", "data": {"data": {"status": "processing"}}}, Running()),
    ({"job_status": "completed"}, Done()),
    ({"jobStatus": "completed"}, Done()),
    ({"data": {"videoStatus": "processing"}}, Running()),
    ({"job": {"state": "completed"}}, Done()),
    ({"results": [{"status": "processing"}]}, Running()),
    ({"output": '{"task_status": "SUCCEEDED"}'}, Done()),
    ({"task_status_msg": "completed"}, Done()),
    ({"status": "success", "data": {"status": "processing"}}, Running()),
    ({"status": 200, "data": {"status": "processing"}}, Running()),
    # Words beside a state, or under an input, are not the job's.
    ({"status": "processing", "video": {"status": "completed"}}, Running()),
    (
        {"status": "processing", "data": [{"status": "completed"}, {"status": "completed"}]},
        Running(),
    ),
]


@pytest.mark.parametrize(("body", "outcome"), READ, ids=repr)
def test_a_status_word_is_found_in_every_place_where_a_state_may_be(
    body: object, outcome: Any
) -> None:
    assert poll(json.dumps(body)) == outcome


VIDEO = "https://a.example/v"
ALONE: list[Any] = [
    {"id": "video_1", "video_url": VIDEO},
    {"videoUrl": VIDEO, "status": None, "error": None},
    {"url": f"{VIDEO}.mp4?sig=1", "status": "", "progress": 100},
    {"code": "success", "data": {"video": {"url": VIDEO}}},
    {"result": {"download_url": VIDEO}},
    [{"video_url": VIDEO}],
    f"{VIDEO}.mp4",
    {"choices": [{"message": {"content": f"Done: [video]({VIDEO}.mp4)"}}]},
]


@pytest.mark.parametrize("body", ALONE, ids=repr)
def test_a_video_link_without_any_status_word_means_done(body: object) -> None:
    seen = poll(json.dumps(body))
    assert isinstance(seen, Done)
    assert [link.partition(".mp4")[0] for link in seen.sources] == [VIDEO]


@pytest.mark.parametrize(
    "body",
    [
        {"url": VIDEO},
        {"url": "https://g.example/v1/videos/video_1"},
        {"video_url": "https://g.example/v1/videos/video_1"},
        {"video_url": VIDEO, "progress": 40},
        {"video_url": VIDEO, "status": 2},
        {"video_url": VIDEO, "status": "basting"},
        {"video_url": VIDEO, "status": "processing"},
        {"video_url": VIDEO, "error": {"message": "busy"}},
        {"video_url": VIDEO, "id": "video_2"},
        {"video_url": VIDEO, "done": False},
        {"videos": [{"status": "processing", "video_url": VIDEO}]},
        {"data": {"works": [{"status": 10, "video_url": VIDEO}]}},
        {"image_url": f"{VIDEO}.mp4", "callback_url": f"{VIDEO}.mp4"},
        {"data": [{"id": "a", "video_url": VIDEO}, {"id": "b", "video_url": VIDEO}]},
        {"choices": [{"message": {"content": "I am working on it"}}]},
    ],
    ids=repr,
)
def test_an_ambiguous_link_without_a_status_word_does_not_mean_done(body: object) -> None:
    assert isinstance(poll(body), Running)


FAILED_ITSELF = [
    flat("task_failed", "the vendor gave up"),
    flat("TaskFailed", "x"),
    flat("video_generation_failed", "x"),
    flat("job_cancelled", "x"),
    {"id": "video_1", "error": {"code": "generation_failed", "message": "x"}},
    {"status": 3, "error": {"code": "task_failed", "message": "x"}},
    {"error": "Video generation failed."},
    {"data": {"task_status_msg": "task_failed: no reason", "task_id": "video_1"}},
]


@pytest.mark.parametrize("body", FAILED_ITSELF, ids=repr)
def test_an_error_code_that_says_the_job_failed_means_failed(body: object) -> None:
    for status in (200, 400):
        assert kind(poll(body, status)) == ("Failed", Reason.REFUSED)
    for status in (401, 429, 500, 502, 503):
        assert not isinstance(poll(body, status), Failed)


def test_a_known_moderation_code_without_a_status_word_means_failed() -> None:
    for body in (
        envelope("x", "content_policy_violation"),
        flat("DataInspectionFailed", "Input data may contain inappropriate content."),
        {"id": "video_1", "status": 3, "error": {"code": "moderation_blocked", "message": "x"}},
    ):
        assert kind(poll(body)) == ("Failed", Reason.MODERATED)


PASSING = [
    envelope("upstream busy"),
    envelope("Internal server error", "server_error"),
    envelope("Rate limit reached", "rate_limit_exceeded"),
    envelope("Incorrect API key provided", "invalid_api_key"),
    envelope("You exceeded your current quota", "insufficient_quota"),
    envelope("no channel for this model", "model_not_found"),
    envelope("bad gateway", 502),
    envelope("the safety system is away"),
    flat("get_task_failed", "x"),
    flat("fail_to_fetch_task", "task failed"),
    flat("task_failed", "rate_limit_exceeded: slow down"),
    {"error": "failed"},
    {"code": "error", "message": "timeout", "data": None},
    {"id": "video_2", "error": {"code": "task_failed", "message": "x"}},
    {"status": 3, "error": {"code": "1302", "message": "x"}},
]


@pytest.mark.parametrize("body", PASSING, ids=repr)
def test_an_error_that_may_concern_the_call_never_ends_a_paid_job(body: object) -> None:
    assert isinstance(poll(body), Running)


def test_a_reported_shape_contains_no_links_and_no_texts() -> None:
    error = {"code": "E_7", "message": "a cat"}
    url = "https://a.example/secret"
    body = {"id": "video_1", "prompt": "a cat", "error": error, "url": url}
    seen = poll(body | {"a cat": 1, "list": [{"x": 1.5}], "ok": True})
    assert isinstance(seen, Running)
    assert seen.shape == (
        "{id: text, prompt: text, error: {code: “E_7”, message: text},"
        " url: text, list: [{x: number}], ok: true}"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"code": "success", "data": {"status": "Some-Unknown"}},
        {"status": "success", "data": {"status": "Some-Unknown"}},
        {"status": "SUCCESS", "data": {"data": {"job_status": "Some-Unknown"}}},
        {"code": "success", "data": [{"status": "Some-Unknown"}]},
    ],
    ids=repr,
)
def test_the_reported_unknown_word_is_that_of_the_job_not_of_its_envelope(body: object) -> None:
    assert poll(body) == Running(unknown="some-unknown")


def test_a_numeric_status_is_reported_and_an_operator_may_give_it_a_meaning() -> None:
    """The success of an envelope is not that of a job whose state is unreadable."""
    assert poll({"status": "success", "data": {"status": 3}}) == Running(unknown="3")
    own = PACKAGED.under([Row(by="club", meaning=Meaning.FAILED, words=("3",))])
    told = answer(200, {"id": "v", "status": 3})
    assert kind(read_poll(told, gateway_id="v", meanings=own)) == ("Failed", Reason.REFUSED)
    assert isinstance(poll({"status": "success", "data": {"status": None}}), Running)


@pytest.mark.parametrize(
    "body", [envelope("upstream failed"), flat("x", "no"), {"detail": "no"}, {"error": "no"}]
)
def test_an_error_without_a_status_word_at_http_200_means_running(body: dict[str, object]) -> None:
    """New-api's sora channel answers like this after a failed poll; the video goes on upstream."""
    seen = poll({**body, "id": "video_1"})
    assert isinstance(seen, Running)
    assert "error" in seen.shape or "message" in seen.shape or "detail" in seen.shape


def test_an_unknown_status_word_is_logged_once() -> None:
    with capture_logs() as events:
        for _ in range(3):
            poll({"status": "Percolating"})

    assert [(event["event"], event["word"]) for event in events] == [
        ("status.unknown", "percolating")
    ]

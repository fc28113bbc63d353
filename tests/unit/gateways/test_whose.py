"""Which words end our paid job: not those of a failed call, of an envelope, or of another job."""

import json
from typing import Any

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import Accepted, Done, Failed, Locked, Running, Trouble
from bot.gateways.polls import read_poll

from .spoken import answer, create, envelope, flat, kind, poll

# --- polls: errors that pass by themselves ---------------------------------------------------

LATER = "Too many requests, please try again later"
OF_A_CALL: list[Any] = [
    {"status": "error", "message": LATER},
    {"status": "error", "code": 401, "message": "Invalid token"},
    {"status": "timeout", "message": "task still running"},
    {"status": "error", "error": {"code": "rate_limit_exceeded"}},
    {"status": "error", "error": {"message": "dial tcp 192.0.2.1:443: i/o timeout"}},
    {"status": "error", "data": None, "message": "boom"},
    {"status": "fail", "msg": "系统繁忙，请稍后再试"},
    {"status": "blocked", "message": "Request blocked"},
    {"status": "failed", "message": LATER},
    {"status": "failed", "code": 503, "message": "x"},
    {"status": "failed", "error": "failed to query task: upstream 502"},
    {"status": "cancelled", "message": "context canceled"},
    {"status": "expired", "message": "token expired"},
    {"data": {"status": "error", "message": LATER}},
    {"id": "video_1", "status": "error", "message": LATER},
    {"id": "video_1", "status": "timeout", "message": "task still running"},
    "timeout",
    "error",
    "denied",
    ["failed"],
]


@pytest.mark.parametrize("body", OF_A_CALL, ids=repr)
def test_a_failure_word_that_may_concern_the_call_ends_no_paid_job(body: object) -> None:
    seen = poll(json.dumps(body))
    assert isinstance(seen, Running)
    assert seen.shape


@pytest.mark.parametrize(
    "body",
    [
        {"status": "in_progress", "result": {"status": "error", "error": "upload retry 1"}},
        {"status": "processing", "data": {"status": "failed", "id": "video_1"}},
        {"state": "queued", "output": [{"status": "failed"}]},
    ],
    ids=repr,
)
def test_a_failed_part_of_a_job_that_goes_on_does_not_end_the_job(body: object) -> None:
    assert poll(body) == Running()


@pytest.mark.parametrize(
    "body",
    [
        {"id": "video_1", "status": "failed", "error": {"code": "rate_limit_exceeded"}},
        {"id": "video_1", "status": "failed", "error": {"message": "could not fetch the picture"}},
        {"id": "video_1", "status": "error", "message": "the GPU died"},
        {"code": 0, "data": {"status": "error", "error_message": "the GPU died"}},
        {"status": "error", "progress": 100, "error": {"message": "the GPU died"}},
        {"status": "failed", "error": {"message": "Video generation failed"}},
    ],
    ids=repr,
)
def test_a_failure_of_the_job_itself_means_failed(body: object) -> None:
    assert kind(poll(body)) == ("Failed", Reason.REFUSED)


@pytest.mark.parametrize("status", [401, 402, 408, 425, 429, 500, 502, 503])
def test_at_an_error_status_only_an_answer_with_the_whole_job_means_failed(status: int) -> None:
    """vLLM-Omni answers with the status of the failure and with the whole job."""
    for word in ("error", "failed"):
        told = {"task_id": "video_1", "status": word, "message": "x"}
        assert isinstance(poll(told, status), Trouble | Locked)
    whole = {"id": "video_1", "status": "failed", "error": {"code": "x", "message": LATER}}
    for name in ({"object": "video"}, {"model": "wan"}):
        assert kind(poll({**whole, **name}, status)) == ("Failed", Reason.REFUSED)
    assert not isinstance(poll({**whole, "object": "error"}, status), Failed)


@pytest.mark.parametrize(
    "body",
    [
        flat("job_failed", "could not fetch job: timeout"),
        flat("video_expired", "link expired"),
        flat("video_expired", "The URL is no longer valid"),
        flat("task_failed", "查询任务失败"),
        envelope("query timed out", "generation_failed"),
    ],
    ids=repr,
)
def test_an_error_code_of_an_end_with_a_message_about_the_poll_ends_no_job(
    body: dict[str, Any],
) -> None:
    assert isinstance(poll(body), Running)
    for status in (400, 410, 422):
        assert isinstance(poll(body, status), Trouble)
    own = {"id": "video_1", **body}
    assert isinstance(poll(own, 400), Failed)


MP4 = "https://a.example/v.mp4"
OTHERS: list[Any] = [
    {"data": [{"id": "video_0", "status": "completed", "url": MP4}]},
    [{"id": "video_0", "status": "completed", "url": MP4}],
    {"status": "success", "data": [{"id": "video_0", "url": MP4}]},
    {"data": {"items": [{"task_id": "x", "status": "completed", "url": MP4}]}},
    {"data": [{"id": "video_0", "status": "failed"}]},
    {"data": [{"id": "video_0", "status": "failed"}, {"id": "video_2", "status": "completed"}]},
]
WRAPPED: list[Any] = [
    {"status": "success", "data": None},
    {"status": "success", "data": {}},
    {"status": "succeeded", "data": {"task_id": "video_1", "video_url": ""}},
    {"status": "success", "job": {"id": "video_1", "created_at": 1}},
    {"status": "success", "data": {"id": "video_1", "url": "https://g.example/v1/videos/video_1"}},
]


@pytest.mark.parametrize("body", OTHERS, ids=repr)
def test_a_list_with_only_another_job_says_nothing_about_ours(body: object) -> None:
    seen = poll(json.dumps(body))
    assert isinstance(seen, Running)
    assert seen.shape


def test_in_a_list_of_jobs_only_our_own_row_is_read() -> None:
    other = {"id": "video_0", "status": "completed", "url": MP4}
    for row, kind_of in (("completed", Done), ("processing", Running), ("failed", Failed)):
        rows = [other, {"id": "video_1", "status": row}]
        for body in (rows, {"data": rows}, {"code": "success", "data": {"list": rows}}):
            assert type(poll(json.dumps(body))) is kind_of
    assert poll({"data": [other, {"id": "video_1", "status": "completed"}]}) == Done()
    assert poll({"result": other}) == Done()


def test_the_files_of_our_job_may_have_ids_of_their_own() -> None:
    file = {"id": "file-7", "url": MP4}
    assert poll({"status": "completed", "videos": [file]}) == Done((MP4,))
    own = {"id": "video_1", "status": "completed", "data": [{**file, "status": "ready"}]}
    assert poll(own) == Done((MP4,))


@pytest.mark.parametrize("body", WRAPPED, ids=repr)
def test_the_success_of_an_envelope_does_not_mean_that_the_job_in_it_is_done(body: object) -> None:
    seen = poll(body)
    assert isinstance(seen, Running)
    assert seen.shape


def test_the_success_of_an_envelope_counts_if_it_contains_a_video() -> None:
    told = {"status": "success", "data": {"task_id": "video_1", "progress": "30%"}}
    assert poll(told) == Running(30)
    assert poll({"status": "success", "data": {"task_id": "video_1", "url": MP4}}) == Done((MP4,))
    assert poll({"id": "video_1", "status": "success", "output": None}) == Done()


SPELLINGS: list[dict[str, Any]] = [
    {"id": "video_1", "_id": "65f0a0c1"},
    {"_id": "65f0a0c1", "id": "video_1"},
    {"task_id": "video_1", "taskId": None},
    {"taskId": "", "task_id": "video_1"},
    {"taskId": 0, "task_id": "video_1"},
    {"data": {"jobId": "video_1", "job_id": ""}},
]


@pytest.mark.parametrize("body", SPELLINGS, ids=json.dumps)
def test_of_an_id_in_two_spellings_of_its_field_the_meaningful_one_is_used(
    body: dict[str, Any],
) -> None:
    assert create(200, body) == Accepted("video_1")


def test_of_a_field_in_two_spellings_the_plain_spelling_wins() -> None:
    refused = {"code": "content_policy_violation", "message": "no"}
    for error in (refused | {"Code": 400}, {"Code": 400} | refused):
        assert kind(create(400, {"error": error}))[1] is Reason.MODERATED
    done = {"id": "video_1", "status": "completed"}
    assert poll(done | {"Status": "processing"}) == Done()
    assert poll(done | {"result": {"videoUrl": MP4, "video_url": None}}) == Done((MP4,))


def test_an_object_quoted_inside_a_text_is_read_only_in_a_message() -> None:
    quoted = 'it was {"status": "completed"} an hour ago'
    assert poll({"id": "video_1", "status": "processing", "output": quoted}) == Running()
    moderated = 'upstream said {"error": {"code": "content_policy_violation"}}'
    assert kind(create(400, {"message": moderated}))[1] is Reason.MODERATED


def test_braces_in_a_quoted_prompt_do_not_hide_an_object_that_follows() -> None:
    told = 'the prompt "a {cat} in {rain}" failed: '
    for status, code, becomes in (
        (400, "content_policy_violation", ("Rejected", Reason.MODERATED)),
        (400, "upstream_timeout", ("Uncertain", None)),
    ):
        message = told + json.dumps({"error": {"code": code, "message": "no"}})
        assert kind(create(status, {"error": {"message": message}})) == becomes


def test_a_moderation_error_at_an_error_status_without_a_state_ends_no_job() -> None:
    error = {"error": {"code": "content_policy_violation", "message": "no"}}
    assert kind(poll(error)) == ("Failed", Reason.MODERATED)
    for status in (400, 410, 422):
        assert isinstance(poll(error, status), Trouble)


def test_at_an_error_status_an_id_inside_an_envelope_does_not_make_a_whole_job() -> None:
    failed = {"status": "failed", "progress": 30}
    assert kind(poll(failed | {"id": "video_1"}, 500))[0] == "Failed"
    assert isinstance(poll(failed | {"data": {"task_id": "video_1"}}, 500), Trouble)


def test_a_sentence_that_the_prompt_contains_ends_no_job() -> None:
    told = answer(200, {"id": "video_1", "error": {"message": "Video failed"}})
    ended = read_poll(told, gateway_id="video_1", prompt="a robot")
    assert kind(ended) == ("Failed", Reason.REFUSED)
    quoted = read_poll(told, gateway_id="video_1", prompt="Video failed")
    assert isinstance(quoted, Running)


def test_an_answer_with_a_redirect_status_pauses_no_gateway() -> None:
    spent = {"error": {"code": "insufficient_quota", "message": "x"}}
    assert kind(poll(spent, 400)) == ("Locked", Reason.NO_BALANCE)
    assert isinstance(poll(spent, 302), Trouble)

"""A gateway's words by meaning, row by row of the references, and what they never mean."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.jobs import Reason
from bot.core.links import Signer
from bot.core.outcomes import Busy, Done, Failed, Locked, Missing, Rejected, Running, Trouble
from bot.gateways.meanings import Meaning, Row
from bot.gateways.polls import read_poll, read_refusal
from bot.gateways.table import PACKAGED

from .spoken import BUSY, HTML, answer, create, envelope, flat, kind, poll

# ------------------------------------------------------------------------- status words (§6)


def words(text: str) -> list[str]:
    return text.split()


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
def test_a_word_of_success_is_done(word: str) -> None:
    for spelling in (word, word.upper(), word.title(), f"  {word}\n"):
        assert poll({"status": spelling}) == Done()
        assert poll({"data": {"status": spelling}}) == Done()


@pytest.mark.parametrize("word", FAILED)
def test_a_word_of_failure_is_failed(word: str) -> None:
    for spelling in (word, word.upper(), f" {word} "):
        assert kind(poll({"status": spelling})) == ("Failed", Reason.REFUSED)
        assert kind(poll({"data": {"status": spelling}})) == ("Failed", Reason.REFUSED)


def test_expired_is_failed_for_that_reason() -> None:
    assert kind(poll({"status": "expired"})) == ("Failed", Reason.EXPIRED)


@pytest.mark.parametrize("word", WAITING + RUNNING)
def test_a_word_of_waiting_is_running_without_a_warning(word: str) -> None:
    with capture_logs() as events:
        assert poll({"status": word}) == poll({"status": word.upper()}) == Running()

    assert events == []


@pytest.mark.parametrize("word", NO_WORD, ids=repr)
def test_any_other_word_is_running_whatever_else_says_it_is_over(word: object) -> None:
    """Where a state stands, only a word of it decides: no progress, time, URL or error does."""
    over = {"progress": 100, "completed_at": 1640995200, "url": "https://a.example/v.mp4"}

    unknown = str(word) if word == "完成" or type(word) is int else ""
    for body in ({"status": word, **over}, {"status": word, **over, "error": {"message": "no"}}):
        seen = poll(body)
        assert isinstance(seen, Running)
        assert (seen.progress, seen.unknown) == (100, unknown)


def test_a_missing_word_is_running_and_its_shape_is_told() -> None:
    shape = "{id: text, object: “video”}"
    assert poll({"id": "video_1", "object": "video"}) == Running(shape=shape)


def test_progress_is_a_sign_of_life_that_nobody_is_told_of() -> None:
    assert poll({"id": "video_1", "progress": 30}) == Running(30)


# A state in another place, or none at all.
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
    # What is beside a state, or under an input, is not the job's.
    ({"status": "processing", "video": {"status": "completed"}}, Running()),
    (
        {"status": "processing", "data": [{"status": "completed"}, {"status": "completed"}]},
        Running(),
    ),
]


@pytest.mark.parametrize(("body", "outcome"), READ, ids=repr)
def test_a_word_is_found_wherever_a_state_may_stand(body: object, outcome: Any) -> None:
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
def test_a_video_link_that_stands_alone_is_a_finished_video(body: object) -> None:
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
def test_a_link_that_may_be_another_or_comes_with_words_ends_nothing(body: object) -> None:
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
def test_a_code_that_says_of_the_job_that_it_failed_is_a_failure(body: object) -> None:
    for status in (200, 400):
        assert kind(poll(body, status)) == ("Failed", Reason.REFUSED)
    for status in (401, 429, 500, 502, 503):
        assert not isinstance(poll(body, status), Failed)


def test_a_known_word_of_moderation_alone_is_a_failure() -> None:
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
def test_an_error_that_may_be_one_of_the_gateway_never_ends_a_paid_job(body: object) -> None:
    assert isinstance(poll(body), Running)


def test_a_shape_is_told_without_links_and_without_words_of_anybody() -> None:
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
def test_the_word_that_is_told_is_the_jobs_and_not_its_envelopes(body: object) -> None:
    assert poll(body) == Running(unknown="some-unknown")


def test_a_number_is_a_word_that_operators_may_know() -> None:
    """And an envelope's success is not that of a job with a state that nobody can read."""
    assert poll({"status": "success", "data": {"status": 3}}) == Running(unknown="3")
    own = PACKAGED.under([Row(by="club", meaning=Meaning.FAILED, words=("3",))])
    told = answer(200, {"id": "v", "status": 3})
    assert kind(read_poll(told, gateway_id="v", meanings=own)) == ("Failed", Reason.REFUSED)
    assert isinstance(poll({"status": "success", "data": {"status": None}}), Running)


@pytest.mark.parametrize(
    "body", [envelope("upstream failed"), flat("x", "no"), {"detail": "no"}, {"error": "no"}]
)
def test_an_error_alone_with_200_stays_running(body: dict[str, object]) -> None:
    """New-api's sora channel after a failed poll: the video goes on upstream."""
    seen = poll({**body, "id": "video_1"})
    assert isinstance(seen, Running)
    assert "error" in seen.shape or "message" in seen.shape or "detail" in seen.shape


def test_an_unknown_word_is_warned_of_once() -> None:
    with capture_logs() as events:
        for _ in range(3):
            poll({"status": "Percolating"})

    assert [(event["event"], event["word"]) for event in events] == [
        ("status.unknown", "percolating")
    ]


# ------------------------------------------------------------------------ looks: fields (§5, §12)


@pytest.mark.parametrize(
    ("progress", "shown"),
    [
        (0, 0),
        (30, 30),
        (30.9, 30),
        ("30%", 30),
        (" 30 % ", 30),
        ("5", 5),
        (100, 100),
        (101, 100),
        (-5, 0),
        (10**300, 100),
        (10**400, None),
        (None, None),
        ("", None),
        ("soon", None),
        ([], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), 100),
        (float("-inf"), 0),
        ("nan", None),
        ("1e999", 100),
    ],
    ids=repr,
)
def test_progress_is_clamped_and_for_display_only(progress: object, shown: int | None) -> None:
    assert poll({"status": "queued", "progress": progress}) == Running(shown)


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("url", {"url": "U"}),
        ("metadata.url", {"metadata": {"url": "U"}}),
        ("video_url", {"video_url": "U"}),
        ("result_url", {"result_url": "U"}),
        ("data.url", {"data": {"url": "U"}}),
        ("data.result_url", {"data": {"result_url": "U"}}),
        ("video.url", {"video": {"url": "U"}}),
        ("output.video_url", {"output": {"video_url": "U"}}),
    ],
)
def test_a_link_is_found_in_every_place(place: str, body: dict[str, object]) -> None:
    link = "https://a.example/v.mp4?Expires=1"
    found = json.loads(json.dumps(body).replace('"U"', json.dumps(link)))

    assert poll({"status": "succeeded", **found}) == Done((link,))


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        7,
        [],
        {"href": "javascript:alert(1)"},
        "https://a.example/first.png",
        "the video could not be made",
        "data:video/mp4;base64,AAAA",
        "ftp://a.example/v.mp4",
        "javascript:alert(1)",
        "https://a.example/\u0000",
        "https://a.example/\ud800",
        "https://a.example/\r\nHost: b",
        "https://a.example/" + "x" * 5000,
    ],
    ids=repr,
)
def test_what_is_no_link_is_none(url: object) -> None:
    assert poll({"status": "done", "url": url, "metadata": {"url": url}}) == Done()


def test_each_link_is_named_once_and_in_order() -> None:
    first, second = "https://a.example/1", "http://b.example/2"
    body = {"status": "done", "url": first, "metadata": {"url": second}, "video_url": first}

    assert poll(body) == Done((first, second))


def test_of_two_links_the_one_in_the_likelier_table_is_the_first() -> None:
    first, second = "https://a.example/1.mp4", "https://b.example/2.mp4"
    body = {"status": "done", "result": {"url": second}, "metadata": {"url": first}}

    assert poll(body) == Done((first, second))


@pytest.mark.parametrize("other", ["video_2", 2, "video_1 and more"])
def test_a_reply_under_another_id_gives_its_word_and_no_links(other: object) -> None:
    body = {"id": other, "url": "https://a.example/v.mp4"}

    assert poll({**body, "status": "succeeded"}) == Done()
    assert poll({**body, "status": "queued"}) == Running()


def test_a_failure_under_the_id_of_another_job_is_told_and_not_believed() -> None:
    """The id under which litellm tells of a job is of another form than the one that it gave."""
    for other in ("video_2", "video_20"):
        for body in ({"id": other}, {"data": {"task_id": other, "status": "FAILURE"}}):
            seen = poll({"status": "failed", "progress": 30, **body})
            assert isinstance(seen, Running)
            assert seen.shape
    held = {"status": "completed", "error": {"code": "moderation_blocked"}}
    assert isinstance(poll({"id": "video_2", **held}), Done)
    forms: list[object] = [2, "video_1 and more", "0190e2d4-aaaa"]
    for form in forms:
        assert kind(poll({"id": form, "status": "failed"})) == ("Failed", Reason.REFUSED)


@pytest.mark.parametrize(
    "named",
    [
        {"id": "video_1"},
        {"id": " video_1 "},
        {"id": None},
        {"id": ""},
        {"task_id": "video_1"},
        {"id": "other", "task_id": "video_1"},
        {"data": {"id": 77, "task_id": "video_1"}},
    ],
)
def test_a_reply_under_our_id_or_none_gives_its_links(named: dict[str, object]) -> None:
    link = "https://a.example/v.mp4"

    assert poll({"status": "success", "url": link, **named}) == Done((link,))


def test_an_id_of_digits_is_the_same_as_a_number() -> None:
    body = answer(200, {"id": 123, "status": "succeed", "url": "https://a.example/v"})

    assert read_poll(body, gateway_id="123") == Done(("https://a.example/v",))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("5000", 5.0), ("0", 0.0), ("600000", 60.0), ("9" * 5000, 60.0), ("-1", None), ("٣", None)],
)
def test_the_pace_asked_for_is_taken_up_to_a_minute(header: str, seconds: float | None) -> None:
    outcome = poll({"status": "queued"}, openai_poll_after_ms=header)

    assert outcome == Running(None, seconds)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, Reason.REFUSED),
        ({"error": None}, Reason.REFUSED),
        ({"error": "blocked by our safety system"}, Reason.MODERATED),
        ({"error": {"message": "内容违规", "code": 400}}, Reason.MODERATED),
        ({"error": {"message": "", "code": "DataInspectionFailed"}}, Reason.MODERATED),
        ({"error": {"code": "IPInfringementSuspect"}}, Reason.MODERATED),
        ({"error": {"code": "moderation_blocked", "message": None}}, Reason.MODERATED),
        ({"error": {"message": '{"code":"InvalidParameter.DataInspection"}'}}, Reason.MODERATED),
        ({"error": {"message": "internal", "code": ""}}, Reason.REFUSED),
        ({"error": {"message": "invalid size 1x1"}}, Reason.BAD_SIZE),
    ],
)
def test_a_failure_tells_its_reason_if_it_has_one(body: dict[str, object], reason: Reason) -> None:
    assert kind(poll({"status": "failed", "progress": 100, **body})) == ("Failed", reason)


# ------------------------------------------------------------------------------ looks: errors (§7)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, flat("task_not_exist", "task_not_exist"), Missing()),
        (404, envelope("string", type_="invalid_request_error"), Missing()),
        (404, envelope("there is no video with this id"), Missing()),
        (404, {"detail": "Video not found"}, Missing()),
        (404, envelope("Invalid URL (GET /v1/videos/x)"), Trouble),
        (404, HTML, Trouble),
        (404, "", Trouble),
        (400, envelope("bad"), Trouble),
        (400, "", Trouble),
        (401, envelope("无效的令牌 (request id: 1)"), Locked),
        (401, HTML, Locked),
        (402, "", Locked),
        (403, envelope("用户已被封禁"), Locked),
        (403, flat("quota_not_enough"), Locked),
        (403, envelope("no access to this model", "access_denied"), Trouble),
        (403, HTML, Trouble),
        (403, envelope("request blocked: private address", type_="server_error"), Trouble),
        (408, "", Trouble),
        (409, envelope("conflict"), Trouble),
        (410, envelope("gone"), Trouble),
        (429, "", Trouble),
        (429, envelope(BUSY), Trouble),
        (500, envelope("video_1 not found"), Trouble),
        (500, flat("do_request_failed"), Trouble),
        (502, HTML, Trouble),
        (503, envelope("no", "model_not_found"), Trouble),
        (524, HTML, Trouble),
        (301, "", Trouble),
        (307, {"status": "succeeded"}, Trouble),
        (500, {"status": "failed"}, Trouble),
        (404, {"status": "failed"}, Trouble),
        (200, "", Trouble),
        (200, HTML, Trouble),
        (200, [], Trouble),
        (200, "null", Trouble),
        (200, '"succeeded"', Done()),
        (200, '"success"', Running),
        (200, '{"status": "succeeded"', Trouble),
        (202, {"status": "queued"}, Running()),
        (201, {"status": "succeeded"}, Done()),
        (204, "", Trouble),
    ],
)
def test_a_look_reads_every_error(status: int, body: object, expected: Any) -> None:
    outcome = poll(body, status)

    if isinstance(expected, type):
        assert type(outcome) is expected
    else:
        assert outcome == expected


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("86400", 60.0),
        ("9" * 5000, 60.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_no_gateway_makes_us_wait_longer_than_a_minute(header: str, seconds: float | None) -> None:
    assert poll("", 429, Retry_After=header) == Trouble("HTTP 429: ", seconds)
    assert create(429, "", Retry_After=header) == Busy(seconds)


# ------------------------------------------------------------------------------- content (§7, §8)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, envelope("Task is not completed yet, current status: IN_PROGRESS"), "Trouble"),
        (400, envelope("Task is not completed yet, current status: FAILURE"), "Trouble"),
        (404, envelope("Task not found"), "Trouble"),
        (404, "", "Trouble"),
        (409, "", "Trouble"),
        (425, "", "Trouble"),
        (422, envelope("failed"), "Trouble"),
        (403, envelope("request blocked: 10.0.0.1", type_="server_error"), "Trouble"),
        (403, "<Error><Code>AccessDenied</Code></Error>", "Trouble"),
        (429, "", "Trouble"),
        (502, envelope("Upstream service returned status 403"), "Trouble"),
        (502, envelope("Failed to fetch video content"), "Trouble"),
        (503, HTML, "Trouble"),
        (401, envelope("Invalid token"), "Locked"),
        (402, "", "Locked"),
        (403, flat("insufficient_user_quota"), "Locked"),
    ],
)
def test_a_refused_content_is_never_final(status: int, body: object, expected: str) -> None:
    assert type(read_refusal(answer(status, body))).__name__ == expected


# ------------------------------------------------------------------------- what is kept of it


def test_the_gateways_words_are_kept_short_and_without_secrets() -> None:
    words = "line one\r\nline two\x00 \u202e" + "Bearer sk-live-abcdef0123456789 " + "x" * 9000
    detail = create(400, envelope(words))
    assert isinstance(detail, Rejected)

    assert detail.detail.startswith("HTTP 400: new_api_error line one  line two ")
    assert "sk-live" not in detail.detail
    assert detail.detail.isprintable()
    assert len(detail.detail) < 420


@pytest.mark.parametrize("slash", ["/", r"\/", "%2F", "%2f"])
def test_a_gateway_that_quotes_our_link_puts_it_into_no_row(slash: str) -> None:
    path = Signer({"a": b"k"}).path("i", "aaaabbbbccccdddd-0", expires_at=2_000_000_000)
    quoted = f"https://bot.example{path}.jpg".replace("/", slash)
    detail = create(400, f"could not fetch {quoted} in time")
    assert isinstance(detail, Rejected)
    host = "https://bot.example".replace("/", slash)
    assert detail.detail == f"HTTP 400: could not fetch {host}••• in time"


def test_words_that_no_row_could_hold_are_mended() -> None:
    detail = poll('{"status": "failed", "error": {"message": "half \\ud800 a pair \\u0000"}}')

    assert isinstance(detail, Failed)
    assert detail.detail == "HTTP 200: half   a pair  "


def test_an_envelope_of_any_shape_becomes_one_line() -> None:
    nested = {"error": {"code": 7, "type": None, "message": ["a", {"msg": "b"}]}}

    assert poll(nested, 500) == Trouble("HTTP 500: 7 a b")

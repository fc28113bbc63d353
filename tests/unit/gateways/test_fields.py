"""The fields of a gateway's answer to a poll, and its errors and refusals."""

import json
from typing import Any

import pytest

from bot.core.jobs import Reason
from bot.core.links import Signer
from bot.core.outcomes import Busy, Done, Failed, Locked, Missing, Rejected, Running, Trouble
from bot.gateways.polls import read_poll, read_refusal

from .spoken import BUSY, HTML, answer, create, envelope, flat, kind, poll

# --- polls: fields (§5, §12) --------------------------------------------------------------------


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
def test_progress_is_limited_to_0_to_100_and_ends_no_job(
    progress: object, shown: int | None
) -> None:
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
def test_a_video_link_is_found_in_every_known_field(place: str, body: dict[str, object]) -> None:
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
def test_a_value_that_is_no_link_is_ignored(url: object) -> None:
    assert poll({"status": "done", "url": url, "metadata": {"url": url}}) == Done()


def test_each_link_is_returned_once_and_in_order() -> None:
    first, second = "https://a.example/1", "http://b.example/2"
    body = {"status": "done", "url": first, "metadata": {"url": second}, "video_url": first}

    assert poll(body) == Done((first, second))


def test_of_two_links_the_one_in_the_likelier_field_comes_first() -> None:
    first, second = "https://a.example/1.mp4", "https://b.example/2.mp4"
    body = {"status": "done", "result": {"url": second}, "metadata": {"url": first}}

    assert poll(body) == Done((first, second))


@pytest.mark.parametrize("other", ["video_2", 2, "video_1 and more"])
def test_an_answer_with_another_jobs_id_gives_its_state_but_no_links(other: object) -> None:
    body = {"id": other, "url": "https://a.example/v.mp4"}

    assert poll({**body, "status": "succeeded"}) == Done()
    assert poll({**body, "status": "queued"}) == Running()


def test_a_failure_with_another_jobs_id_is_reported_but_not_believed() -> None:
    """litellm may name a job by an id of another form than the one it gave for the order."""
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
def test_an_answer_with_our_id_or_none_gives_its_links(named: dict[str, object]) -> None:
    link = "https://a.example/v.mp4"

    assert poll({"status": "success", "url": link, **named}) == Done((link,))


def test_an_id_of_digits_equals_the_same_number() -> None:
    body = answer(200, {"id": 123, "status": "succeed", "url": "https://a.example/v"})

    assert read_poll(body, gateway_id="123") == Done(("https://a.example/v",))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("5000", 5.0), ("0", 0.0), ("600000", 60.0), ("9" * 5000, 60.0), ("-1", None), ("٣", None)],
)
def test_the_poll_interval_that_a_gateway_asks_for_counts_up_to_a_minute(
    header: str, seconds: float | None
) -> None:
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
def test_a_failed_answer_gives_the_reason_that_it_names(
    body: dict[str, object], reason: Reason
) -> None:
    assert kind(poll({"status": "failed", "progress": 100, **body})) == ("Failed", reason)


# --- polls: errors (§7) --------------------------------------------------------------------------


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
def test_every_error_answer_to_a_poll_has_its_outcome(
    status: int, body: object, expected: Any
) -> None:
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
def test_the_wait_that_a_gateway_asks_for_counts_up_to_a_minute(
    header: str, seconds: float | None
) -> None:
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
def test_a_refused_download_is_never_final(status: int, body: object, expected: str) -> None:
    assert type(read_refusal(answer(status, body))).__name__ == expected


# --- what is kept of an answer --------------------------------------------------------------


def test_the_stored_detail_of_an_answer_is_short_printable_and_without_keys() -> None:
    words = "line one\r\nline two\x00 \u202e" + "Bearer sk-live-abcdef0123456789 " + "x" * 9000
    detail = create(400, envelope(words))
    assert isinstance(detail, Rejected)

    assert detail.detail.startswith("HTTP 400: new_api_error line one  line two ")
    assert "sk-live" not in detail.detail
    assert detail.detail.isprintable()
    assert len(detail.detail) < 420


@pytest.mark.parametrize("slash", ["/", r"\/", "%2F", "%2f"])
def test_our_own_link_quoted_by_a_gateway_is_removed_from_the_detail(slash: str) -> None:
    path = Signer({"a": b"k"}).path("i", "aaaabbbbccccdddd-0", expires_at=2_000_000_000)
    quoted = f"https://bot.example{path}.jpg".replace("/", slash)
    detail = create(400, f"could not fetch {quoted} in time")
    assert isinstance(detail, Rejected)
    host = "https://bot.example".replace("/", slash)
    assert detail.detail == f"HTTP 400: could not fetch {host}••• in time"


def test_characters_that_no_database_can_store_are_removed_from_the_detail() -> None:
    detail = poll('{"status": "failed", "error": {"message": "half \\ud800 a pair \\u0000"}}')

    assert isinstance(detail, Failed)
    assert detail.detail == "HTTP 200: half   a pair  "


def test_an_error_of_any_shape_becomes_one_line_of_detail() -> None:
    nested = {"error": {"code": 7, "type": None, "message": ["a", {"msg": "b"}]}}

    assert poll(nested, 500) == Trouble("HTTP 500: 7 a b")

"""Answers to a POST that leave open whether a job is running."""

import json

import pytest

from bot.core.jobs import UNNAMED, Reason
from bot.core.outcomes import Accepted, Busy, Rejected
from bot.gateways.creations import read_creation
from tests.unit.gateways.answers_to_orders import EMPTY, LINK, MODERATED, said

from .spoken import HTML, answer, create, envelope, flat, kind

QUOTA = {"code": "insufficient_user_quota", "message": "x"}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"id": "req_9", "error": QUOTA}, EMPTY),
        ({"id": "req_9", **QUOTA}, EMPTY),
        ({"id": "req_9", "status": "error", **QUOTA}, EMPTY),
        ({"task_id": "0", "base_resp": {"status_code": 1008, "status_msg": "x"}}, EMPTY),
        ({"task_id": "9", "base_resp": {"status_code": 1008, "status_msg": "x"}}, EMPTY),
        ({"id": "req_9", "error": {"code": "moderation_blocked"}}, MODERATED),
        ({"id": "err-1", "object": "error"}, ("Uncertain", None)),
        ({"id": "req_9", "success": False, "message": "no"}, ("Uncertain", None)),
        ({"id": "req_9", "error": "no"}, ("Uncertain", None)),
    ],
)
def test_the_id_of_a_refused_request_is_not_taken_for_the_id_of_a_job(
    body: object, outcome: object
) -> None:
    assert kind(create(200, body)) == outcome


@pytest.mark.parametrize("word", ["queued", "processing", "failed", "who knows"])
def test_an_id_with_a_status_word_means_accepted_even_beside_an_error(word: str) -> None:
    for error in (QUOTA, {"message": "no"}):
        assert create(200, {"id": "v", "status": word, "error": error}) == Accepted("v")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"status": "timeout"}),
        (200, {"data": {"task_status": "TASK_STATUS_TIMED_OUT"}}),
        (200, {"status": "failed", "message": "upstream timeout, task may still be running"}),
        (200, {"status": "failed", "error": "context deadline exceeded"}),
        (200, {"success": False, "message": "request timed out; check task list"}),
        (200, {"success": False, "message": "请求超时"}),
        (200, {"success": False, "code": 504, "message": "x"}),
        (200, {"status": "processing", "code": "Arrearage"}),
        (400, flat("upstream_timeout", "x")),
        (400, {"error": {"message": "The job is still running"}}),
        (409, {"error": "duplicate request"}),
        (409, {"code": "already_exists", "message": "x"}),
        (400, {"id": "video_1", "status": "queued", "error": None}),
        (401, {"data": {"task_id": "video_1", "task_status": "PROCESSING"}}),
        (402, {"id": "video_1", "status": "queued"}),
        (429, {"id": "video_1", "status": "in_progress", "error": {"code": "rate_limit_exceeded"}}),
        (503, {"id": "video_1", "status": "queued", "error": {"code": "insufficient_quota"}}),
        (429, flat("upstream_timeout", "x")),
        (500, envelope("i/o timeout")),
        (504, envelope("upstream request timeout")),
        (504, envelope("x")),
        (524, envelope("A timeout occurred")),
    ],
)
def test_an_answer_of_an_order_that_may_be_running_gives_uncertain(
    status: int, body: object
) -> None:
    for trust in (True, False):
        assert kind(create(status, body, trust=trust)) == ("Uncertain", None)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Unknown parameter: 'timeout'"),
        (400, "timeout must be a number"),
        (400, "timed out while downloading the image"),
    ],
)
def test_a_message_about_a_timeout_parameter_gives_rejected(status: int, message: str) -> None:
    assert kind(create(status, envelope(message))) == ("Rejected", Reason.REFUSED)


def test_a_timeout_word_that_the_prompt_also_contains_still_gives_uncertain() -> None:
    for status, body in ((200, {"status": "timeout"}), (400, flat("timeout", "x"))):
        told = read_creation(answer(status, body), trust_json_5xx=True, prompt="a timeout at chess")
        assert kind(told) == ("Uncertain", None)


def test_an_id_or_a_status_word_alone_does_not_turn_a_refusal_into_a_job() -> None:
    for body in ({"status": "queued"}, {"id": "req-7"}, {"id": "req-7", "status": "error"}):
        assert kind(create(401, body)) == ("Locked", Reason.BAD_KEY)
        assert create(429, body) == Busy(None)


def test_a_video_made_at_once_and_withheld_is_charged() -> None:
    done = {"status": "completed", "raiMediaFilteredCount": 1}
    for body in (done, {"status": "completed", "error": {"code": "content_policy_violation"}}):
        told = create(200, body)
        assert isinstance(told, Rejected)
        assert (told.reason, told.charged) == (Reason.WITHHELD, True)
    told = create(200, {"status": "success", "error": {"code": "content_policy_violation"}})
    assert isinstance(told, Rejected)
    assert (told.reason, told.charged) == (Reason.MODERATED, False)


def test_a_conflict_over_a_duplicate_order_means_accepted_with_the_existing_id() -> None:
    body = {"error": "duplicate request: already accepted", "id": "t9"}
    assert create(409, body) == create(200, body) == Accepted("t9")
    assert kind(create(409, {"error": "no", "id": "t9"})) == ("Rejected", Reason.REFUSED)
    other = {"error": "one at a time", "id": "t8", "status": "processing"}
    assert kind(create(409, other)) == ("Uncertain", None), "it may be the job in the way"


@pytest.mark.parametrize("status", [400, 422, 500, 503])
def test_an_id_beside_a_timeout_message_is_used_only_at_http_409(status: int) -> None:
    body = {"error": {"message": "request timed out"}, "id": "req-7"}
    assert kind(create(status, body)) == ("Uncertain", None)


def test_a_message_that_names_a_reason_wins_over_a_timeout_word_beside_it() -> None:
    body = {"status": "timeout", "message": "Insufficient balance"}
    assert kind(create(400, body)) == ("Locked", Reason.NO_BALANCE)


@pytest.mark.parametrize("name", ["reason", "err_code", "status_code"])
def test_a_vendors_code_passed_on_in_a_5xx_pauses_no_gateway(
    name: str,
) -> None:
    body = {"error": {"message": "x", "type": "upstream_error", name: "insufficient_quota"}}
    for trust in (True, False):
        assert kind(create(500, body, trust=trust))[0] != "Locked"


def test_a_429_with_a_message_about_a_timeout_gives_busy() -> None:
    assert create(429, envelope("request timed out")) == Busy(None)


@pytest.mark.parametrize(
    ("link", "prompt"),
    [
        ("https://x.ai/v/abc.mp4", "a box aisle in a shop"),
        ("https://8.8.1.2/abc.mp4", "the year 8812"),
        ("https://cdn.example/a.mp4", "an acdn.example, a cdn example"),
        ("https://cdn.example/a.mp4", "cdn.examples"),
    ],
)
def test_a_prompt_that_only_shares_letters_with_a_host_does_not_hide_the_video(
    link: str, prompt: str
) -> None:
    assert said(link, prompt) == Accepted(UNNAMED, (link,))


@pytest.mark.parametrize(
    "prompt",
    [
        "https://evil[dot]example/x.mp4",
        "evil (dot) example",
        "evil dot example",
        "evil{.}example",
        "evil . example",
        "evil。example",
        "ｅｖｉｌ．example",
        "ev\u200bil.example",
        "evil%2Eexample",
        "evil&#46;example",
        r"evil\.example",
        "看evil.example的",
        "www.evil.example",
        "hxxps://EVIL.example.",
    ],
)
def test_a_link_to_a_host_that_the_prompt_names_in_disguise_is_not_used(prompt: str) -> None:
    for host in ("evil.example", "www.evil.example", "EVIL.example.", "evil%2Eexample"):
        assert kind(said(f"https://{host}/x.mp4", prompt)) == ("Uncertain", None)


def test_a_host_in_the_prompt_equals_its_punycode_form_in_a_link() -> None:
    names = ("bücher.example", "xn--bcher-kva.example")
    for one, other in (names, names[::-1]):
        assert kind(said(f"https://{one}/x.mp4", f"see {other}")) == ("Uncertain", None)


@pytest.mark.parametrize("word", ["queued", "processing", "NOT_START", "failed", "who knows"])
def test_a_link_of_a_job_that_is_not_done_is_not_used(word: str) -> None:
    assert create(200, {"id": "v1", "status": word, "url": LINK}) == Accepted("v1")


@pytest.mark.parametrize(
    "body",
    [
        "",
        HTML,
        "{",
        "null",
        "[]",
        '"video_1"',
        {},
        {"id": ""},
        {"id": None},
        {"id": 0},
        {"id": -1},
        {"id": True},
        {"id": 1.5},
        {"id": ["video_1"]},
        {"id": {"id": "video_1"}},
        {"id": "a\u0000b"},
        {"id": "a\ud800"},
        {"id": "x" * 5000},
        {"status": "queued"},
        {"status": "succeeded"},
        {"status": "processing", "url": "https://a.example/v.mp4"},
        {"status": "succeeded", "url": "the vendor is away"},
        {"data": []},
        {"error": None, "status": "queued"},
        {"error": {}},
        {"error": []},
        {"error": False},
        {"error": {"message": "", "code": None}},
        {"code": "success", "message": "", "data": None},
        {"code": "SUCCESS", "message": "ok"},
        {"code": 0, "message": "ok"},
        {"code": 200, "message": "ok"},
        {"detail": None},
        {"detail": "no"},
        flat(1001, "no"),
        {"code": 202, "message": "accepted"},
        {"code": "0000", "message": "success", "data": {"order": "abc"}},
        {"code": 1, "msg": "ok", "data": {"request_id": "abc"}},
        {"detail": "queued for content moderation", "request_id": "abc"},
        {"choices": [{"message": {"content": "Sure!"}}]},
    ],
    ids=repr,
)
def test_a_success_without_an_id_gives_uncertain(body: object) -> None:
    assert kind(create(200, body)) == kind(create(201, body)) == ("Uncertain", None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (envelope("no"), Reason.REFUSED),
        ({"error": "no"}, Reason.REFUSED),
        (flat("ali_api_error", "DataInspectionFailed"), Reason.MODERATED),
        ({"success": False, "message": "no"}, Reason.REFUSED),
        ({"detail": [{"loc": ["body", "size"], "msg": "bad", "type": "enum"}]}, Reason.REFUSED),
        ({"status": "failed"}, Reason.REFUSED),
        ({"data": {"status": "FAILURE"}}, Reason.REFUSED),
    ],
)
def test_a_success_status_with_an_error_and_no_id_gives_rejected(
    body: dict[str, object], reason: Reason
) -> None:
    outcome = create(200, body)

    assert kind(outcome) == ("Rejected", reason)
    assert isinstance(outcome, Rejected)
    assert not outcome.charged


def test_an_error_quoted_as_text_inside_the_data_gives_uncertain() -> None:
    """The text may be what a person wrote, or a vendor's error of an earlier try."""
    for error in ({"error": {"message": "no"}}, {"success": False, "message": "no"}):
        assert kind(create(200, {"data": json.dumps(error)})) == ("Uncertain", None)


def test_an_error_in_an_inner_response_beside_a_video_link_gives_accepted() -> None:
    error = {"error": {"code": "x", "message": "no"}}
    assert kind(create(200, {"response": error})) == ("Rejected", Reason.REFUSED)
    assert create(200, {"response": error, "url": LINK}) == Accepted(UNNAMED, (LINK,))


def test_error_codes_are_found_in_lists_and_nested_lists() -> None:
    error = envelope("x", "moderation_blocked")
    bodies: list[object] = [[error], {"errors": [[error]]}, {"data": json.dumps(error)}]
    for body in bodies:
        assert kind(create(400, body)) == MODERATED
    assert create(200, {"data": [[{"task_id": "t"}]]}) == Accepted("t")

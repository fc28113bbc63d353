"""Answers to a POST that refuse an order, row by row of the references."""

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import Busy, Locked, Rejected, Uncertain

from .spoken import BUSY, HTML, create, envelope, flat, kind

PLAIN_TO_TLS = "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, envelope("无效的令牌 (request id: 2026)"), Reason.BAD_KEY),
        (401, envelope("Incorrect API key provided", "invalid_api_key"), Reason.BAD_KEY),
        (401, flat("fail_to_fetch_task", '{"code":"InvalidApiKey"}'), Reason.BAD_KEY),
        (401, "", Reason.BAD_KEY),
        (401, HTML, Reason.BAD_KEY),
        (402, envelope("pay"), Reason.NO_BALANCE),
        (402, "", Reason.NO_BALANCE),
        (403, envelope("user banned", "access_denied"), Reason.BAD_KEY),
        (403, envelope("用户已被封禁"), Reason.BAD_KEY),
        (403, envelope("您的 IP 不在令牌允许访问的列表中", "access_denied"), Reason.BAD_KEY),
        (403, envelope("Your IP is not allowed"), Reason.BAD_KEY),
        (403, flat("quota_not_enough", "x"), Reason.NO_BALANCE),
        (403, envelope("额度不足", "insufficient_user_quota"), Reason.NO_BALANCE),
        (403, envelope("用户余额不足"), Reason.NO_BALANCE),
        (403, envelope("x", "pre_consume_token_quota_failed"), Reason.NO_BALANCE),
        (403, flat("fail_to_fetch_task", '{"code":"Arrearage"}'), Reason.NO_BALANCE),
    ],
)
def test_a_refused_key_or_balance_gives_locked(status: int, body: object, reason: Reason) -> None:
    assert kind(create(status, body)) == ("Locked", reason)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, envelope("model is required"), Reason.REFUSED),
        (400, flat("missing_model", "x"), Reason.REFUSED),
        (400, flat("invalid_request", "prompt is required"), Reason.REFUSED),
        (400, flat("invalid_json", "x"), Reason.REFUSED),
        (400, flat("invalid_multipart_form", "x"), Reason.REFUSED),
        (400, flat("invalid_size", "sora-2"), Reason.BAD_SIZE),
        (400, {"error": {"message": "Invalid value: '1x1'.", "param": "size"}}, Reason.BAD_SIZE),
        (400, flat("task_failed", "x"), Reason.REFUSED),
        (400, flat("invalid_api_platform", "x"), Reason.REFUSED),
        (400, flat("fail_to_fetch_task", '{"code":"InvalidParameter"}'), Reason.REFUSED),
        (400, flat("fail_to_fetch_task", '{"code":"DataInspectionFailed"}'), Reason.MODERATED),
        (400, envelope("x", "moderation_blocked"), Reason.MODERATED),
        (400, {"detail": [{"msg": "bad"}]}, Reason.REFUSED),
        (400, "", Reason.REFUSED),
        (400, HTML, Reason.BLOCKED),
        (403, envelope("no reason"), Reason.REFUSED),
        (403, envelope("", "access_denied"), Reason.REFUSED),
        (403, envelope("no access to this model", "access_denied"), Reason.UNKNOWN_MODEL),
        (403, envelope("该令牌无权访问模型 sora-2"), Reason.UNKNOWN_MODEL),
        (403, envelope("This token has no access to model sora-2"), Reason.UNKNOWN_MODEL),
        (403, envelope("无权访问 vip 分组", "access_denied"), Reason.REFUSED),
        (403, envelope("This token may not use the group vip"), Reason.REFUSED),
        (403, flat("fail_to_fetch_task", '{"code":"AccessDenied"}'), Reason.REFUSED),
        (403, HTML, Reason.BLOCKED),
        (403, envelope("content policy: your token sale is not allowed"), Reason.MODERATED),
        (403, envelope("the prompt 'my quota' is sensitive"), Reason.MODERATED),
        (404, envelope("The model sora-2 does not exist", "model_not_found"), Reason.UNKNOWN_MODEL),
        (404, envelope("Invalid URL (POST /v1/videos)"), Reason.WRONG_ADDRESS),
        (404, HTML, Reason.WRONG_ADDRESS),
        (405, HTML, Reason.WRONG_ADDRESS),
        (400, PLAIN_TO_TLS, Reason.WRONG_ADDRESS),
        (400, "Client sent an HTTP request to an HTTPS server.", Reason.WRONG_ADDRESS),
        (409, "", Reason.REFUSED),
        (413, flat("read_request_body_failed", "x"), Reason.PICTURE_TOO_LARGE),
        (413, "<html><h1>413 Request Entity Too Large</h1>nginx", Reason.PICTURE_TOO_LARGE),
        (413, {"message": "Request Too Long"}, Reason.PICTURE_TOO_LARGE),
        (413, "", Reason.PICTURE_TOO_LARGE),
        (415, "", Reason.REFUSED),
        (422, {"detail": [{"msg": "bad"}]}, Reason.REFUSED),
        (425, "", Reason.REFUSED),
        (301, "", Reason.WRONG_ADDRESS),
        (302, "", Reason.WRONG_ADDRESS),
        (307, "", Reason.WRONG_ADDRESS),
        (308, {"id": "video_1"}, Reason.WRONG_ADDRESS),
    ],
)
def test_any_other_definite_refusal_gives_rejected_free_of_charge(
    status: int, body: object, reason: Reason
) -> None:
    for trust in (True, False):
        outcome = create(status, body, trust=trust)
        assert kind(outcome) == ("Rejected", reason)
        assert isinstance(outcome, Rejected)
        assert not outcome.charged


@pytest.mark.parametrize(
    "body",
    [
        "",
        "  \r\n",
        HTML,
        "slow down",
        "[]",
        envelope(BUSY),
        flat("x", BUSY),
        {"message": "slow down"},
        {},
    ],
)
def test_http_429_of_the_gateway_itself_gives_busy(body: object) -> None:
    assert create(429, body) == Busy(None)


@pytest.mark.parametrize("status", [408, 499])
@pytest.mark.parametrize("body", ["", HTML, envelope("timeout"), {"id": "video_1"}])
def test_a_connection_that_ended_early_gives_uncertain_whatever_the_body_says(
    status: int, body: object
) -> None:
    assert kind(create(status, body)) == ("Uncertain", None)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, flat("fail_to_fetch_task", '{"code":"invalid_request","message":"x"}')),
        (500, flat("fail_to_fetch_task", '{"error":{"code":"model_not_found"}}')),
        (503, flat("fail_to_fetch_task", "no available channel")),
        (500, flat("50200", "invalid_request: 文件大小超过限制")),
        (500, flat("do_request_failed", "model sora-2: upstream did not answer in time")),
        (500, envelope("x", "1234")),
        (500, {"detail": "x"}),
        (500, envelope("No available channel for model sora-2")),
        (502, envelope("bad gateway")),
    ],
)
def test_a_5xx_of_the_gateway_itself_gives_rejected_but_possibly_charged(
    status: int, body: object
) -> None:
    outcome = create(status, body, trust=True)

    assert isinstance(outcome, Rejected)
    assert outcome.charged
    assert kind(create(status, body, trust=False)) == ("Uncertain", None)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, flat("convert_to_ali_request_failed", "invalid size: 1280x720"), Reason.BAD_SIZE),
        (500, flat("convert_to_ali_request_failed", "x"), Reason.REFUSED),
        (500, flat("build_request_failed", "cannot unmarshal metadata.seed"), Reason.REFUSED),
        (500, flat("build_request_failed", "文件大小超过限制，最大允许4.7MB"), Reason.REFUSED),
        (500, flat("invalid_request", "prompt is required"), Reason.REFUSED),
        (500, flat("Invalid_JSON", "x"), Reason.REFUSED),
        (500, flat("missing_model", "x"), Reason.REFUSED),
        (500, flat("invalid_size", "x"), Reason.BAD_SIZE),
        (500, flat("invalid_multipart_form", "x"), Reason.REFUSED),
        (500, flat("read_request_body_failed", "x"), Reason.REFUSED),
        (500, flat("invalid_api_platform", "x"), Reason.REFUSED),
        (500, envelope("x", "invalid_request"), Reason.REFUSED),
        (501, flat("not_implemented", "x"), Reason.REFUSED),
        (503, envelope("x", "model_not_found"), Reason.UNKNOWN_MODEL),
    ],
)
def test_a_5xx_of_the_gateways_own_checks_gives_rejected_free_of_charge(
    status: int, body: object, reason: Reason
) -> None:
    """No vendor was asked, so this holds whether or not other 5xx of the gateway are trusted."""
    for trust in (True, False):
        outcome = create(status, body, trust=trust)
        assert kind(outcome) == ("Rejected", reason)
        assert isinstance(outcome, Rejected)
        assert not outcome.charged


@pytest.mark.parametrize(
    "body",
    [
        envelope("x", "model_not_found"),
        envelope("no channel for model sora-2"),
        envelope("No available channel for model sora-2 under group default"),
        envelope("当前分组 default 下对于模型 sora-2 无可用渠道"),
    ],
)
def test_a_503_without_a_channel_gives_rejected_as_unknown_model_free_of_charge(
    body: object,
) -> None:
    outcome = create(503, body)

    assert kind(outcome) == ("Rejected", Reason.UNKNOWN_MODEL)
    assert isinstance(outcome, Rejected)
    assert not outcome.charged


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527])
@pytest.mark.parametrize(
    "body", ["", HTML, "upstream error", "{", "[]", {}, {"message": "Internal"}, {"error": {}}]
)
def test_a_5xx_of_a_proxy_gives_uncertain(status: int, body: object) -> None:
    assert kind(create(status, body)) == ("Uncertain", None)


@pytest.mark.parametrize("status", [100, 101, 199, 600, 999])
def test_a_status_code_of_no_known_class_gives_uncertain(status: int) -> None:
    for body in ("", envelope("no"), {"id": "video_1"}):
        assert kind(create(status, body)) == ("Uncertain", None)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"id": "t1", "status": "queued", "error": {"code": "model_not_found"}}),
        (503, {"id": "t1", "error": {"code": "AccountOverdueError", "message": "overdue"}}),
        (500, {"id": "t1", "error": {"code": "insufficient_user_quota", "message": "quota"}}),
    ],
)
def test_an_error_answer_with_the_id_of_a_job_is_never_free_of_charge(
    status: int, body: dict[str, object]
) -> None:
    told = create(status, body)
    assert isinstance(told, Uncertain) or (isinstance(told, Rejected) and told.charged)
    del body["id"]
    told = create(status, body)
    assert isinstance(told, Locked) or (isinstance(told, Rejected) and not told.charged)


@pytest.mark.parametrize(
    "words", ["image contains sensitive content", "content violates usage guidelines"]
)
def test_words_in_a_web_page_are_not_read_as_the_gateways_message(words: str) -> None:
    """A page of a wall or a proxy is recognized as a page, whatever it says."""
    assert kind(create(403, words)) == ("Rejected", Reason.MODERATED)
    for page in (f"<html><body>{words}</body></html>", f"\ufeff\n <p>{words}"):
        assert kind(create(403, page)) == ("Rejected", Reason.BLOCKED)


@pytest.mark.parametrize(
    "body",
    [
        {"Code": "insufficient_user_quota", "code": "x1"},
        {"code": "x1", "Code": "insufficient_user_quota"},
        {"errorCode": "x1", "error_code": "insufficient_user_quota"},
        {"error_code": "insufficient_user_quota", "errorCode": "x1"},
        {"code": 0, "Code": "insufficient_user_quota"},
        {"Code": "insufficient_user_quota", "code": 7},
    ],
)
def test_of_two_codes_in_fields_that_differ_in_case_both_are_read(body: dict[str, object]) -> None:
    told = create(403, {"error": {**body, "message": "x"}})
    assert isinstance(told, Locked)
    assert told.reason is Reason.NO_BALANCE


def test_a_completed_video_that_is_missing_is_charged_whatever_its_error_says() -> None:
    told = create(200, {"status": "completed", "error": {"code": "artifact_not_found"}})
    assert isinstance(told, Rejected)
    assert (told.reason, told.charged) == (Reason.WITHHELD, True)

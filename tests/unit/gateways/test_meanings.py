"""The table of answers: codes and whole sentences decide the meaning of an answer."""

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import (
    Locked,
)
from bot.gateways.polls import read_refusal
from tests.unit.gateways.meanings import EMPTY, KEY, LATER, MODERATED, openai, raw

from .spoken import HTML, answer, create, envelope, flat, kind, poll

PLAN = "Your token does not cover this; see your plan and billing details."
CREATED: list[tuple[int, object, tuple[str, Reason | None]]] = [
    # Seen in the field.
    (403, openai("x", "prompt_blocked", "forbidden phrase: 'credit card'"), MODERATED),
    (429, openai("insufficient_quota", "insufficient_quota"), EMPTY),
    (429, openai("insufficient_quota"), EMPTY),
    (400, openai("invalid_request_error", "billing_hard_limit_reached"), EMPTY),
    (400, {"code": "Arrearage", "message": "Access denied, …", "request_id": "1"}, EMPTY),
    (412, {"error": {"code": "account_suspended", "message": "x"}}, EMPTY),
    (412, {"error": "Account suspended: please contact support"}, EMPTY),
    (429, {"error": {"message": "余额不足"}}, EMPTY),
    (429, flat("x", "用户额度不足, 剩余额度: ＄-0.207462 (request id: 2026)"), EMPTY),
    (403, openai("invalid_token", message=PLAN), KEY),
    (401, openai("invalid_token", message=PLAN), KEY),
    (429, "Too many requests, slow down", LATER),
    (429, HTML, LATER),
    (400, openai("no_db_connection", "400", "No connected db."), KEY),
    (301, "", ("Rejected", Reason.WRONG_ADDRESS)),
    (308, HTML, ("Rejected", Reason.WRONG_ADDRESS)),
    (403, HTML, ("Rejected", Reason.BLOCKED)),
    (403, "error code: 1020", ("Rejected", Reason.BLOCKED)),
    # OpenAI, Azure.
    (403, openai("requests", "billing_not_active"), EMPTY),
    (429, openai("insufficient_quota", "project_spend_limit_exceeded"), EMPTY),
    (401, openai("invalid_request_error", "account_deactivated"), KEY),
    (400, openai("invalid_request_error", "invalid_api_key"), KEY),
    (400, openai("image_generation_user_error", "moderation_blocked"), MODERATED),
    (401, openai("x", "content_policy_violation"), MODERATED),
    (402, openai("x", "moderation_blocked"), MODERATED),
    (404, openai("x", "model_not_found"), ("Rejected", Reason.UNKNOWN_MODEL)),
    (400, openai("x", "rate_limit_exceeded"), LATER),
    (429, openai("requests", "rate_limit_exceeded"), LATER),
    (400, {"error": {"code": "content_filter", "innererror": {}}}, MODERATED),
    (404, {"error": {"code": "DeploymentNotFound"}}, ("Rejected", Reason.UNKNOWN_MODEL)),
    # Alibaba, directly and through new-api.
    (400, raw({"code": "Arrearage", "message": "x"}), EMPTY),
    (403, {"code": "AllocationQuota.FreeTierOnly", "message": "x"}, EMPTY),
    (429, {"code": "Throttling.AllocationQuota", "message": "x"}, LATER),
    (
        429,
        {"code": "Throttling.AllocationQuota", "message": "Free allocated quota exceeded."},
        EMPTY,
    ),
    (400, {"code": "Throttling.RateQuota", "message": "x"}, LATER),
    (401, {"code": "InvalidApiKey", "message": "x"}, KEY),
    (400, raw({"code": "DataInspectionFailed", "message": "x"}), MODERATED),
    (400, flat("x", "DataInspectionFailed: may contain inappropriate content"), MODERATED),
    (
        403,
        {"code": "AccessDenied.Unpurchased", "message": "x"},
        ("Rejected", Reason.UNKNOWN_MODEL),
    ),
    (404, {"code": "ModelNotFound", "message": "x"}, ("Rejected", Reason.UNKNOWN_MODEL)),
    # Volcengine, Kling, MiniMax, Zhipu.
    (403, {"error": {"code": "AccountOverdueError", "type": "Forbidden"}}, EMPTY),
    (429, {"error": {"code": "SetLimitExceeded", "type": "TooManyRequests"}}, EMPTY),
    (401, {"error": {"code": "AuthenticationError", "type": "Unauthorized"}}, KEY),
    (404, {"error": {"code": "ModelNotOpen"}}, ("Rejected", Reason.UNKNOWN_MODEL)),
    (400, {"error": {"code": "InputTextSensitiveContentDetected"}}, MODERATED),
    (400, {"error": {"code": "InputImageSensitiveContentDetected.Privacy"}}, MODERATED),
    (500, flat(50411, "Pre Img Risk Not Pass"), ("Rejected", Reason.MODERATED)),
    (400, flat(50412, "Text Risk Not Pass"), MODERATED),
    (429, flat(50429, "Request Has Reached API Limit"), LATER),
    (401, {"code": 1002, "message": "Authorization is invalid"}, KEY),
    (429, {"code": 1102, "message": "Account balance not enough"}, EMPTY),
    (429, raw({"code": 1101, "message": "Account in arrears (postpaid)"}), EMPTY),
    (429, {"code": 1303, "message": "parallel task over resource pack limit"}, LATER),
    (400, {"code": 1301, "message": "Failure to pass the risk control system"}, MODERATED),
    (200, {"task_id": "", "base_resp": {"status_code": 1008, "status_msg": "x"}}, EMPTY),
    (200, {"base_resp": {"status_code": 1004, "status_msg": "x"}}, KEY),
    (200, {"base_resp": {"status_code": 1026, "status_msg": "x"}}, MODERATED),
    (200, {"base_resp": {"status_code": 1002, "status_msg": "x"}}, LATER),
    (200, {"base_resp": {"status_code": 2013, "status_msg": "x"}}, ("Rejected", Reason.REFUSED)),
    (400, {"code": 1008, "message": "not MiniMax's"}, ("Rejected", Reason.REFUSED)),
    # Google, xAI, OpenRouter.
    (400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": [
        {"reason": "API_KEY_INVALID"}]}}, KEY),
    (429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, LATER),
    (403, {"error": {"code": 403, "status": "PERMISSION_DENIED"}}, ("Rejected", Reason.REFUSED)),
    (402, {"error": {"code": 402, "message": "Insufficient credits. Add more"}}, EMPTY),
    (403, {"error": {"code": 403, "message": "sora requires moderation on OpenAI. "
        "Your input was flagged for \"violence\"", "metadata": {
        "reasons": ["violence"], "flagged_input": "insufficient balance"}}}, MODERATED),
    (403, {"code": "personal-team-blocked:spending-limit", "error": "x"}, EMPTY),
    # new-api, litellm and others.
    (500, envelope("x", "pre_consume_token_quota_failed"), EMPTY),
    (401, envelope("该令牌额度已用尽 TokenStatusExhausted[sk-abc***def] (request id: 1)"), EMPTY),
    (401, envelope("无效的令牌（request id: 20260101）"), KEY),
    (403, envelope("该令牌状态不可用"), KEY),
    (400, envelope("x", "sensitive_words_detected"), MODERATED),
    (400, openai("budget_exceeded", "400", "Budget has been exceeded!"), EMPTY),
    (401, openai("key_model_access_denied", "401"), ("Rejected", Reason.UNKNOWN_MODEL)),
    (403, {"detail": "User is locked. Reason: Exhausted balance. Top up."}, EMPTY),
    (403, {"detail": "User is locked. Reason: Admin lock."}, KEY),
    (422, {"detail": [{"loc": ["body", "prompt"], "msg": "x",
        "type": "content_policy_violation", "input": "insufficient_quota"}]}, MODERATED),
    (403, {"code": 30001, "message": "Sorry, your account balance is insufficient"}, EMPTY),
    (200, {"code": 402, "msg": "insufficient credits", "data": None}, EMPTY),
    (200, {"success": False, "message": "余额不足"}, EMPTY),
    (429, openai("throttling_error", "429", "litellm.RateLimitError: RateLimitError: "
        "OpenAIException - You exceeded your current quota, please check your plan and billing "
        "details. For more information, read the docs."), EMPTY),
    (429, openai("x", message='litellm: {"error": {"code": "insufficient_quota"}}'), EMPTY),
    (200, {"code": 401, "message": "x"}, KEY),
    (200, {"code": 429, "message": "x"}, LATER),
    (404, {"error": {"message": "Invalid URL (POST /v1/v1/videos)"}},
        ("Rejected", Reason.WRONG_ADDRESS)),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "meaning"), CREATED)
def test_the_codes_and_sentences_of_an_answer_to_an_order_decide_its_outcome(
    status: int, body: object, meaning: tuple[str, Reason | None]
) -> None:
    assert kind(create(status, body)) == meaning


@pytest.mark.parametrize(
    "message",
    [
        "insufficient balance, api key invalid, arrears",
        "your api key and your credit card, please",
        "余额不足的人走进了银行",
        "quota token unauthorized banned 欠费 令牌 额度",
        "my account has been suspended",
    ],
)
@pytest.mark.parametrize("status", [400, 403, 412, 422, 429, 500, 503])
def test_loose_words_about_keys_and_balances_pause_no_gateway(status: int, message: str) -> None:
    for body in (envelope(message), flat("x", message), {"detail": message}, message, HTML):
        assert not isinstance(create(status, body), Locked)
        assert not isinstance(poll(body, status), Locked)
        assert not isinstance(read_refusal(answer(status, body)), Locked)

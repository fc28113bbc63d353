"""The spellings of refusals that gateways are known to use."""

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import (
    Done,
    Failed,
    Locked,
    Uncertain,
)
from bot.gateways.polls import read_refusal
from tests.unit.gateways.meanings import EMPTY, KEY, LATER, LINK, MODERATED, failed, openai, raw

from .spoken import answer, create, envelope, flat, kind, poll

REFUSED = ("Rejected", Reason.REFUSED)
OTHER_MODEL = ("Rejected", Reason.UNKNOWN_MODEL)
ONE_ORDER: list[tuple[int, object, tuple[str, Reason | None]]] = [
    # Many gateways number their errors from 1000.
    *(
        (400, {"code": number, "message": "duration out of range"}, REFUSED)
        for number in (
            1000,
            1004,
            1100,
            1101,
            1102,
            1103,
            1110,
            1113,
            1211,
            1300,
            1302,
            1304,
            1309,
            20012,
            30001,
            50412,
            50429,
            100009,
        )
    ),
    *(
        (status, {"code": number, "message": "duration out of range"}, REFUSED)
        for number in ("1102", "1113", "30001", 1112)
        for status in (403, 404, 422)
    ),
    (429, {"code": 1102, "message": "too many tasks"}, LATER),
    (400, raw({"code": 1102, "message": "duration out of range"}), REFUSED),
    (400, {"error": {"code": 1113, "message": "bad picture"}}, REFUSED),
    # Codes that mean something else at other statuses, or that concern one model.
    (422, openai("invalid_token", message="Unexpected token < in JSON at position 0"), REFUSED),
    (400, openai("x", "invalid_token", "Unexpected token '}'"), REFUSED),
    (400, openai("x", "invalid_key", "metadata.foo is no known key"), REFUSED),
    (400, openai("x", "payment_required", "sora-2-pro needs a paid plan"), REFUSED),
    (402, openai("x", "payment_required", "This model requires a paid plan."), OTHER_MODEL),
    (403, openai("x", "x", "The model veo-3 is only available on paid plans"), OTHER_MODEL),
    (403, openai("x", "x", "This model is not available on your current plan."), OTHER_MODEL),
    (403, openai("x", "entitlement_required", "kling-v2 needs an entitlement"), OTHER_MODEL),
    (403, openai("x", "model_requires_upgrade"), OTHER_MODEL),
]
BAD_SIZE = ("Rejected", Reason.BAD_SIZE)
ONE_ORDER += [
    # A picture that could not be fetched from a storage with keys and signatures of its own.
    *(
        (status, envelope(message, code), REFUSED)
        for status in (400, 403)
        for code in ("image_download_failed", "")
        for message in (
            "SignatureDoesNotMatch: the signature of image_url does not match",
            "InvalidAccessKeyId: the reference image could not be read",
            "AuthenticationFailed: see the value of the Authorization header",
            "Unauthenticated: cannot download reference image",
            "access_token_invalid: image fetch",
            "Arrearage: the owner of the image url has not paid",
            "invalid_api_key: failed to fetch the file",
            "Incorrect API key provided: cannot download the image",
            "This account has been restricted from generating public figures",
        )
    ),
    (401, envelope("image url returned 401"), REFUSED),
    (401, envelope("Failed to download the image: 401 Unauthorized"), REFUSED),
    (401, envelope("下载图片失败：401"), REFUSED),
    (400, envelope("Arrearage: no", "invalid_request"), REFUSED),
    (400, envelope("moderation_blocked: no", "invalid_request"), MODERATED),
    # A size or a length that the plan does not include; a limit of one order.
    (402, {"error": "1080p requires a Pro plan"}, BAD_SIZE),
    (402, {"error": "Duration 12s not allowed on free tier"}, BAD_SIZE),
    (402, envelope("4K is only available for premium subscribers"), BAD_SIZE),
    (403, envelope("Please upgrade to a paid plan to make longer videos"), BAD_SIZE),
    (400, envelope("Key limit exceeded: 4 images"), REFUSED),
]
CROWDED = [
    "Too many requests. Please see our content policies and limits page",
    "Traffic flagged by automated system, slow down",
    "The safety system rate limit, retry in 5s",
    "Content moderation: queue is full",
    "敏感时段限流，请稍后",
    "内容审核请求过于频繁",
]
PASSES = [
    (
        429,
        {
            "error": {
                "code": 429,
                "status": "RESOURCE_EXHAUSTED",
                "message": "You exceeded your current quota, please check your plan and billing "
                "details. Learn more: https://ai.google.dev/gemini-api/docs/rate-limits. "
                + "* Quota exceeded for metric: generate_requests, limit: 5 " * 9
                + " Please retry in 30s.",
            }
        },
    ),
    (
        429,
        envelope(
            "You exceeded your current quota, please check your plan and billing details. "
            "Please retry in 30.2s.",
            429,
            "upstream_error",
        ),
    ),
    (
        429,
        openai("insufficient_quota", "insufficient_quota", "60 requests per minute. Retry in 9s"),
    ),
    (403, {"error": {"code": 403, "message": "Key limit exceeded (per minute). Manage it at x"}}),
    (403, {"error": {"message": "Rate limit exceeded: free-models-per-min."}}),
    (429, envelope("Insufficient quota: 3 per minute, please top up for more")),
    (429, envelope("额度不足，每分钟 3 次，请充值")),
]
NO_KEY: list[tuple[int, object]] = [
    *(
        (status, envelope(words))
        for status in (400, 403)
        for words in (
            "API key not valid",
            "Invalid or inactive API key",
            "Forbidden: API key revoked",
            "The API key has been deactivated",
            "Consumer 'api_key:x' has been suspended.",
            "Permission denied: Consumer 'api_key:x' has been suspended.",
            "API Key 无效",
        )
    ),
    (200, {"code": -22, "msg": "apikey error"}),
    (200, {"Response": {"Error": {"Code": "AuthFailure.SecretIdNotFound"}, "RequestId": "1"}}),
    (403, {"Response": {"Error": {"Code": "AuthFailure.SignatureExpire"}}}),
]
SPENT: list[tuple[int, object]] = [
    # Messages about the account all the same.
    (402, envelope("API access requires a paid plan")),
    (402, envelope("Insufficient credits: 1080p requires a Pro plan")),
    (403, envelope("Insufficient credits to animate your image. Open https://a.example")),
    (400, envelope("Arrearage: no", "x")),
    (403, envelope("Key limit exceeded. Manage it at x")),
    *(
        (status, envelope(words))
        for status in (400, 403, 429)
        for words in (
            "您的账户余额不足以支付本次请求",
            "令牌余额不足，请联系管理员",
            "账号余额不足，剩余 0.2 元",
            "Your team has exhausted its balance",
            "Account has insufficient balance for this request",
            "Insufficient funds for this request: need $1.20, have $0.40",
            "Not enough balance to cover this request",
            "insufficient credit balance",
            "You have exceeded your monthly included credits",
        )
    ),
    (200, {"code": -1, "msg": "credits insufficient"}),
    (200, {"Response": {"Error": {"Code": "ResourceUnavailable.InArrears", "Message": "x"}}}),
    (400, envelope("Insufficient balance. Please top up your account.")),
    (400, {"detail": "Not enough credits, please purchase more"}),
    (403, envelope("Out of funds: recharge at https://a.example")),
    (403, envelope("Your account balance is too low to make this video")),
    (403, envelope("You don't have enough credits for this.")),
    (403, envelope("Your account is overdue.")),
    *(
        (status, envelope(words))
        for status in (400, 403, 429)
        for words in (
            "您的账户已欠费，请充值",
            "账户可用余额不足",
            "当前余额不足",
            "您的积分不足，请充值",
            "点数不足",
            "余额不足或无可用资源包,请充值。",
            "您的账户已欠费，请充值后重试",
            "该令牌额度已用尽",
            "帳戶餘額不足",
            "账户余额不足，请前往控制台充值。",
            "用户积分不够",
            "您当前的额度已用完，请续费",
        )
    ),
    *(
        (status, envelope("x", code))
        for status in (400, 403, 429)
        for code in (
            "AccountBalanceNotEnough",
            "user_quota_exhausted",
            "credit_exhausted",
            "CREDITS_NOT_ENOUGH",
            "account_balance_insufficient",
            "account-balance-insufficient",
            "Account Balance Insufficient",
            "FreeTierOnly",
            "INSUFFICIENT-CREDITS",
            "insufficientFunds",
            "OutOfCredits",
            "NoBalance",
            "wallet_balance_not_enough",
            "quotaExhausted",
            "AccountArrears",
            "spending_limit_reached",
            "BillingOverdue",
            "TopUpRequired",
        )
    ),
    (400, {"error": {"code": "BadRequest", "innererror": {"code": "insufficient_quota"}}}),
    (403, {"ResponseMetadata": {"Error": {"Code": "AccountOverdueError", "CodeN": 100010}}}),
    (400, {"code": 1102, "message": "Account balance not enough", "request_id": "x"}),
    (429, {"code": 1102, "message": "账户余额不足，无法生成"}),
    (429, {"error": {"code": "1113", "message": "Insufficient balance or no resource package."}}),
    (403, {"code": 30001, "message": "Your balance is insufficient, so no."}),
]
STOPPED: list[object] = [
    *(
        envelope("x", code)
        for code in (
            "policy_violation",
            "nsfw_detected",
            "NSFW_CONTENT_DETECTED",
            "content_policy",
            "PolicyViolation",
            "PROMPT_MODERATED",
            "content_rejected",
            "violates_guidelines",
            "nsfw",
            "image_flagged",
            "unsafe_content",
            "SexualContent",
            "BLOCKED_BY_SAFETY_FILTER",
            "failed-moderation",
            "moderated",
            "ViolatesCommunityGuidelines",
            "copyright_infringement",
            "prompt_nsfw",
            "AuditFailed",
        )
    ),
    *(
        envelope(words)
        for words in (
            "Prompt blocked by policy",
            "The image may depict a minor",
            "rejected due to sexual content",
            "Your video was stopped by our content filter",
            "It did not pass the content review",
            "The prompt includes a public figure",
            "Blocked by our safety guardrails",
            "The picture shows copyrighted characters",
            "This violates OpenAI's usage policies",
            "涉黄",
            "涉及色情低俗内容",
            "提示词含有禁止词",
            "图片审查未通过",
            "输入内容包含违法信息",
            "内容涉政",
            "图片未通过安全审核",
            "包含违禁词",
            "含有不良信息",
            "提示詞違規",
        )
    ),
    {"error": "NSFW"},
    {"error": {"message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
    {"error": {"message": "x"}, "raiMediaFilteredReasons": ["We can't make this. Code 1"]},
    {"response": {"generateVideoResponse": {"raiMediaFilteredCount": 1}}},
]
NOT_STOPPED = [
    "Internal error in content_filter service: connection timed out",
    "The content moderation service is unavailable",
    "Safety check failed to start: internal server error",
    "moderation system overloaded",
    "内容审核服务超时",
    "Copyrighted (c) 2024 Example Inc. Internal server error",
    "Copyright 2024 Example Inc.",
    "The picture shows too little contrast",
]


@pytest.mark.parametrize(("status", "body", "meaning"), ONE_ORDER)
def test_an_answer_about_one_order_or_one_model_pauses_no_gateway(
    status: int, body: object, meaning: tuple[str, Reason | None]
) -> None:
    assert kind(create(status, body)) == meaning
    if status != 402:
        assert not isinstance(read_refusal(answer(status, body)), Locked)


@pytest.mark.parametrize(("status", "body"), PASSES)
def test_an_answer_about_a_passing_limit_gives_busy(status: int, body: object) -> None:
    assert kind(create(status, body)) == LATER


@pytest.mark.parametrize(("status", "body"), SPENT)
def test_every_known_spelling_of_an_empty_balance_gives_no_balance(
    status: int, body: object
) -> None:
    assert kind(create(status, body)) == EMPTY


@pytest.mark.parametrize(("status", "body"), NO_KEY)
def test_every_known_spelling_of_a_bad_key_gives_bad_key(status: int, body: object) -> None:
    assert kind(create(status, body)) == KEY


@pytest.mark.parametrize("message", CROWDED)
def test_a_message_about_too_many_requests_is_not_read_as_moderation(message: str) -> None:
    for status in (403, 429):
        assert kind(create(status, envelope(message))) == LATER


@pytest.mark.parametrize("message", ["blocked by our moderation", "违规", "content policy"])
def test_a_phrase_of_moderation_at_429_gives_busy_but_a_moderation_code_counts(
    message: str,
) -> None:
    assert kind(create(429, envelope(f"Refused, {message}, no"))) == LATER
    assert kind(create(400, envelope(f"Refused, {message}, no"))) == MODERATED
    assert kind(create(429, envelope("no", "moderation_blocked"))) == MODERATED


@pytest.mark.parametrize("body", STOPPED, ids=repr)
def test_every_known_spelling_of_moderation_gives_moderated(body: dict[str, object]) -> None:
    assert kind(create(400, body)) == MODERATED
    assert kind(poll({"status": "failed", **body})) == ("Failed", Reason.MODERATED)


@pytest.mark.parametrize("message", NOT_STOPPED)
def test_a_failure_of_the_moderation_service_itself_is_not_read_as_moderation(message: str) -> None:
    assert kind(create(400, envelope(message))) == REFUSED
    assert kind(poll(failed(error=message))) == ("Failed", Reason.REFUSED)


@pytest.mark.parametrize(
    "word", ["FAILED_MODERATION", "NSFW_DETECTED", "ContentBlocked", "flagged"]
)
def test_a_status_word_of_moderation_means_failed_as_moderated(word: str) -> None:
    assert kind(poll({"status": word})) == ("Failed", Reason.MODERATED)


def test_a_done_job_whose_videos_were_all_filtered_is_withheld_and_charged() -> None:
    filtered = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["x"]}
    seen = poll({"status": "completed", **filtered})
    assert isinstance(seen, Failed)
    assert (seen.reason, seen.charged) == (Reason.WITHHELD, True)
    assert poll({"status": "completed", **filtered, "url": LINK}) == Done((LINK,))
    assert poll({"status": "completed", "raiMediaFilteredCount": 0}) == Done()


@pytest.mark.parametrize("message", ["artifact_not_found (request id: 1)", "Artifact not found"])
def test_a_message_that_the_artifact_is_missing_means_that_the_video_is_withheld(
    message: str,
) -> None:
    seen = read_refusal(answer(404, envelope(message)))
    assert kind(seen) == ("Unusable", Reason.WITHHELD)


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 429, 502])
def test_an_error_code_of_an_order_that_may_have_begun_gives_uncertain(status: int) -> None:
    body = flat("plugin_submit_response_failed", "task_id is empty")
    assert isinstance(create(status, body), Uncertain)

"""The table of answers: codes and whole sentences decide, and nobody's prompt does."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.jobs import Reason
from bot.core.outcomes import (
    Busy,
    Done,
    Failed,
    Locked,
    Missing,
    Polled,
    Rejected,
    Running,
    Trouble,
    Uncertain,
)
from bot.gateways.creations import read_creation
from bot.gateways.meanings import ABOUT_ONE_ORDER, LOCKS, STATES, Meaning, Place, Row, problem_with
from bot.gateways.polls import read_poll, read_refusal
from bot.gateways.spelling import key_of, spelt_out, word_of
from bot.gateways.table import PACKAGED, Meanings, Said, Step
from docs.answers_page import PAGE, page

from .spoken import HTML, answer, create, envelope, flat, kind, poll

EMPTY, KEY = ("Locked", Reason.NO_BALANCE), ("Locked", Reason.BAD_KEY)
MODERATED = ("Rejected", Reason.MODERATED)
LATER = ("Busy", None)


def raw(body: object) -> dict[str, object]:
    """A vendor's whole answer, as new-api passes it on."""
    return flat("fail_to_fetch_task", json.dumps(body))


def openai(type_: str, code: str | None = None, message: str = "x") -> dict[str, object]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


PLAN = "Your token does not cover this; see your plan and billing details."
CREATED: list[tuple[int, object, tuple[str, Reason | None]]] = [
    # What was seen in the field.
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
    # Alibaba, as it is and through new-api.
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
def test_the_answer_to_an_order_means_what_its_codes_and_whole_sentences_mean(
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
def test_loose_words_pause_nobody(status: int, message: str) -> None:
    for body in (envelope(message), flat("x", message), {"detail": message}, message, HTML):
        assert not isinstance(create(status, body), Locked)
        assert not isinstance(poll(body, status), Locked)
        assert not isinstance(read_refusal(answer(status, body)), Locked)


# ----------------------------------------------------------------------- nobody's prompt decides


def examples(spelling: str) -> list[str]:
    """Each of its alternatives once, with something in its gaps."""
    choices = re.findall(r"\(([^()]*\|[^()]*)\)", spelling)
    found = []
    for number in range(max((len(each.split("|")) for each in choices), default=1)):
        text = spelling
        for each in choices:
            parts = each.split("|")
            text = text.replace(f"({each})", parts[number % len(parts)], 1)
        found.append(" ".join(text.replace("*", "x").replace("#", "1").split()))
    return found


EVIL = [
    *(said for row in PACKAGED.rows for text in row.sentences for said in examples(text)),
    *(code for row in PACKAGED.rows for text in row.codes for code in examples(text)),
    '{"error": {"code": "insufficient_quota"}}',
    '{"code": "Arrearage", "message": "x"}',
    "insufficient_quota: and so on",
]
QUOTES: list[Any] = [
    lambda prompt: prompt,
    lambda prompt: f"the prompt '{prompt}' is not for us",
    lambda prompt: f"{prompt} was turned down",
    lambda prompt: f"turned down: {prompt}",
    lambda prompt: json.dumps({"message": prompt}),
    lambda prompt: prompt[: max(1, len(prompt) // 2)],
    lambda prompt: prompt.upper(),
]
ENVELOPES: list[Any] = [
    lambda words: {"error": {"message": words, "type": "new_api_error", "code": ""}},
    lambda words: {"error": words},
    lambda words: flat("fail_to_fetch_task", words),
    lambda words: {"detail": words},
    lambda words: {"detail": [{"msg": words, "input": words}]},
    lambda words: {"message": words},
    lambda words: {"error": {"message": "no", "param": words, "metadata": {"raw": words}}},
    lambda words: {"code": 1, "message": {"message": words}, "prompt": words, "input": words},
    lambda words: f"Refused. {words}",
]


@pytest.mark.proof
@given(
    prompt=st.sampled_from(EVIL) | st.text(min_size=1, max_size=40),
    quote=st.sampled_from(QUOTES),
    wrap=st.sampled_from(ENVELOPES),
    status=st.sampled_from([200, 400, 403, 404, 409, 412, 413, 422, 429, 500, 503]),
)
def test_a_prompt_that_is_quoted_anywhere_pauses_nobody(
    prompt: str, quote: Any, wrap: Any, status: int
) -> None:
    spoken = answer(status, wrap(quote(prompt)))
    created = read_creation(spoken, trust_json_5xx=True, prompt=prompt)
    seen = read_poll(spoken, gateway_id="video_1", prompt=prompt)

    assert not isinstance(created, Locked)
    assert not isinstance(seen, Locked)


def test_negative_control_the_same_words_of_the_gateway_itself_do_pause() -> None:
    for prompt in ("Insufficient balance", "insufficient_quota", '{"code": "Arrearage"}'):
        spoken = answer(403, {"error": {"message": prompt, "code": ""}})
        assert isinstance(read_creation(spoken, trust_json_5xx=True, prompt="a cat"), Locked)
        quoted = read_creation(spoken, trust_json_5xx=True, prompt=prompt)
        assert kind(quoted) == ("Rejected", Reason.REFUSED)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 412, 429, 500])
def test_an_order_that_its_moderation_stops_pauses_nobody_whatever_the_status(status: int) -> None:
    for code in ("prompt_blocked", "content_policy_violation", "DataInspectionFailed"):
        assert kind(create(status, envelope("insufficient balance", code)))[1] is Reason.MODERATED


# --------------------------------------------------------------------------------- failures

VEO = (
    "Veo could not generate 1 videos based on the prompt provided. You will not be charged for "
    "this request. Try rephrasing the prompt. If you think this was an error, send feedback. "
    "Support codes: 42237218"
)


def failed(**said: object) -> dict[str, object]:
    return {"id": "video_1", "status": "failed", **said}


FAILURES: list[dict[str, object]] = [
    failed(fail_reason="内容违禁"),
    failed(fail_reason="Risk Not Pass"),
    {"code": "success", "data": {"status": "FAILURE", "fail_reason": "Text Risk Not Pass"}},
    failed(failure_reason="The prompt violates our community guidelines"),
    failed(error_message="content_filter"),
    failed(error_msg="生成内容中包含不安全内容"),
    failed(error={"code": "content_filter", "message": "x"}),
    failed(error={"message": {"message": "PROHIBITED_CONTENT"}}),
    failed(error="PROHIBITED_CONTENT"),
    failed(error={"message": VEO}),
    failed(fail_reason=VEO),
    failed(error={"message": json.dumps({"error": {"code": "moderation_blocked"}})}),
    failed(base_resp={"status_code": 1027, "status_msg": "x"}),
    {"output": {"task_status": "FAILED", "code": "DataInspectionFailed", "message": "x"}},
    {"data": {"task_status": "failed", "task_status_msg": "did not pass the risk control system"}},
    {"state": "failed", "err_code": "TaskPromptPolicyViolation"},
    {"status": "failed", "error": {"code": "OutputVideoSensitiveContentDetected"}},
    {"status": "failed", "failureCode": "SAFETY.INPUT.TEXT", "failure": "x"},
    {"status": "content_moderated"},
    {"status": "nsfw"},
]  # fmt: skip


@pytest.mark.parametrize("body", FAILURES, ids=repr)
def test_a_failure_over_content_is_moderated_wherever_it_is_said(body: dict[str, object]) -> None:
    seen = poll(body)
    assert kind(seen) == ("Failed", Reason.MODERATED)


def test_a_failure_is_not_moderated_by_the_persons_own_words() -> None:
    prompt = "a theatre with community guidelines on its wall"
    for said in (f"could not make: {prompt}", "no scene with community guidelines was made"):
        body = answer(200, failed(fail_reason=said))
        seen = read_poll(body, gateway_id="video_1", prompt=prompt)
        assert kind(seen) == ("Failed", Reason.REFUSED)
        assert kind(poll(failed(fail_reason=said))) == ("Failed", Reason.MODERATED)


def test_a_failure_in_words_about_an_account_pauses_nobody_and_says_nothing_of_it() -> None:
    assert kind(poll(failed(fail_reason="用户额度不足"))) == ("Failed", Reason.REFUSED)


def test_a_job_that_is_done_with_a_code_of_moderation_and_no_video_failed_and_counts() -> None:
    seen: Polled = poll({"status": "completed", "error": {"code": "moderation_blocked"}})
    assert isinstance(seen, Failed)
    assert seen.reason is Reason.WITHHELD
    assert seen.charged


def test_a_video_that_was_held_back_is_told_in_an_envelope_too() -> None:
    held = {"status": "SUCCESS", "error": {"code": "moderation_blocked"}}
    for body in ({"code": "success", "data": held}, {"data": {"id": "video_1", **held}}):
        seen = poll(body)
        assert isinstance(seen, Failed)
        assert (seen.reason, seen.charged) == (Reason.WITHHELD, True)
    assert isinstance(poll({"data": {**held, "url": LINK}}), Done)


def test_a_failed_job_that_comes_with_an_error_status_has_failed() -> None:
    body = {"id": "video_1", "status": "failed", "error": {"code": "content_filter"}}
    assert kind(poll(body, 500)) == ("Failed", Reason.MODERATED)
    assert kind(poll({**body, "id": "video_2"}, 500)) == ("Trouble", None)


def test_an_envelopes_own_success_says_nothing_of_the_job_in_it() -> None:
    assert kind(poll({"status": "success", "data": {"status": "processing"}})) == ("Running", None)
    assert kind(poll({"status": "success", "data": {"status": "failed"}}))[0] == "Failed"
    assert kind(poll({"status": "success", "data": {"status": "SUCCESS"}}))[0] == "Done"


# ------------------------------------------------------------------------------------ links

LINK = "https://a.example/v.mp4?Expires=1"


@pytest.mark.parametrize(
    "body",
    [
        {"url": LINK},
        {"video_url": LINK},
        {"metadata": {"url": LINK}},
        {"result_url": LINK},
        {"data": {"url": LINK}},
        {"data": [{"url": LINK}]},
        {"result": {"video_url": LINK}},
        {"content": {"video_url": LINK}},
        {"video_urls": [LINK]},
        {"unsigned_urls": [LINK]},
        {"urls": [LINK]},
        {"output": {"video_url": LINK}},
        {"output": [LINK]},
        {"output": LINK},
        {"data": {"task_result": {"videos": [{"id": "1", "url": LINK, "duration": "5"}]}}},
        {"creations": [{"id": "1", "url": LINK, "cover_url": "https://a.example/c.jpg"}]},
        {"videos": [{"video_url": LINK, "video_url_ttl": "0"}]},
        {"videos": [LINK]},
        {"generations": [{"url": LINK}]},
        {"video": {"url": LINK}},
        {"video": LINK},
        {"assets": {"video": LINK}},
        {"response": {"generatedVideos": [{"video": {"uri": LINK}}]}},
        {"data": {"resultJson": json.dumps({"resultUrls": [LINK]})}},
    ],
    ids=repr,
)
def test_a_link_is_found_wherever_gateways_put_it(body: dict[str, object]) -> None:
    assert poll({"status": "completed", **body}) == Done((LINK,))


@pytest.mark.parametrize(
    "body",
    [
        {"image_url": LINK},
        {"input": {"url": LINK}},
        {"thumbnail": {"url": LINK}},
        {"callback_url": LINK},
        {"metadata": {"img_url": LINK}},
        {"url": "https://a.example/v.png"},
        {"error": {"url": LINK}},
    ],
    ids=repr,
)
def test_a_link_to_anything_else_is_none(body: dict[str, object]) -> None:
    assert poll({"status": "completed", **body}) == Done()


# ------------------------------------------------------------------------ the members of a kind

REFUSED = ("Rejected", Reason.REFUSED)
OTHER_MODEL = ("Rejected", Reason.UNKNOWN_MODEL)
ONE_ORDER: list[tuple[int, object, tuple[str, Reason | None]]] = [
    # Anybody counts errors from 1000.
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
    # Codes that mean something else at other statuses, or of one model.
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
    # A picture that could not be had, by a store that has keys and signatures of its own.
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
    # A size or a length that a plan lacks; a limit of one order.
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
    # What is about the account all the same.
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
def test_an_answer_about_one_order_or_one_model_pauses_nobody(
    status: int, body: object, meaning: tuple[str, Reason | None]
) -> None:
    assert kind(create(status, body)) == meaning
    if status != 402:
        assert not isinstance(read_refusal(answer(status, body)), Locked)


@pytest.mark.parametrize(("status", "body"), PASSES)
def test_a_limit_that_passes_by_itself_is_busy(status: int, body: object) -> None:
    assert kind(create(status, body)) == LATER


@pytest.mark.parametrize(("status", "body"), SPENT)
def test_an_empty_account_is_seen_in_all_spellings(status: int, body: object) -> None:
    assert kind(create(status, body)) == EMPTY


@pytest.mark.parametrize(("status", "body"), NO_KEY)
def test_a_bad_key_is_seen_in_all_spellings(status: int, body: object) -> None:
    assert kind(create(status, body)) == KEY


@pytest.mark.parametrize("message", CROWDED)
def test_too_much_at_once_is_no_moderation_whatever_part_of_a_gateway_says_so(message: str) -> None:
    for status in (403, 429):
        assert kind(create(status, envelope(message))) == LATER


@pytest.mark.parametrize("message", ["blocked by our moderation", "违规", "content policy"])
def test_a_part_of_a_message_never_outweighs_a_429(message: str) -> None:
    assert kind(create(429, envelope(f"Refused, {message}, no"))) == LATER
    assert kind(create(400, envelope(f"Refused, {message}, no"))) == MODERATED
    assert kind(create(429, envelope("no", "moderation_blocked"))) == MODERATED


@pytest.mark.parametrize("body", STOPPED, ids=repr)
def test_moderation_is_seen_in_all_spellings(body: dict[str, object]) -> None:
    assert kind(create(400, body)) == MODERATED
    assert kind(poll({"status": "failed", **body})) == ("Failed", Reason.MODERATED)


@pytest.mark.parametrize("message", NOT_STOPPED)
def test_a_moderation_that_failed_itself_stopped_nothing(message: str) -> None:
    assert kind(create(400, envelope(message))) == REFUSED
    assert kind(poll(failed(error=message))) == ("Failed", Reason.REFUSED)


@pytest.mark.parametrize(
    "word", ["FAILED_MODERATION", "NSFW_DETECTED", "ContentBlocked", "flagged"]
)
def test_a_status_word_of_moderation_is_moderated(word: str) -> None:
    assert kind(poll({"status": word})) == ("Failed", Reason.MODERATED)


def test_a_done_job_whose_videos_were_all_filtered_is_moderated_and_counts() -> None:
    filtered = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["x"]}
    seen = poll({"status": "completed", **filtered})
    assert isinstance(seen, Failed)
    assert (seen.reason, seen.charged) == (Reason.WITHHELD, True)
    assert poll({"status": "completed", **filtered, "url": LINK}) == Done((LINK,))
    assert poll({"status": "completed", "raiMediaFilteredCount": 0}) == Done()


@pytest.mark.parametrize("message", ["artifact_not_found (request id: 1)", "Artifact not found"])
def test_a_video_that_was_kept_back_is_told_by_its_message_too(message: str) -> None:
    seen = read_refusal(answer(404, envelope(message)))
    assert kind(seen) == ("Unusable", Reason.WITHHELD)


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 429, 502])
def test_what_may_have_begun_by_its_code_is_never_ordered_again(status: int) -> None:
    body = flat("plugin_submit_response_failed", "task_id is empty")
    assert isinstance(create(status, body), Uncertain)


# ------------------------------------------------------------------------- for the operator


def test_what_stands_in_between_is_named() -> None:
    moved = create(308, "", Location="https://u:p@new.example/v1/videos?key=sk-1")
    page = create(403, "<html><title>Just a moment...</title></html>", Server="cloudflare")

    assert moved == Rejected(
        Reason.WRONG_ADDRESS, "HTTP 308: it points to https://new.example/v1/videos"
    )
    assert page == Rejected(
        Reason.BLOCKED, "HTTP 403: a web page, “Just a moment...”, from cloudflare"
    )


def test_a_page_of_a_server_that_has_no_such_address_is_no_wall() -> None:
    nginx = "<html><head><title>404 Not Found</title></head><center>nginx</center></html>"
    wrong = ("Rejected", Reason.WRONG_ADDRESS)
    for status in (404, 405, 410, 421):
        assert kind(create(status, nginx, Server="nginx")) == wrong
    for words in ("The plain HTTP request was sent to HTTPS port",
                  "Client sent an HTTP request to an HTTPS server.",
                  "You're speaking plain HTTP to an SSL-enabled server port."):  # fmt: skip
        assert kind(create(400, f"<html><h1>Bad Request</h1>{words}</html>")) == wrong
        assert kind(create(400, words)) == wrong
    wall = ("Rejected", Reason.BLOCKED)
    assert kind(create(404, nginx, cf_mitigated="challenge")) == wall
    assert kind(create(403, nginx)) == wall


def test_a_busy_gateway_is_asked_again_when_it_says() -> None:
    assert create(429, HTML, Retry_After="7") == Busy(7.0)


# -------------------------------------------------------------------------------- the table


def test_every_row_names_its_source_and_says_something() -> None:
    for row in PACKAGED.rows:
        assert row.by, row
        assert row.source.startswith("https://"), row
        assert row.codes or row.sentences or row.phrases or row.words, row
        assert not row.words or row.meaning in STATES, row


def test_no_part_of_a_message_is_about_an_account() -> None:
    for row in PACKAGED.rows:
        assert not row.phrases or row.meaning in ABOUT_ONE_ORDER, row
        for sentence in row.sentences if row.meaning in LOCKS and not row.together else ():
            assert all(len(said.replace("x", "")) > 1 for said in examples(sentence)), row


def test_no_code_and_no_word_means_two_things() -> None:
    seen: dict[str, Meaning] = {}
    for row in PACKAGED.rows:
        for word in row.words:
            assert seen.setdefault(word_of(word), row.meaning) is row.meaning, word


def test_no_code_stands_twice_in_a_row_or_with_two_meanings_under_the_same_conditions() -> None:
    """A vendor's own row stays beside a general one: it says where that is known from."""
    seen: dict[object, object] = {}
    for row in PACKAGED.rows:
        codes = [key_of(each) for code in row.codes for each in spelt_out(code)]
        assert len(set(codes)) == len(codes), row
        with_them = row.sentences if row.together else ()
        for code in codes:
            conditions = (code, row.status, row.at, with_them)
            assert seen.setdefault(conditions, row.meaning) is row.meaning, code


@pytest.mark.proof
def test_no_row_is_shadowed_by_another() -> None:
    """Each code, sentence and phrase yields its own row's meaning wherever it holds.

    Another row with the same meaning is as good: nothing follows from a row but its meaning, and
    whether the gateway itself said so before any vendor was asked.
    """
    for row in PACKAGED.rows:
        for said, step in spoken(row):
            for at in row.at or set(Place):
                for status in row.status or {400}:
                    found = PACKAGED.find(said, status=status, at=at)
                    if step is Step.PHRASE and at not in (Place.CREATE, Place.FAILURE):
                        continue
                    assert found, (row.by, said)
                    assert found.row.meaning is row.meaning, (said, found)
                    assert found.row.unasked or not row.unasked, (said, found)


def spoken(row: Row) -> list[tuple[Said, Step]]:
    codes = [code for spelling in row.codes for code in examples(spelling)]
    texts = [text for spelling in row.sentences for text in examples(spelling)]
    phrases = [text for spelling in row.phrases for text in examples(spelling)]
    if row.together:
        return [(Said((code,), (text,)), Step.BOTH) for code in codes for text in texts]
    return [
        *((Said((code,)), Step.CODE) for code in codes),
        *((Said((), (text,)), Step.SENTENCE) for text in texts),
        *((Said((), (text,)), Step.PHRASE) for text in phrases),
    ]


def numbers() -> list[str]:
    codes = (each for row in PACKAGED.rows for code in row.codes for each in spelt_out(code))
    return [code.rpartition(".")[2] for code in codes if code.rpartition(".")[2].isdigit()]


@pytest.mark.proof
@pytest.mark.parametrize("status", [500, 502, 503, 520, 530])
def test_no_number_pauses_a_gateway_whose_order_may_have_been_made(status: int) -> None:
    for code in numbers():
        for number in (code, int(code)):
            for body in (
                flat(number),
                envelope("x", number),
                {"title": f"Error {code}", "status": status, "error_code": number},
                raw({"code": number}),
                {"base_resp": {"status_code": number, "status_msg": "x"}},
            ):
                assert not isinstance(create(status, body), Locked), body
                assert not isinstance(poll(body, status), Locked), body


def test_a_5xx_pauses_by_the_gateways_own_words_and_not_by_its_vendors() -> None:
    assert kind(create(500, flat("quota_not_enough", "x"))) == EMPTY
    assert kind(create(500, envelope("用户额度不足"))) == EMPTY
    for body in (raw({"code": "Arrearage"}), flat("x", "Account balance not enough")):
        told = create(500, body)
        assert isinstance(told, Rejected)
        assert told.charged
        assert kind(create(500, body, trust=False)) == ("Uncertain", None)
        assert kind(create(403, body)) == EMPTY


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Your account was flagged for unusual activity."),
        (401, "Your organization was disabled for a policy violation."),
        (401, "We saw things that violate our policies."),
        (403, "Your API key was flagged for abuse"),
        (403, "Your account has been banned for content policy violations"),
    ],
)
def test_what_is_said_of_an_account_is_not_moderation(status: int, message: str) -> None:
    assert kind(create(status, envelope(message))) == KEY


def test_what_is_said_of_content_is() -> None:
    for message in ("The prompt was flagged", "It shows protected intellectual property"):
        assert kind(create(400, envelope(message))) == MODERATED
    assert kind(create(400, envelope("A guardrail is missing"))) == ("Rejected", Reason.REFUSED)


def test_a_wrong_size_is_told_by_two_numbers() -> None:
    for value, reason in (("'1x1'", Reason.BAD_SIZE), ("'max'. Expected x", Reason.REFUSED)):
        assert kind(create(400, envelope(f"Invalid value: {value}"))) == ("Rejected", reason)


@pytest.mark.parametrize("said", ["Not Found", "404 page not found", "Route /v1 not found"])
def test_a_wrong_route_says_nothing_of_a_job(said: str) -> None:
    assert isinstance(poll({"detail": said}, 404), Trouble)
    assert poll({"detail": "Video video_1 not found"}, 404) == Missing()


DECIDED = [
    ({"status": "ok", "data": {"task_status": "succeed"}}, "Done"),
    ({"status": 0, "state": "success"}, "Done"),
    ({"data": {"status": 1, "task_status": "SUCCEED"}}, "Done"),
    ({"status": "completed", "result": {"state": "ok"}}, "Done"),
    ({"status": "ok", "data": {"status": "processing"}}, "Running"),
    ({"status": "completed", "data": {"status": "failed"}}, "Failed"),
    ({"status": "processing", "data": {"status": "completed"}}, "Done"),
]


@pytest.mark.parametrize(("body", "outcome"), DECIDED, ids=repr)
def test_the_innermost_known_word_decides(body: dict[str, object], outcome: str) -> None:
    assert type(poll(body)).__name__ == outcome


def test_the_word_that_is_told_as_unknown_is_the_unknown_one() -> None:
    seen = poll({"status": "success", "data": {"state": "Marinating"}})
    assert seen == Running(None, None, "marinating")


def test_a_refused_content_that_quotes_its_prompt_pauses_nobody() -> None:
    told = answer(403, envelope("Insufficient balance"))
    assert isinstance(read_refusal(told), Locked)
    assert isinstance(read_refusal(told, prompt="Insufficient balance"), Trouble)


def test_the_page_shows_the_table() -> None:
    """If it does not: `python -m docs.answers_page` writes it anew."""
    assert PAGE.read_text("utf-8") == page()


def test_an_operators_rows_go_first() -> None:
    own = PACKAGED.under(
        [
            Row(by="club", meaning=Meaning.NO_BALANCE, codes=("purse_empty",)),
            Row(by="club", meaning=Meaning.DONE, words=("marinated",)),
            Row(by="club", meaning=Meaning.BUSY, codes=("insufficient_quota",)),
        ]
    )
    purse = answer(418, envelope("x", "Purse.Empty"))
    quota = answer(400, envelope("x", "insufficient_quota"))

    assert isinstance(read_creation(purse, trust_json_5xx=True, meanings=own), Locked)
    assert isinstance(read_creation(quota, trust_json_5xx=True, meanings=own), Busy)
    assert isinstance(read_creation(quota, trust_json_5xx=True), Locked)
    done = answer(200, {"id": "v", "status": "Marinated"})
    assert kind(read_poll(done, gateway_id="v", meanings=own)) == ("Done", None)
    assert kind(read_poll(done, gateway_id="v")) == ("Running", None)


def test_negative_control_without_the_table_nothing_is_known() -> None:
    nothing = Meanings(())
    told = answer(429, openai("insufficient_quota"))
    assert isinstance(read_creation(told, trust_json_5xx=True, meanings=nothing), Busy)


def test_what_is_said_in_signs_alone_is_no_code() -> None:
    """Such a row is refused when the configuration is read; an empty code is nobody's."""
    signs = Row(by="club", meaning=Meaning.NO_BALANCE, codes=("-_-", "*"))
    own = Meanings([signs])
    assert problem_with(signs) == "answer_short"
    for code in ("", "--", "…"):
        assert own.find(Said((code,)), status=400, at=Place.CREATE) is None

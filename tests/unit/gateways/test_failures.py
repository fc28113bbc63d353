"""Failures of jobs and links to videos, as the table of answers reads them."""

import json

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import (
    Done,
    Failed,
    Polled,
)
from bot.gateways.polls import read_poll
from tests.unit.gateways.meanings import LINK, failed

from .spoken import answer, kind, poll

# --------------------------------------------------------------------------------- failures


VEO = (
    "Veo could not generate 1 videos based on the prompt provided. You will not be charged for "
    "this request. Try rephrasing the prompt. If you think this was an error, send feedback. "
    "Support codes: 42237218"
)
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
def test_a_failure_over_content_is_moderated_wherever_the_answer_says_it(
    body: dict[str, object],
) -> None:
    seen = poll(body)
    assert kind(seen) == ("Failed", Reason.MODERATED)


def test_quoted_words_of_the_prompt_do_not_make_a_failure_moderated() -> None:
    prompt = "a theatre with community guidelines on its wall"
    for said in (f"could not make: {prompt}", "no scene with community guidelines was made"):
        body = answer(200, failed(fail_reason=said))
        seen = read_poll(body, gateway_id="video_1", prompt=prompt)
        assert kind(seen) == ("Failed", Reason.REFUSED)
        assert kind(poll(failed(fail_reason=said))) == ("Failed", Reason.MODERATED)


def test_a_failure_text_about_a_balance_does_not_pause_the_gateway() -> None:
    assert kind(poll(failed(fail_reason="用户额度不足"))) == ("Failed", Reason.REFUSED)


def test_a_done_job_with_a_moderation_code_and_no_video_failed_and_was_charged() -> None:
    seen: Polled = poll({"status": "completed", "error": {"code": "moderation_blocked"}})
    assert isinstance(seen, Failed)
    assert seen.reason is Reason.WITHHELD
    assert seen.charged


def test_a_withheld_video_is_recognized_inside_an_envelope() -> None:
    held = {"status": "SUCCESS", "error": {"code": "moderation_blocked"}}
    for body in ({"code": "success", "data": held}, {"data": {"id": "video_1", **held}}):
        seen = poll(body)
        assert isinstance(seen, Failed)
        assert (seen.reason, seen.charged) == (Reason.WITHHELD, True)
    assert isinstance(poll({"data": {**held, "url": LINK}}), Done)


def test_a_failed_job_sent_with_an_error_status_has_failed() -> None:
    body = {"id": "video_1", "status": "failed", "error": {"code": "content_filter"}}
    assert kind(poll(body, 500)) == ("Failed", Reason.MODERATED)
    assert kind(poll({**body, "id": "video_2"}, 500)) == ("Trouble", None)


def test_the_success_of_an_envelope_says_nothing_about_the_job_in_it() -> None:
    assert kind(poll({"status": "success", "data": {"status": "processing"}})) == ("Running", None)
    assert kind(poll({"status": "success", "data": {"status": "failed"}}))[0] == "Failed"
    assert kind(poll({"status": "success", "data": {"status": "SUCCESS"}}))[0] == "Done"


# ------------------------------------------------------------------------------------ links


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
def test_a_video_link_is_found_in_every_field_that_gateways_use(body: dict[str, object]) -> None:
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
def test_a_link_to_something_else_is_not_taken_for_the_video(body: dict[str, object]) -> None:
    assert poll({"status": "completed", **body}) == Done()

"""The meaning of the answer to a POST, for job and bill, row by row of the references.

Every row of the envelopes and errors a gateway is known for, and of our own rules of submitting.
"""

import json
from typing import Any

import pytest

from bot.core.jobs import UNNAMED, Reason
from bot.core.outcomes import Accepted, Busy, Creation, Locked, Rejected, Uncertain
from bot.gateways.creations import read_creation

from .spoken import BUSY, HTML, answer, create, envelope, flat, kind

EMPTY = ("Locked", Reason.NO_BALANCE)
MODERATED = ("Rejected", Reason.MODERATED)
PLAIN_TO_TLS = "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("body", "gateway_id"),
    [
        ({"id": "video_123", "status": "processing"}, "video_123"),
        ({"id": "task_x", "task_id": "task_x", "status": "queued"}, "task_x"),
        ({"task_id": "t"}, "t"),
        ({"data": {"task_id": "t"}}, "t"),
        ({"data": {"id": 5, "task_id": "t"}, "code": "success", "message": ""}, "t"),
        ({"data": {"id": "t"}}, "t"),
        ({"id": 844424930131968}, "844424930131968"),
        ({"id": "5f0c0a5e-7b1e-4c8e-9d0a-0123456789ab", "status": ""}, None),
        ({"id": "x" * 130 + "=="}, None),
        ({"id": " padded "}, "padded"),
        ({"id": "", "task_id": "t"}, "t"),
        ({"code": 1, "msg": "ok", "data": {"video_id": "t"}}, "t"),
        ({"code": 202, "message": "accepted", "videoId": "t"}, "t"),
        ({"code": "0000", "message": "success", "data": [{"id": "t"}]}, "t"),
        ({"detail": "queued", "video_id": "t"}, "t"),
        ({"output": {"task_id": "t"}, "request_id": "r"}, "t"),
        ({"result": {"id": "t"}}, "t"),
        ({"generation_id": "t"}, "t"),
        ({"jobId": "t"}, "t"),
        ({"data": {"data": {"taskId": "t"}}}, "t"),
        ({"id": None, "task_id": "t"}, "t"),
        ({"id": "v", "status": "failed", "error": {"message": "no"}}, "v"),
    ],
)
def test_a_success_with_an_id_is_accepted(
    status: int, body: dict[str, Any], gateway_id: str | None
) -> None:
    assert create(status, body) == Accepted(gateway_id or body["id"])


LINK = "https://a.example/v.mp4"


@pytest.mark.parametrize("gateway_id", ["v1", None])
@pytest.mark.parametrize(
    "body",
    [
        {"status": "completed", "data": [{"url": LINK}]},
        {"created": 1795829495, "data": [{"url": LINK}]},
        {"status": "succeeded", "url": LINK},
        {"status": "SUCCESS", "video_url": LINK},
        {"status": "", "video_url": LINK},
        {"data": {"status": "succeed", "url": LINK}},
        {"output": {"video_url": LINK}},
    ],
)
def test_a_video_that_was_made_at_once_is_told_by_its_link(
    body: dict[str, Any], gateway_id: str | None
) -> None:
    named = body | ({"id": gateway_id} if gateway_id else {})
    assert create(200, named) == Accepted(gateway_id or UNNAMED, (LINK,))


SAID = [
    LINK,
    f"{LINK}\n",
    f"Here you are: ![video]({LINK}). Enjoy!",
    f"<video controls src='{LINK}'></video>",
    f'<a href="{LINK}">Download</a> and a still: https://a.example/v.png',
    f"> queued\n> 100 %\n\n[Watch]({LINK}) · [Home](https://home.example/)",
    [{"type": "text", "text": f"see {LINK}."}],
    [{"type": "video_url", "video_url": {"url": LINK}}],
]
CHAT = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1}


@pytest.mark.parametrize(
    "body",
    [
        [{"url": LINK}],
        [LINK],
        LINK,
        {"status": 0, "data": [{"url": LINK}]},
        *({**CHAT, "choices": [{"index": 0, "message": {"content": said}}]} for said in SAID),
        {"choices": [{"text": LINK}]},
        {"choices": [{"message": {"content": None, "video": {"url": LINK}}}]},
        {"message": {"role": "assistant", "content": LINK}},
        {"output": f"[video]({LINK})"},
        {"object": "response", "output": [{"content": [{"type": "output_text", "text": LINK}]}]},
    ],
    ids=repr,
)
def test_a_video_that_was_made_at_once_is_found_in_a_list_and_in_what_is_said(body: object) -> None:
    assert create(200, json.dumps(body)) == Accepted(UNNAMED, (LINK,))


def test_a_bare_address_is_a_video_that_was_made_at_once() -> None:
    assert create(200, f"\ufeff{LINK}\r\n") == Accepted(UNNAMED, (LINK,))


def test_a_list_of_one_job_has_its_id() -> None:
    assert create(200, [{"id": "t", "status": "queued"}]) == Accepted("t")


def said(content: str, prompt: str) -> Creation:
    body = {**CHAT, "choices": [{"message": {"content": content}}]}
    return read_creation(answer(200, body), trust_json_5xx=True, prompt=prompt)


def test_an_address_that_a_person_wrote_is_never_taken_for_the_video() -> None:
    """Repeats of it may be whole, cut or escaped."""
    prompt = "like https://evil.example/v.mp4?x=1"
    repeats = (
        prompt,
        "https://evil.example/v.mp4",
        r"https:\/\/evil.example\/v.mp4",
        "https://evil.example/v.mp4|more",
        "https://EVIL.example:80/other.mp4",
    )
    for repeated in repeats:
        assert kind(said(f"Working on: {repeated}", prompt)) == ("Uncertain", None)
        assert said(f"{repeated} done: {LINK}", prompt) == Accepted(UNNAMED, (LINK,))


@pytest.mark.parametrize(
    "words", ["Sure!", "", "see http://", "![a still](https://a.example/a.png)"]
)
def test_the_id_of_what_is_said_is_no_jobs(words: str) -> None:
    """It would be asked for in vain: nothing tells whether a video is on its way."""
    assert kind(said(words, "a cat")) == ("Uncertain", None)


def spoken(content: object) -> dict[str, object]:
    return {**CHAT, "choices": [{"message": {"content": content}}]}


PAGE = "https://vendor.example/topup"


@pytest.mark.parametrize(
    "body",
    [
        {"msg": "please login", "url": PAGE},
        {"url": PAGE},
        {"message": "see our docs", "data": {"link": PAGE}},
        spoken(f"Error: insufficient balance. Top up at {PAGE}"),
        spoken("Sorry, ask at https://t.example/vendor"),
        spoken("task is queued: https://vendor.example/tasks/123 Progress 0%"),
        {"status": "completed", **spoken(f"Sorry, see {PAGE}")},
        {"success": True, "data": {"url": "https://vendor.example/tasks/t9"}},
        {"links": [{"rel": "self", "href": "https://vendor.example/jobs/t9/"}]},
        {"status": "completed", "url": "https://vendor.example/videos/t9"},
    ],
    ids=repr,
)
def test_an_address_of_which_nothing_says_that_it_is_a_videos_is_none(body: object) -> None:
    assert kind(create(200, body)) == ("Uncertain", None)


@pytest.mark.parametrize(
    "body",
    [
        {"video_url": "https://a.example/f/9"},
        {"data": {"videos": [{"url": "https://a.example/f/9"}]}},
        {"status": "completed", "data": [{"url": "https://a.example/f/9"}]},
        {"status": "success", "url": "https://a.example/f/9"},
        spoken([{"type": "video_url", "video_url": {"url": "https://a.example/f/9"}}]),
    ],
    ids=repr,
)
def test_an_address_that_is_named_or_done_needs_no_end_of_a_video(body: object) -> None:
    assert create(200, body) == Accepted(UNNAMED, ("https://a.example/f/9",))


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"message": "Your account balance is insufficient", "url": PAGE}, EMPTY),
        ({"status": "success", "message": "余额不足", "url": PAGE}, EMPTY),
        ({"code": "Arrearage", "links": [PAGE]}, EMPTY),
        ({"code": "Arrearage", "video_url": LINK}, EMPTY),
        ({"code": "DataInspectionFailed", "url": PAGE}, MODERATED),
        ({"code": "rate_limit_exceeded", "url": PAGE}, ("Busy", None)),
    ],
)
def test_a_known_refusal_goes_before_an_address(body: object, outcome: object) -> None:
    assert kind(create(200, body)) == outcome


@pytest.mark.parametrize(
    "body",
    [
        {"href": "https://api.example/v1/videos/t9"},
        {"links": [{"rel": "self", "href": "https://api.example/v1/videos/t9/"}]},
        {"status": "queued", "url": "https://api.example/v1/videos/t9?x=1"},
        {"data": {"uri": "https://api.example/v1/videos/t9/content"}},
    ],
)
def test_a_link_to_a_job_of_the_format_has_its_id(body: object) -> None:
    assert create(202, body) == Accepted("t9")


def test_a_link_to_a_file_beside_the_jobs_is_no_job() -> None:
    link = "https://cdn.example/v1/videos/t9.mp4"
    assert create(200, {"url": link}) == Accepted(UNNAMED, (link,))


@pytest.mark.parametrize(
    "name", ["null", "None", "undefined", "0", "-1", "-", "N/A", "nil", "0000-0000", "error"]
)
def test_what_stands_for_no_id_is_none(name: str) -> None:
    """One of them would be the very name for a job that has none."""
    for body in ({"id": name}, {"data": {"task_id": name}}, {"jobId": name, "status": "queued"}):
        assert kind(create(200, body)) == ("Uncertain", None)
    assert create(200, {"id": name, "task_id": "t"}) == Accepted("t")


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
def test_the_id_of_a_refused_request_is_no_jobs(body: object, outcome: object) -> None:
    assert kind(create(200, body)) == outcome


@pytest.mark.parametrize("word", ["queued", "processing", "failed", "who knows"])
def test_the_id_of_a_job_of_which_a_word_is_said_counts_beside_an_error(word: str) -> None:
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
def test_an_order_that_may_be_under_way_is_uncertain(status: int, body: object) -> None:
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
def test_a_timeout_that_is_not_the_orders_is_a_no(status: int, message: str) -> None:
    assert kind(create(status, envelope(message))) == ("Rejected", Reason.REFUSED)


def test_a_person_who_wrote_the_word_of_a_timeout_makes_no_order_free() -> None:
    for status, body in ((200, {"status": "timeout"}), (400, flat("timeout", "x"))):
        told = read_creation(answer(status, body), trust_json_5xx=True, prompt="a timeout at chess")
        assert kind(told) == ("Uncertain", None)


def test_an_id_or_a_word_alone_makes_no_job_of_a_refusal() -> None:
    for body in ({"status": "queued"}, {"id": "req-7"}, {"id": "req-7", "status": "error"}):
        assert kind(create(401, body)) == ("Locked", Reason.BAD_KEY)
        assert create(429, body) == Busy(None)


def test_a_video_that_was_made_at_once_and_kept_back_is_charged() -> None:
    done = {"status": "completed", "raiMediaFilteredCount": 1}
    for body in (done, {"status": "completed", "error": {"code": "content_policy_violation"}}):
        told = create(200, body)
        assert isinstance(told, Rejected)
        assert (told.reason, told.charged) == (Reason.WITHHELD, True)
    told = create(200, {"status": "success", "error": {"code": "content_policy_violation"}})
    assert isinstance(told, Rejected)
    assert (told.reason, told.charged) == (Reason.MODERATED, False)


def test_an_order_that_it_has_already_is_that_job() -> None:
    body = {"error": "duplicate request: already accepted", "id": "t9"}
    assert create(409, body) == create(200, body) == Accepted("t9")
    assert kind(create(409, {"error": "no", "id": "t9"})) == ("Rejected", Reason.REFUSED)
    other = {"error": "one at a time", "id": "t8", "status": "processing"}
    assert kind(create(409, other)) == ("Uncertain", None), "it may be the job in the way"


@pytest.mark.parametrize("status", [400, 422, 500, 503])
def test_beside_a_timeout_only_a_conflict_says_that_an_id_is_the_jobs(status: int) -> None:
    body = {"error": {"message": "request timed out"}, "id": "req-7"}
    assert kind(create(status, body)) == ("Uncertain", None)


def test_a_sentence_that_says_why_is_more_than_a_word_of_a_timeout_beside_it() -> None:
    body = {"status": "timeout", "message": "Insufficient balance"}
    assert kind(create(400, body)) == ("Locked", Reason.NO_BALANCE)


@pytest.mark.parametrize("name", ["reason", "err_code", "status_code"])
def test_a_5xx_pauses_nobody_by_a_name_that_gateways_give_to_words_of_their_vendors(
    name: str,
) -> None:
    body = {"error": {"message": "x", "type": "upstream_error", name: "insufficient_quota"}}
    for trust in (True, False):
        assert kind(create(500, body, trust=trust))[0] != "Locked"


def test_429_with_a_message_of_a_timeout_is_busy() -> None:
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
def test_a_prompt_that_only_shares_letters_with_a_host_hides_no_video(
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
def test_a_host_that_a_person_disguised_is_not_followed(prompt: str) -> None:
    for host in ("evil.example", "www.evil.example", "EVIL.example.", "evil%2Eexample"):
        assert kind(said(f"https://{host}/x.mp4", prompt)) == ("Uncertain", None)


def test_a_host_is_the_same_in_punycode() -> None:
    names = ("bücher.example", "xn--bcher-kva.example")
    for one, other in (names, names[::-1]):
        assert kind(said(f"https://{one}/x.mp4", f"see {other}")) == ("Uncertain", None)


@pytest.mark.parametrize("word", ["queued", "processing", "NOT_START", "failed", "who knows"])
def test_a_link_to_what_is_not_made_yet_is_not_used(word: str) -> None:
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
def test_a_success_without_an_id_is_uncertain(body: object) -> None:
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
def test_a_success_with_an_explicit_error_and_no_id_is_rejected(
    body: dict[str, object], reason: Reason
) -> None:
    outcome = create(200, body)

    assert kind(outcome) == ("Rejected", reason)
    assert isinstance(outcome, Rejected)
    assert not outcome.charged


def test_an_error_that_is_written_as_text_among_the_data_makes_no_order_free() -> None:
    """It may be anything: what a person wrote, or a vendor's word of an earlier try."""
    for error in ({"error": {"message": "no"}}, {"success": False, "message": "no"}):
        assert kind(create(200, {"data": json.dumps(error)})) == ("Uncertain", None)


def test_an_error_in_a_response_beside_a_video_makes_no_order_free() -> None:
    error = {"error": {"code": "x", "message": "no"}}
    assert kind(create(200, {"response": error})) == ("Rejected", Reason.REFUSED)
    assert create(200, {"response": error, "url": LINK}) == Accepted(UNNAMED, (LINK,))


def test_codes_are_found_in_a_list_of_one_error_and_in_lists_of_lists() -> None:
    error = envelope("x", "moderation_blocked")
    bodies: list[object] = [[error], {"errors": [[error]]}, {"data": json.dumps(error)}]
    for body in bodies:
        assert kind(create(400, body)) == MODERATED
    assert create(200, {"data": [[{"task_id": "t"}]]}) == Accepted("t")


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
def test_trouble_with_the_key_or_the_balance_pauses_the_gateway(
    status: int, body: object, reason: Reason
) -> None:
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
def test_any_other_definite_no_is_rejected_and_free(
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
def test_429_of_the_gateway_itself_is_busy(body: object) -> None:
    assert create(429, body) == Busy(None)


@pytest.mark.parametrize("body", ["", HTML, envelope("timeout"), {"id": "video_1"}])
def test_408_is_uncertain_whatever_it_says(body: object) -> None:
    assert kind(create(408, body)) == ("Uncertain", None)


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
def test_5xx_of_the_gateway_itself_is_rejected_but_perhaps_charged(
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
def test_5xx_of_the_gateways_own_checks_is_a_definite_no_and_free(
    status: int, body: object, reason: Reason
) -> None:
    """Whether or not its 5xx are trusted otherwise: no vendor was asked."""
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
def test_503_without_a_channel_is_an_unknown_model_and_free(body: object) -> None:
    outcome = create(503, body)

    assert kind(outcome) == ("Rejected", Reason.UNKNOWN_MODEL)
    assert isinstance(outcome, Rejected)
    assert not outcome.charged


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527])
@pytest.mark.parametrize(
    "body", ["", HTML, "upstream error", "{", "[]", {}, {"message": "Internal"}, {"error": {}}]
)
def test_5xx_of_a_proxy_is_uncertain(status: int, body: object) -> None:
    assert kind(create(status, body)) == ("Uncertain", None)


@pytest.mark.parametrize("status", [100, 101, 199, 600, 999])
def test_a_status_of_no_known_class_is_uncertain(status: int) -> None:
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
def test_beside_the_id_of_a_job_no_word_says_that_nothing_began(
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
def test_words_of_a_page_are_no_message_of_the_gateways(words: str) -> None:
    """A page of a wall or a proxy is one whatever it says."""
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
def test_of_two_codes_under_one_name_none_is_lost(body: dict[str, object]) -> None:
    told = create(403, {"error": {**body, "message": "x"}})
    assert isinstance(told, Locked)
    assert told.reason is Reason.NO_BALANCE


def test_a_video_that_is_completed_and_not_there_is_charged_whatever_its_error_says() -> None:
    told = create(200, {"status": "completed", "error": {"code": "artifact_not_found"}})
    assert isinstance(told, Rejected)
    assert (told.reason, told.charged) == (Reason.WITHHELD, True)

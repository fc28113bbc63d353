"""Answers to a POST that accept an order or return its video at once."""

import json
from typing import Any

import pytest

from bot.core.jobs import UNNAMED
from bot.core.outcomes import Accepted
from tests.unit.gateways.answers_to_orders import CHAT, EMPTY, LINK, MODERATED, said

from .spoken import create, kind


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
def test_a_success_with_an_id_means_accepted(
    status: int, body: dict[str, Any], gateway_id: str | None
) -> None:
    assert create(status, body) == Accepted(gateway_id or body["id"])


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
def test_a_success_with_a_finished_video_means_accepted_with_its_link(
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
def test_a_finished_video_is_found_in_a_list_and_in_a_chat_message(body: object) -> None:
    assert create(200, json.dumps(body)) == Accepted(UNNAMED, (LINK,))


def test_a_plain_text_answer_that_is_an_address_means_a_finished_video() -> None:
    assert create(200, f"\ufeff{LINK}\r\n") == Accepted(UNNAMED, (LINK,))


def test_an_answer_that_is_a_list_of_one_job_gives_its_id() -> None:
    assert create(200, [{"id": "t", "status": "queued"}]) == Accepted("t")


def test_an_address_quoted_from_the_prompt_is_never_taken_for_the_video() -> None:
    """The answer may repeat the prompt whole, cut or escaped."""
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
def test_the_id_of_a_chat_message_is_not_taken_for_the_id_of_a_job(words: str) -> None:
    """Polling this id would be in vain; nothing says whether a video is being made."""
    assert kind(said(words, "a cat")) == ("Uncertain", None)


def spoken(content: object) -> dict[str, object]:
    """Return a chat completion with this content."""
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
def test_an_address_that_is_not_marked_as_a_video_is_not_taken_for_one(body: object) -> None:
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
def test_an_address_in_a_video_field_counts_without_a_file_extension(body: object) -> None:
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
def test_a_known_refusal_wins_over_an_address_in_the_same_answer(
    body: object, outcome: object
) -> None:
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
def test_a_link_to_a_job_address_gives_the_id_of_the_job(body: object) -> None:
    assert create(202, body) == Accepted("t9")


def test_a_link_to_a_file_under_a_job_address_is_a_video_not_a_job() -> None:
    link = "https://cdn.example/v1/videos/t9.mp4"
    assert create(200, {"url": link}) == Accepted(UNNAMED, (link,))


@pytest.mark.parametrize(
    "name", ["null", "None", "undefined", "0", "-1", "-", "N/A", "nil", "0000-0000", "error"]
)
def test_placeholder_ids_such_as_null_or_0_count_as_no_id(name: str) -> None:
    """One of the placeholders would be our own name for a job without an id."""
    for body in ({"id": name}, {"data": {"task_id": name}}, {"jobId": name, "status": "queued"}):
        assert kind(create(200, body)) == ("Uncertain", None)
    assert create(200, {"id": name, "task_id": "t"}) == Accepted("t")

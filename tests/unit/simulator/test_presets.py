"""Each trouble with a name, as a client sees it when the name stands in a prompt."""

import asyncio

import aiohttp
import pytest

from bot.simulator.faults import Fault
from bot.simulator.presets import CREATES, DAY, DONE, FAILED, PENDING
from bot.simulator.server import Simulator
from tests.unit.simulator.life import life, status

from .conftest import Clock
from .pictures import form
from .test_faults import CUT
from .test_life import create, poll

UNKNOWN = "there is no video with this id"


# --- answers to polls ------------------------------------------------------------------


@pytest.mark.parametrize("word", DONE)
async def test_a_scripted_word_of_success_is_shown_when_the_video_is_done(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock, word: str
) -> None:
    early, over, _ = await life(client, simulator, clock, f"is-{word}")
    assert (early["status"], over["status"], "url" in over) == ("processing", word, True)


@pytest.mark.parametrize("word", FAILED)
async def test_a_scripted_word_of_failure_is_shown_and_the_video_is_refunded(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock, word: str
) -> None:
    early, over, _ = await life(client, simulator, clock, f"is-{word}")
    assert (early["status"], over["status"], "url" in over) == ("processing", word, False)
    assert simulator.journal[0].refunded


@pytest.mark.parametrize("word", PENDING)
async def test_a_scripted_word_of_waiting_is_shown_until_the_video_is_done(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock, word: str
) -> None:
    early, over, _ = await life(client, simulator, clock, f"is-{word}")
    assert (early["status"], over["status"]) == (word, "succeeded")


MISSING = object()
REPLIES: dict[str, tuple[str, object, object]] = {
    "is-empty": ("status", "", "succeeded"),
    "is-null": ("status", None, "succeeded"),
    "is-number": ("status", 3, "succeeded"),
    "is-missing": ("status", MISSING, "succeeded"),
    "is-loud": ("status", "processing", " SUCCESS "),
    "progress-text": ("progress", "30%", "30%"),
    "progress-float": ("progress", 33.3, 33.3),
    "progress-null": ("progress", None, None),
    "progress-full": ("progress", 100, 100),
    "progress-falls": ("progress", 80, 100),
    "created-ms": ("created_at", 1640995200000, 1640995200000),
    "completed-early": ("completed_at", 1640995200, MISSING),
    "url-empty": ("metadata", MISSING, {"url": ""}),
    "url-is-error": ("metadata", MISSING, {"url": "InternalError: no video"}),
    "no-reason": ("error", None, MISSING),
    "wrapped": ("data", MISSING, {"status": "SUCCESS"}),
    "swept": ("status", "in_progress", "in_progress"),
    "other-id": ("id", "video_" + "A" * 128 + "==", "video_" + "A" * 128 + "=="),
}


@pytest.mark.parametrize("name", REPLIES)
async def test_a_scripted_field_of_a_poll_has_its_value_before_and_after_the_end(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock, name: str
) -> None:
    early, over, _ = await life(client, simulator, clock, name)
    field, before, after = REPLIES[name]
    assert (early.get(field, MISSING), over.get(field, MISSING)) == (before, after)


async def test_the_trouble_error_only_answers_polls_with_an_error_and_no_status(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    early, over, path = await life(client, simulator, clock, "error-only")
    error = {"message": "upstream is away", "code": ""}
    assert early == over == {"id": path.rpartition("/")[2], "error": error}


async def test_the_trouble_progress_falls_shows_falling_progress(
    client: aiohttp.ClientSession,
) -> None:
    video = await create(client, "a cat [progress-falls]")
    assert [(await poll(client, video))["progress"] for _ in range(4)] == [80, 20, 60, 0]


async def test_the_trouble_swept_shows_100_percent_and_in_progress_for_ever(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "swept")
    clock.time += 1e6
    async with client.get(path) as answer:
        body = await answer.json()
    assert (body["status"], body["progress"], "url" in body) == ("in_progress", 100, False)


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("not-yet", [404, 404, 200]),
        ("lost", [404, 404, 404]),
        ("poll-429", [429, 429, 200]),
        ("poll-500", [500, 500, 200]),
        ("poll-502", [502, 502, 200]),
    ],
)
async def test_a_trouble_with_polls_answers_each_poll_with_its_status(
    client: aiohttp.ClientSession, name: str, statuses: list[int]
) -> None:
    path = f"/v1/videos/{await create(client, f'a cat [{name}]')}"
    assert [await status(client, path) for _ in range(3)] == statuses


async def test_a_fault_for_all_videos_is_used_before_the_trouble_of_one_video(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    path = f"/v1/videos/{await create(client, 'a cat [not-yet]')}"
    simulator.faults.add(Fault("retrieve", "answer"))
    assert [await status(client, path) for _ in range(4)] == [500, 404, 404, 200]


@pytest.mark.parametrize("name", ["poll-malformed", "poll-truncated"])
async def test_a_malformed_or_truncated_poll_answer_is_no_json(
    client: aiohttp.ClientSession, name: str
) -> None:
    video = await create(client, f"a cat [{name}]")
    async with client.get(f"/v1/videos/{video}") as answer:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            await answer.json()


async def test_a_scripted_late_poll_answer_exceeds_the_timeout_once(
    client: aiohttp.ClientSession,
) -> None:
    video = await create(client, "a cat [poll-late]")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await poll(client, video)
    assert (await poll(client, video))["status"] == "processing"


# --- the life of a video -------------------------------------------------------------


async def test_the_trouble_late_finishes_a_video_after_a_day(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, over, path = await life(client, simulator, clock, "late")
    clock.time += DAY + 3600
    assert (over["status"], await status(client, f"{path}/content")) == ("processing", 200)


async def test_the_trouble_moderated_late_fails_a_video_after_ten_minutes(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, early, path = await life(client, simulator, clock, "moderated-late")
    clock.time += 600
    late = await poll(client, path.rpartition("/")[2])
    assert (early["status"], late["status"]) == ("processing", "failed")


async def test_the_trouble_stuck_keeps_a_video_at_99_percent(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, over, _ = await life(client, simulator, clock, "stuck")
    assert (over["status"], over["progress"]) == ("processing", 99)


# --- answers to orders ---------------------------------------------------------------


ANSWERS: dict[str, tuple[int, str | None, str]] = {
    "create-429": (429, None, "当前分组上游负载已饱和"),
    "create-429-hint": (429, "7", "当前分组上游负载已饱和"),
    "create-429-empty": (429, None, ""),
    "create-500": (500, None, "<title>500 Internal Server Error<"),
    "create-502": (502, None, "<title>502 Bad Gateway<"),
    "create-503": (503, None, "<title>503 Service Temporarily Unavailable<"),
    "create-504": (504, None, "<title>504 Gateway Time-out<"),
    "bad-key": (401, None, "无效的令牌"),
    "no-balance-a": (403, None, "quota_not_enough"),
    "no-balance": (403, None, "insufficient_user_quota"),
    "no-balance-token": (403, None, "pre_consume_token_quota_failed"),
    "denied": (403, None, "access_denied"),
    "no-channel": (503, None, "model_not_found"),
    "too-large": (413, None, "read_request_body_failed"),
    "ok-but-error": (200, None, "ali_api_error"),
    "moved": (307, None, ""),
    "prompt-blocked": (403, None, "prompt_blocked"),
    "quota-429": (429, None, "insufficient_quota"),
    "arrears": (400, None, "Arrearage"),
    "suspended": (412, None, "suspended"),
    "plan-403": (403, None, "invalid_token"),
    "html-429": (429, None, "<html>"),
    "bot-wall": (403, None, "<"),
    "price-missing": (400, None, "model_price_error"),
    "usage-invalid": (400, None, "plugin_usage_invalid"),
    "plugin-refuses": (400, None, "plugin_request_invalid"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_trouble_with_orders_answers_with_its_status_and_charges_nothing(
    client: aiohttp.ClientSession, simulator: Simulator, name: str
) -> None:
    code, hint, words = ANSWERS[name]
    body = form({"prompt": f"a cat [{name}]"})
    async with client.post("/v1/videos", data=body, allow_redirects=False) as answer:
        text = await answer.text()
    assert (answer.status, answer.headers.get("Retry-After")) == (code, hint)
    assert (words in text, simulator.charges) == (True, 0)


@pytest.mark.parametrize(("name", "charges"), [("reset", 0), ("answer-lost", 1)])
async def test_a_trouble_that_breaks_the_connection_charges_only_a_lost_answer(
    client: aiohttp.ClientSession, simulator: Simulator, name: str, charges: int
) -> None:
    with pytest.raises(CUT):
        await create(client, f"a cat [{name}]")
    assert (simulator.charges, simulator.journal[0].status) == (charges, None)


async def test_a_scripted_late_answer_to_an_order_was_charged(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await create(client, "a cat [answer-late]")
    assert simulator.charges == 1


def test_every_trouble_with_orders_has_a_test_in_this_module() -> None:
    assert CREATES.keys() == {*ANSWERS, "reset", "answer-lost", "answer-late"}

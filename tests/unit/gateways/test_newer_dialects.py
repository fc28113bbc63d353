"""Answers of OpenRouter, vLLM-Omni and SGLang, in the shapes of their routes and their SDK."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.jobs import Reason
from bot.core.outcomes import (
    Accepted,
    Busy,
    Creation,
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
from bot.gateways.polls import read_poll
from bot.gateways.videos_api import VideosApi
from bot.net.answers import Answer
from tests.unit.gateways import samples

GEN = "gen-vid-1764420000-abcdefghij0123456789"
OURS = f"https://openrouter.ai/api/v1/videos/{GEN}"
SIGNED = "https://cdn.openrouter.example/v/abc?sig=1"
OWN = "video_gen_0123456789abcdef"


def said(status: int, body: object) -> Answer:
    text = json.dumps(body).encode()
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=text)


def created(status: int, body: object) -> Creation:
    return read_creation(said(status, body), trust_json_5xx=False)


# --- OpenRouter ----------------------------------------------------------------------------------


def polled(**job: object) -> Polled:
    """Return the meaning of OpenRouter's answer to a poll."""
    return read_poll(said(200, {"id": GEN, "polling_url": OURS, **job}), gateway_id=GEN)


def test_an_order_at_openrouter_is_accepted_with_202_and_its_polling_url_is_no_video() -> None:
    job = {"id": GEN, "polling_url": OURS, "status": "pending"}
    assert created(202, job) == Accepted(GEN, ())


REFUSALS = {
    (400, "Invalid JSON body"): Rejected(Reason.REFUSED, ""),
    (401, "No auth credentials found"): Locked(Reason.BAD_KEY, ""),
    (402, "Insufficient credits. Add more"): Locked(Reason.NO_BALANCE, ""),
    (403, "Only management keys can perform this operation"): Rejected(Reason.REFUSED, ""),
    (403, "Key limit exceeded (total limit)"): Locked(Reason.NO_BALANCE, ""),
    (404, "No endpoints found for maker/x."): Rejected(Reason.UNKNOWN_MODEL, ""),
    (413, "Request payload too large"): Rejected(Reason.PICTURE_TOO_LARGE, ""),
    (429, "Rate limit exceeded"): Busy(None),
    (499, "Request was cancelled"): Uncertain("", answered=True),
    (500, "Internal Server Error"): Uncertain("", answered=True),
    (503, "Service temporarily unavailable"): Uncertain("", answered=True),
}


@pytest.mark.parametrize(("told", "meaning"), REFUSALS.items(), ids=str)
def test_each_error_of_openrouter_has_its_meaning(told: tuple[int, str], meaning: Creation) -> None:
    """The request of a 499 may have arrived, like that of a 408."""
    status, message = told
    answer = created(status, {"error": {"code": status, "message": message}})
    assert type(answer) is type(meaning)
    assert getattr(answer, "reason", None) == getattr(meaning, "reason", None)
    assert not getattr(answer, "charged", False)


@pytest.mark.parametrize("word", ["pending", "in_progress"])
def test_a_job_under_way_at_openrouter_is_running(word: str) -> None:
    assert polled(status=word) == Running(None)


@pytest.mark.parametrize(
    ("word", "reason"),
    [("failed", Reason.REFUSED), ("cancelled", Reason.REFUSED), ("expired", Reason.EXPIRED)],
)
def test_a_job_that_ended_at_openrouter_has_failed(word: str, reason: Reason) -> None:
    ended = polled(status=word)
    assert isinstance(ended, Failed)
    assert ended.reason is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("The prompt was blocked by the content policy", Reason.MODERATED),
        ("Provider returned an internal error", Reason.REFUSED),
    ],
)
def test_an_error_that_is_a_plain_text_is_read(error: str, reason: Reason) -> None:
    ended = polled(status="failed", error=error)
    assert isinstance(ended, Failed)
    assert (ended.reason, error in ended.detail) == (reason, True)


def test_only_signed_links_of_openrouter_are_followed_without_a_key() -> None:
    """`unsigned_urls` need our key; the content of the job is fetched with it."""
    unsigned = {"unsigned_urls": [f"{OURS}/content?index=0"]}
    usage = {"usage": {"cost": 0.25, "is_byok": False}, "generation_id": "gen-1764420000-xyz"}
    assert polled(status="completed", **unsigned, **usage) == Done(())
    assert polled(status="completed", urls=[SIGNED], **unsigned, **usage) == Done((SIGNED,))


def test_a_job_that_openrouter_does_not_know_is_missing() -> None:
    body = {"error": {"code": 404, "message": "Job not found"}}
    assert read_poll(said(404, body), gateway_id=GEN) == Missing()


# --- servers of one's own ------------------------------------------------------------------------


def job(status: str, **more: object) -> dict[str, object]:
    """Return a job of vLLM-Omni or SGLang."""
    whole = {"id": OWN, "object": "video", "model": "maker/model-1", "status": status}
    return {**whole, "prompt": "a cat", "size": "832x480", "seconds": "4", "created_at": 1, **more}


@pytest.mark.parametrize("status", [400, 422, 500, 503])
@pytest.mark.parametrize("code", ["500", "HTTPException", 500])
def test_a_failed_job_of_vllm_omni_under_an_http_error_has_failed(
    status: int, code: str | int
) -> None:
    body = job("failed", error={"code": code, "message": "out of memory"})
    assert isinstance(read_poll(said(status, body), gateway_id=OWN), Failed)


def test_a_failed_job_of_sglang_under_200_has_failed() -> None:
    body = job("failed", error={"code": "server_error", "message": "CUDA out of memory"})
    assert isinstance(read_poll(said(200, body), gateway_id=OWN), Failed)


def test_an_error_without_a_job_says_nothing_about_the_job() -> None:
    """Negative control of the two tests above."""
    ours = read_poll(said(500, {"detail": "Internal Server Error"}), gateway_id=OWN)
    others = read_poll(said(500, job("failed") | {"id": "video_gen_other"}), gateway_id=OWN)
    assert not isinstance(ours, Failed)
    assert not isinstance(others, Failed)


def test_a_server_that_was_restarted_does_not_know_its_video() -> None:
    assert read_poll(said(404, {"detail": "Video not found"}), gateway_id=OWN) == Missing()


@pytest.mark.parametrize("path", ["/data/outputs/v.mp4", "https://elsewhere.example/v.mp4"])
def test_a_path_on_the_servers_disk_is_never_a_link(path: str) -> None:
    body = job("completed", file_path=path, progress=100, url=None, urls=None)
    assert read_poll(said(200, body), gateway_id=OWN) == Done(())


def test_another_model_than_the_served_one_is_an_unknown_model() -> None:
    body = {"detail": "Model mismatch: request specifies 'a' but server is serving 'b'"}
    refused = created(400, body)
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.charged) == (Reason.UNKNOWN_MODEL, False)


async def test_a_video_in_cloud_storage_is_fetched_from_the_jobs_url(tmp_path: Path) -> None:
    """SGLang answers 400 to `/content` then, with the address in a text that is not followed."""

    async def answer(request: web.Request) -> web.StreamResponse:
        match request.path.rsplit("/", 1)[-1]:
            case "content":
                detail = "Video has been uploaded to cloud storage. Use http://127.0.0.1/o.mp4"
                return web.json_response({"detail": detail}, status=400)
            case "v.mp4":
                return web.Response(body=samples.MP4, content_type="video/mp4")
        stored = str(request.url.with_path("/bucket/v.mp4"))
        return web.json_response(job("completed", file_path="/data/v.mp4", url=stored))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    server = TestServer(app)
    async with server, samples.opened(str(server.make_url("")).rstrip("/")) as gateway:
        done = await gateway.retrieve(OWN)
        assert isinstance(done, Done)
        (stored,) = done.sources
        refused = await gateway.content(OWN, None, tmp_path / "a")
        assert isinstance(refused, Trouble)
        await gateway.content(OWN, stored, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == samples.MP4


@pytest.mark.parametrize(
    ("status", "is_gone"), [(200, True), (404, True), (410, True), (409, False), (503, False)]
)
async def test_a_deleted_or_unknown_video_is_gone_and_a_refusal_is_no_deletion(
    status: int, is_gone: bool
) -> None:
    async with deleting(status) as (gateway, seen):
        trouble = await gateway.delete(OWN)
    assert (trouble is None, seen) == (is_gone, [("DELETE", f"/v1/videos/{OWN}")])


@pytest.mark.parametrize(
    "settings",
    [{"own": False}, {"own": True, "dialect": "new-api"}, {"own": True, "dialect": "openai"}],
)
async def test_no_deletion_is_sent_to_a_server_that_is_not_ones_own_or_knows_none(
    settings: dict[str, Any],
) -> None:
    async with deleting(200, **settings) as (gateway, seen):
        assert await gateway.delete(OWN) is not None
        assert not gateway.own
    assert seen == []


@asynccontextmanager
async def deleting(
    status: int, **settings: Any
) -> AsyncIterator[tuple[VideosApi, list[tuple[str, str]]]]:
    """Yield a client, and the requests that its server got and answered with `status`."""
    seen: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.path))
        return web.json_response({"id": OWN, "deleted": True}, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    ours = {"dialect": "vllm-omni", "own": True, **settings}
    async with server, samples.opened(str(server.make_url("")).rstrip("/"), **ours) as gateway:
        yield gateway, seen

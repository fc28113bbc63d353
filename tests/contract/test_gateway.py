"""The client against the simulated gateway. They share no code, so each checks the other."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.http import SERVER_SOFTWARE
from PIL import Image

from bot.config import load
from bot.core.jobs import Reason
from bot.core.orders import Address, Call, Order, Person, Picture, Transport, VideoRequest
from bot.core.outcomes import (
    Accepted,
    Busy,
    Done,
    Failed,
    Fetch,
    Fetched,
    Locked,
    Missing,
    Rejected,
    Running,
    Trouble,
    Uncertain,
)
from bot.core.wishes import Wish
from bot.gateways.videos_api import GatewayOptions, VideosApi, open_gateways
from bot.simulator.faults import BAD_GATEWAY, Fault
from bot.simulator.journal import Entry, File
from bot.simulator.render import Renderer
from bot.simulator.scenes import Scene
from bot.simulator.server import Simulator
from tests.fakes import wire
from tests.fakes.clock import FakeClock
from tests.fakes.wire import Wire
from tests.unit.gateways import file_store
from tests.unit.gateways.samples import create

HTML = "not a video: text/html; charset=utf-8"
BLANK = b"\0\0\0\x10ftypisom" + bytes(4096)
GATEWAY = "ZOETROPE_GATEWAYS__G__"
PAGE = f"HTTP 502: a web page, “502 Bad Gateway”, from {SERVER_SOFTWARE}"


class BlankRenderer(Renderer):
    """A renderer that writes the same few bytes for every video."""

    async def render(self, clip: Scene, path: Path) -> None:
        path.write_bytes(BLANK)


def client(url: str, dialect: str = "documented") -> GatewayOptions:
    """Return the options of a gateway at `url`."""
    return GatewayOptions(name="g", base_url=url, api_key="sk-sim", dialect=dialect)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> Simulator:
    return Simulator(now=clock.now, renderer=BlankRenderer())


@pytest.fixture
async def gateway(simulator: Simulator) -> AsyncIterator[VideosApi]:
    async with simulator.serve() as url, open_gateways([client(url)]) as gateways:
        yield gateways["g"]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "kept.jpg"
    Image.new("RGB", (1280, 720), (200, 30, 40)).save(path, "JPEG")
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


def ordered(
    family: str, *, dialect: str = "documented", pictures: int = 0, prompt: str = "a cat"
) -> VideoRequest:
    """Return the packaged catalog's request for such an order, at a gateway of this dialect."""
    config = load(
        None,
        environment={
            f"{GATEWAY}BASE_URL": "http://localhost",
            f"{GATEWAY}API_KEY": "sk-sim",
            f"{GATEWAY}DIALECT": dialect,
        },
    )
    given = Picture(source=None, filename="a.jpg", size=1, width=1280, height=720, key="kept")
    order = Order(
        call=Call(
            event_id="e",
            address=Address(platform="test", channel="c"),
            person=Person(id="1", name="Ada"),
            locale="en",
        ),
        wish=Wish(prompt=prompt, family=family),
        pictures=(given,) * pictures,
    )
    return config.catalog.choose(order)[1]


async def made(gateway: VideosApi, request: VideoRequest, *pictures: Path) -> str:
    """Send the order, which must be accepted, and return its id at the gateway."""
    outcome = await create(gateway, request, pictures)
    assert isinstance(outcome, Accepted)
    return outcome.gateway_id


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def described(picture: Path) -> dict[str, object]:
    """Return the journal's entry for a `data:` URI of this picture."""
    size = picture.stat().st_size
    return {"data_uri": {"media_type": "image/jpeg", "bytes": size, "sha256": sha256(picture)}}


def last(simulator: Simulator) -> Entry:
    """Return the newest entry of the journal."""
    return simulator.journal[-1]


# --- how a picture is sent -------------------------------------------------------------------


async def test_a_picture_for_sora_is_sent_as_the_file_input_reference(
    gateway: VideosApi, simulator: Simulator, picture: Path
) -> None:
    request = ordered("sora-2", pictures=1)

    await made(gateway, request, picture)

    entry = last(simulator)
    assert (request.transport, entry.model) == (Transport.UPLOAD, "sora-2")
    assert entry.files == {
        "input_reference": File(
            "picture.jpg", "image/jpeg", picture.stat().st_size, sha256(picture)
        )
    }
    assert entry.fields == {
        "prompt": "a cat",
        "model": "sora-2",
        "seconds": "4",
        "size": "1280x720",
    }
    assert entry.metadata == {}


async def test_a_picture_for_wan_is_sent_as_img_url_in_the_metadata(
    gateway: VideosApi, simulator: Simulator, picture: Path
) -> None:
    request = ordered("wan-2.5", pictures=1)

    await made(gateway, request, picture)

    entry = last(simulator)
    assert (request.transport, entry.model) == (Transport.DATA_URI, "wan2.5-i2v-preview")
    assert entry.files == {}
    assert entry.fields == {
        "prompt": "a cat",
        "model": "wan2.5-i2v-preview",
        "seconds": "5",
        "size": "720P",
    }
    assert entry.metadata == {"img_url": described(picture), "watermark": False}


@pytest.mark.parametrize(("family", "size"), [("sora-2", "1280x720"), ("wan-2.5", "1280*720")])
async def test_a_prompt_without_a_picture_sends_no_file_and_no_img_url(
    gateway: VideosApi, simulator: Simulator, family: str, size: str
) -> None:
    await made(gateway, ordered(family))

    entry = last(simulator)
    assert (entry.files, "img_url" in entry.metadata) == ({}, False)
    assert entry.fields["size"] == size


async def test_new_api_gets_a_wan_picture_in_both_fields_that_its_versions_read(
    simulator: Simulator, picture: Path
) -> None:
    kept = described(picture)
    async with simulator.serve() as url, open_gateways([client(url, "new-api")]) as gateways:
        await made(gateways["g"], ordered("wan-2.5", dialect="new-api", pictures=1), picture)

    entry = last(simulator)
    assert entry.files == {}
    assert entry.fields["input_reference"] == entry.fields["image"] == kept
    assert entry.metadata == {"parameters": {"watermark": False}}


async def test_the_bytes_of_a_multipart_body_are_what_curl_would_send(picture: Path) -> None:
    """Checks the raw request: names, a filename and a type for the file only, exact bytes."""
    server = Wire(wire.sending(wire.answer('{"id": "video_1"}', 201)))
    async with server.serve() as url, open_gateways([client(url)]) as gateways:
        await made(gateways["g"], ordered("sora-2", pictures=1, prompt="猫咪"), picture)

    sent = server.requests[0]
    boundary = sent.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    parts = sent.body.split(b"--" + boundary)
    heads = [part.partition(b"\r\n\r\n")[0] for part in parts[1:-1]]
    bodies = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts[1:-1]]
    assert bodies == ["猫咪".encode(), b"sora-2", b"4", b"1280x720", picture.read_bytes()]
    for head, name in zip(heads, ["prompt", "model", "seconds", "size"], strict=False):
        assert f'form-data; name="{name}"'.encode() in head
        assert b"filename" not in head
    assert b'name="input_reference"; filename="picture.jpg"' in heads[4]
    assert b"Content-Type: image/jpeg" in heads[4]


async def test_the_json_body_for_new_api_carries_the_bytes_of_the_picture(picture: Path) -> None:
    server = Wire(wire.sending(wire.answer('{"id": "task_1"}')))
    async with server.serve() as url, open_gateways([client(url, "new-api")]) as gateways:
        await made(gateways["g"], ordered("wan-2.5", dialect="new-api", pictures=1), picture)

    uri = b"data:image/jpeg;base64," + base64.b64encode(picture.read_bytes())
    assert server.requests[0].body.count(uri) == 2


# --- from the order to the file ------------------------------------------------------------


async def test_a_video_is_ordered_polled_and_downloaded_to_a_file(
    gateway: VideosApi, simulator: Simulator, clock: FakeClock, video: Path
) -> None:
    gateway_id = await made(gateway, ordered("sora-2"))
    early = await gateway.retrieve(gateway_id)
    await clock.advance(4)
    half = await gateway.retrieve(gateway_id)
    too_early = await gateway.content(gateway_id, None, video)
    await simulator.rendered()
    await clock.advance(4)
    done = await gateway.retrieve(gateway_id)

    assert (early, half) == (Running(0), Running(50))
    assert too_early == Trouble(
        "HTTP 400: invalid_request_error the video is not ready", definite=True
    )
    assert done == Done((f"{gateway.base_url}/files/{gateway_id}.mp4",))
    assert await gateway.content(gateway_id, None, video) == Fetched(len(BLANK))
    assert video.read_bytes() == BLANK
    assert simulator.charges == 1


async def finished(gateway: VideosApi, simulator: Simulator, clock: FakeClock) -> tuple[str, Done]:
    """Order a video, let it be made, and return its id and the answer to a poll."""
    gateway_id = await made(gateway, ordered("sora-2"))
    await simulator.rendered()
    await clock.advance(8)
    done = await gateway.retrieve(gateway_id)
    assert isinstance(done, Done)
    return gateway_id, done


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (Fault("content", "truncate"), "ClientPayloadError"),
        (Fault("content", "answer", status=200, body=BAD_GATEWAY), HTML),
        (Fault("content", "answer", status=502, body=BAD_GATEWAY), PAGE),
        (
            Fault("content", "answer", status=404, message="Task not found"),
            "HTTP 404: invalid_request_error Task not found",
        ),
        (Fault("content", "cut"), "ServerDisconnectedError"),
    ],
    ids=["truncated", "HTML", "502", "404", "cut"],
)
async def test_content_that_cannot_be_downloaded_is_trouble_and_its_link_is_used_instead(
    gateway: VideosApi,
    simulator: Simulator,
    clock: FakeClock,
    video: Path,
    fault: Fault,
    detail: str,
) -> None:
    gateway_id, done = await finished(gateway, simulator, clock)
    simulator.faults.add(fault, times=4)

    said_no: Fetch = Trouble(detail, definite=fault.status == 404)
    if detail == HTML:
        said_no = Trouble(detail, definite=True)
    assert await gateway.content(gateway_id, None, video) == said_no
    assert await file_store.fetched(gateway, gateway_id, done.sources, video) == Fetched(len(BLANK))
    assert video.read_bytes() == BLANK


async def test_content_redirected_to_another_host_is_downloaded_there_without_our_key(
    video: Path,
) -> None:
    media = Wire(wire.sending(wire.answer(BLANK)))
    async with media.serve() as elsewhere:
        moved = Wire(wire.redirecting(f"{elsewhere}/v.mp4", 302))
        async with moved.serve() as url:
            allowed = GatewayOptions(
                name="allowed",
                base_url=url,
                api_key="sk-sim",
                media_origins=frozenset({elsewhere}),
            )
            async with open_gateways([client(url), allowed]) as gateways:
                guarded = await gateways["g"].content("v", None, video)
                fetched = await gateways["allowed"].content("v", None, video)

    assert (guarded, fetched) == (Trouble("NotPublic"), Fetched(len(BLANK)))
    assert [one.is_authorized for one in moved.requests] == [True, True]
    assert [one.is_authorized for one in media.requests] == [False]


# --- answers of the gateway -----------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_success_status_with_an_id_means_that_the_order_was_accepted(
    gateway: VideosApi, simulator: Simulator, status: int
) -> None:
    body = json.dumps({"id": "video_1", "status": "queued"})
    simulator.faults.add(Fault("create", "answer", status=status, body=body))

    outcome = await create(gateway, ordered("sora-2"), ())

    assert outcome == Accepted("video_1")


async def test_a_create_request_whose_answer_is_lost_is_uncertain_and_was_charged(
    gateway: VideosApi, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("create", "drop"))

    outcome = await create(gateway, ordered("sora-2"), ())

    assert outcome == Uncertain("ServerDisconnectedError")
    assert simulator.charges == len(simulator.journal) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("create", "answer", status=429, retry_after=7), Busy(7.0)),
        (Fault("create", "answer", status=429, body=""), Busy(None)),
        (
            Fault("create", "answer", status=403, message="insufficient quota"),
            Locked(Reason.NO_BALANCE, "HTTP 403: invalid_request_error insufficient quota"),
        ),
        (
            Fault("create", "answer", status=502, body=BAD_GATEWAY),
            Uncertain(PAGE, answered=True),
        ),
    ],
    ids=["429", "429 without a word", "no balance", "502"],
)
async def test_each_refusal_of_a_create_request_gives_the_right_outcome(
    gateway: VideosApi, simulator: Simulator, fault: Fault, expected: object
) -> None:
    simulator.faults.add(fault)

    outcome = await create(gateway, ordered("sora-2"), ())

    assert (outcome, simulator.charges) == (expected, 0)


async def test_a_refused_prompt_is_rejected_and_a_failing_one_fails_as_moderated(
    gateway: VideosApi, clock: FakeClock
) -> None:
    refused = await create(gateway, ordered("sora-2", prompt="a cat [refuse]"), ())
    gateway_id = await made(gateway, ordered("sora-2", prompt="a cat [fail]"))
    await clock.advance(8)
    failed = await gateway.retrieve(gateway_id)

    assert isinstance(refused, Rejected)
    assert isinstance(failed, Failed)
    assert failed.reason == Reason.MODERATED


async def test_a_wrong_key_gives_locked_on_create_poll_and_download(
    simulator: Simulator, video: Path
) -> None:
    async with simulator.serve() as url:
        wrong = GatewayOptions(name="g", base_url=url, api_key="sk-wrong")
        async with open_gateways([wrong]) as gateways:
            gateway = gateways["g"]
            outcomes = [
                await create(gateway, ordered("sora-2"), ()),
                await gateway.retrieve("video_1"),
                await gateway.content("video_1", None, video),
            ]

    detail = "HTTP 401: invalid_request_error invalid or missing API key"
    assert outcomes == [Locked(Reason.BAD_KEY, detail)] * 3


async def test_a_poll_for_an_unknown_id_answers_missing(gateway: VideosApi) -> None:
    assert await gateway.retrieve("video_of_nobody") == Missing()

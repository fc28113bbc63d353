"""`zoetrope generate` with gateways that fail, and with sounds."""

import asyncio
import json
import signal
import socket
from pathlib import Path

import av
import pytest

from bot.cli import output
from bot.cli.generate import Ticket, generate
from bot.cli.wish import order_for
from bot.cli.words import explain
from bot.core.errors import BotError, Broken, Refused
from bot.core.steps.content import CONTENT_TRIES
from bot.core.wishes import Wish
from bot.simulator.faults import Fault, Operation
from tests.e2e.command_line import configured, generate_here, output_of, probe, started, zoetrope
from tests.e2e.world import WAIT, World, png
from tests.unit.media.samples import write_sound

TROUBLE: dict[str, tuple[Fault, str]] = {
    "busy": (
        Fault("create", "answer", status=429),
        "The gateway main is too busy and did not take the order, so nothing was charged.",
    ),
    "lost answer": (
        Fault("create", "drop"),
        (
            "I lost the connection to the gateway main while sending the order (the connection was"
            " closed). It may have been taken and charged, so I did not send it again."
        ),
    ),
    "bad key": (
        Fault("create", "answer", status=401),
        "The gateway main did not take the order: gateway does not accept the key. It says: ",
    ),
    "bad key at a poll": (
        Fault("retrieve", "answer", status=401),
        (
            "The gateway main took the order but no longer answers us (gateway does"
            " not accept the key)."
            " The video's id there is video_"
        ),
    ),
    "request too large": (
        Fault("create", "answer", status=413),
        (
            "Something in front of the gateway main does not let this request"
            " through because of its"
            " size, although it holds only text. Nothing was charged."
        ),
    ),
    "poor": (
        Fault("create", "answer", status=402),
        "The gateway main did not take the order: account at the gateway is empty. It says: ",
    ),
    "down": (
        Fault("retrieve", "answer", status=502),
        "The gateway main took the order, but has given no usable answer for too long (",
    ),
    "forgotten": (
        Fault("retrieve", "answer", status=404, message="Video not found"),
        (
            "The gateway main took the order, but has given no usable answer for too"
            " long (the gateway says that it does not know"
        ),
    ),
}


@pytest.mark.parametrize(("fault", "words"), TROUBLE.values(), ids=TROUBLE)
async def test_each_fault_of_a_gateway_ends_generate_with_a_sentence_that_describes_the_fault(
    world: World, fault: Fault, words: str
) -> None:
    world.simulator.faults.add(fault, 1_000)
    into = output.named(world.folder / "cat.mp4", overwrite=False)
    with pytest.raises(BotError) as wrong:
        await generate(
            order_for(Wish(prompt="a cat")),
            into=into,
            config=world.config(),
            ticket=Ticket(),
            patience=0.2,
        )
    said = explain(wrong.value)
    assert said.startswith(words)
    assert "(detail" not in said, "no dataclass is a sentence"


@pytest.mark.proof
@pytest.mark.parametrize(
    "trouble",
    [
        *("content-gzip", "content-206", "content-url", "content-webm", "content-tail"),
        *("made-at-once", "made-at-once-video", "content-noise"),  # its link works
    ],
)
async def test_generate_makes_a_playable_file_from_every_kind_of_content_answer(
    world: World, trouble: str
) -> None:
    into = output.named(world.folder / "cat.mp4", overwrite=False)
    await generate(
        order_for(Wish(prompt=f"a cat [{trouble}]")),
        into=into,
        config=world.config(),
        ticket=Ticket(),
    )
    body = into.path.read_bytes()
    assert body[4:8] == b"ftyp"
    with av.open(str(into.path)) as made:
        assert sum(1 for _ in made.decode(video=0)) == 24


@pytest.mark.proof
@pytest.mark.parametrize(
    ("trouble", "words"),
    [("content-noise", "(the video file is damaged"), ("content-html", "")],
)
async def test_generate_refuses_a_damaged_video_at_the_same_try_as_the_service(
    world: World, trouble: str, words: str
) -> None:
    """Noise at every try is refused at the third try. A page that goes away is waited out."""
    if words:
        world.simulator.faults.add(Fault("file", "noise"), 1_000)
    into = output.named(world.folder / "cat.mp4", overwrite=False)
    making = generate(
        order_for(Wish(prompt=f"a cat [{trouble}]")),
        into=into,
        config=world.config(),
        ticket=Ticket(),
    )
    if not words:
        await making
        return
    with pytest.raises(Broken, match="generate_no_content") as wrong:
        await making
    assert words in explain(wrong.value)
    asked = [entry for entry in world.simulator.journal if entry.operation == "content"]
    assert len(asked) == CONTENT_TRIES


@pytest.mark.proof
@pytest.mark.parametrize("is_told", [True, False], ids=["told at the poll", "told at the download"])
async def test_a_video_withheld_by_its_maker_is_reported_as_withheld_and_charged(
    world: World, is_told: bool
) -> None:
    """new-api may report the job as done while its video never exists."""
    prompt = "a cat [moderated-charged]" if is_told else "a cat"
    body = '{"error":{"code":"artifact_not_found","message":"artifact_not_found"}}'
    for operation in () if is_told else ("content", "file"):
        world.simulator.faults.add(Fault(operation, "answer", 404, body=body), 99)
    into = output.named(world.folder / "cat.mp4", overwrite=False)
    with pytest.raises(Broken, match="generate_withheld") as wrong:
        await generate(
            order_for(Wish(prompt=prompt)), into=into, config=world.config(), ticket=Ticket()
        )
    assert "content rules. It was charged all the same" in explain(wrong.value)


@pytest.mark.proof
async def test_generate_with_an_unreachable_gateway_says_that_nothing_was_charged(
    world: World,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    variables = world.written(GATEWAYS__MAIN__BASE_URL=nobody)
    code, said = await zoetrope("generate", "a cat", folder=world.folder, **variables)
    assert code == 1
    assert "I can't reach the gateway main (the connection could not be made)." in said
    assert "Nothing was sent, so nothing was charged." in said


@pytest.mark.proof
async def test_generate_waits_out_three_502_answers(world: World) -> None:
    world.simulator.faults.add(Fault("retrieve", "answer", status=502), 3)
    code, said = await generate_here(world)
    assert code == 0, said


@pytest.mark.proof
@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("retrieve", "main has the order and may finish and charge it. Its id there is video_"),
        ("create", "Interrupted while sending the order: the gateway may have it and charge it."),
    ],
)
async def test_ctrl_c_during_generate_says_what_the_gateway_has(
    world: World, operation: Operation, words: str
) -> None:
    at = configured(world)
    async with world.simulator.holding(operation):
        process = await started("-m", "bot", "generate", "a cat", folder=world.folder, **at)
        async with asyncio.timeout(WAIT):
            await world.simulator.next(operation)
        process.send_signal(signal.SIGINT)
        code, said = await output_of(process)
    assert (code, words in said, "Traceback" in said) == (130, True, False), said


async def test_generate_refuses_a_model_whose_pictures_travel_by_link(world: World) -> None:
    (world.folder / "cat.png").write_bytes(png())
    by_link = '{"sora-2": {"picture": {"transport": "url"}}}'
    with pytest.raises(Refused, match="family_lacks_i2v"):
        await generate(
            order_for(Wish(prompt="a cat", family="sora-2"), [world.folder / "cat.png"]),
            into=output.named(world.folder / "cat.mp4", overwrite=False),
            config=world.config(MODELS=by_link, WEB__PUBLIC_URL="https://videos.example"),
            ticket=Ticket(),
        )
    assert world.simulator.journal == []


SINGER = {
    "wan2.2-s2v": {
        "family": "singer",
        "wire": "wan",
        "kinds": ["s2v"],
        "sizes": {"480p": "480P"},
        "sound": {"least_seconds": 1},
        "places": {"s2v": [["metadata.image_url"], ["metadata.audio_url"]]},
    }
}


@pytest.mark.proof
async def test_generate_makes_a_video_as_long_as_its_sound_and_refuses_another_length(
    world: World,
) -> None:
    (world.folder / "cat.png").write_bytes(png())
    sound = write_sound(world.folder / "voice.ogg", "ogg", "libopus", seconds=1.4)

    async def make(seconds: int) -> None:
        await generate(
            order_for(Wish(prompt="a cat", seconds=seconds), [world.folder / "cat.png"], sound),
            into=output.named(world.folder / "cat.mp4", overwrite=False),
            config=world.config(MODELS=json.dumps(SINGER)),
            ticket=Ticket(),
        )

    with pytest.raises(Refused, match="sound_decides"):
        await make(5)
    await make(2)
    assert world.simulator.journal[0].fields["seconds"] == "2", "the other was never sent"
    assert probe(world.folder / "cat.mp4")[-1] == 2


async def test_generate_refuses_an_unreadable_sound_before_anything_is_sent(world: World) -> None:
    (world.folder / "cat.png").write_bytes(png())
    (world.folder / "voice.mp3").write_bytes(b"<html>")
    for name, code in (("voice.mp3", "sound_format"), ("none.mp3", "file_absent")):
        with pytest.raises(Refused, match=code):
            await generate(
                order_for(Wish(prompt="a cat"), [world.folder / "cat.png"], world.folder / name),
                into=output.named(world.folder / "cat.mp4", overwrite=False),
                config=world.config(MODELS=json.dumps(SINGER)),
                ticket=Ticket(),
            )
    assert world.simulator.journal == []


@pytest.mark.proof
async def test_generate_refuses_a_sound_where_no_model_takes_sounds(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    write_sound(tmp_path / "voice.mp3", "mp3", "libmp3lame")
    code, said = await zoetrope(
        *("generate", "--image", "cat.png", "--audio", "voice.mp3", "--simulate"), folder=tmp_path
    )
    assert (code, "No model here can make a picture speak." in said) == (1, True), said


def test_an_error_code_without_a_text_of_its_own_is_explained_in_a_sentence() -> None:
    said = explain(Broken("bad_storage_key", key="x"))
    assert said.startswith(
        "Something went wrong on my side. If this was an order, I did not take it."
    )
    assert said.endswith("(bad_storage_key)")

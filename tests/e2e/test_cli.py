"""The command line as a person meets it: files that play, sentences, exit codes."""

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import sys
import termios
import zlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from PIL import Image

from bot.cli import output
from bot.cli.generate import Ticket, generate
from bot.cli.wish import order_for
from bot.cli.words import explain
from bot.core.errors import BotError, Broken, Refused
from bot.core.steps.content import CONTENT_TRIES
from bot.core.wishes import Wish
from bot.simulator.faults import Fault, Operation
from tests.conftest import NewUrl
from tests.e2e.forkserver import fork
from tests.e2e.world import WAIT, World, png
from tests.unit.media.samples import write_sound


async def zoetrope(
    *arguments: str, folder: Path, stdin: str = "", **variables: str
) -> tuple[int | None, str]:
    """Run the command in `folder`; its exit code and everything it said."""
    if any(name.startswith("PYTHON") for name in variables):  # they are read once, at a start
        return await _ended(
            await _started("-m", "bot", *arguments, folder=folder, **variables), stdin
        )
    env = {**_inherited(), **variables}
    process = await fork("bot", *arguments, env=env, folder=folder, said=stdin)
    async with asyncio.timeout(3 * WAIT):
        _, said = await process.communicate()
    return process.returncode, said.decode()


async def _started(*arguments: str, folder: Path, **variables: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env={**_inherited(), **variables},
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def _ended(process: Process, stdin: str = "") -> tuple[int | None, str]:
    async with asyncio.timeout(3 * WAIT):
        said, _ = await process.communicate(stdin.encode())
    return process.returncode, said.decode()


@pytest.mark.proof
@pytest.mark.parametrize("after", [0.15, 0.3, 0.9, 1.3, 1.7])
async def test_ctrl_c_leaves_no_traceback_whenever_it_comes(tmp_path: Path, after: float) -> None:
    """A terminal tells the whole group: us while we load, and workers while they start."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "generate", "a cat", "--simulate",
        cwd=tmp_path, env=_inherited(), stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    await asyncio.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    _, said = await _ended(process)
    assert "Traceback" not in said


def _inherited() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("ZOETROPE_")}


def probe(file: Path) -> tuple[str, str, int, int, int]:
    """Video codec, audio codec, width, height and whole seconds."""
    with av.open(str(file), "r") as clip:
        video, audio = clip.streams.video[0], clip.streams.audio[0]
        return (
            video.codec_context.name,
            audio.codec_context.name,
            video.width,
            video.height,
            round((clip.duration or 0) / av.time_base),
        )


async def test_generate_makes_a_playable_file_of_words(tmp_path: Path) -> None:
    code, said = await zoetrope(
        "generate",
        "a red kite over the sea",
        "--simulate",
        "--quality",
        "draft",
        "-o",
        "kite.mp4",
        folder=tmp_path,
    )
    assert (code, probe(tmp_path / "kite.mp4")) == (0, ("h264", "aac", 832, 480, 5)), said
    assert "100%" in said


@pytest.mark.proof
@pytest.mark.parametrize("model", ["sora-2", "wan-2.5"])
async def test_generate_moves_a_picture(tmp_path: Path, model: str) -> None:
    (tmp_path / "sea.png").write_bytes(png("teal", (640, 480)))
    code, said = await zoetrope(
        "generate", "--image", "sea.png", "--model", model, "--simulate", folder=tmp_path
    )
    assert code == 0, said
    codec, *_ = probe(tmp_path / "video.mp4")
    assert codec == "h264"
    with av.open(str(tmp_path / "video.mp4"), "r") as clip:
        middle = next(clip.decode(video=0)).to_image().resize((3, 3)).getpixel((1, 1))  # type: ignore[no-untyped-call]
    assert isinstance(middle, tuple)
    assert middle[1] > 80 > middle[0], "the very picture is what moves"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ["a cat [fail]"],
            "could not make it (against the content rules)",
            marks=pytest.mark.proof,
        ),
        pytest.param(["a cat [refuse]"], "refused it", marks=pytest.mark.proof),
        pytest.param(
            ["a cat", "--seconds", "7"],
            "does not make 7 seconds. It makes 5, 10",
            marks=pytest.mark.proof,
        ),
        (["a cat", "--model", "veo"], "no model “veo” here"),
        pytest.param([" "], "Tell me what the video should show", marks=pytest.mark.proof),
        pytest.param(
            ["--image", "no.png"], "can't use no.png: No such file", marks=pytest.mark.proof
        ),
    ],
)
async def test_what_cannot_be_made_ends_in_one_sentence(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    code, said = await zoetrope("generate", *arguments, "--simulate", folder=tmp_path)
    assert code == 1
    assert words in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("*.mp4"))


@pytest.mark.proof
async def test_generate_uses_the_configured_gateway_and_nothing_else(world: World) -> None:
    variables = {
        name: value
        for name, value in world.written().items()
        if not name.startswith(("ZOETROPE_DISCORD", "ZOETROPE_DATA_DIR"))
    }
    code, said = await zoetrope(
        "generate",
        "a cat",
        "--config",
        str(world.folder / "config.toml"),
        folder=world.folder,
        **variables,
    )
    assert code == 0, said
    assert world.simulator.charges == 1
    assert sorted(path.name for path in world.folder.iterdir()) == ["config.toml", "video.mp4"]


@pytest.mark.proof
async def test_a_wrong_token_is_one_sentence(world: World) -> None:
    code, said = await zoetrope(
        "run",
        "--config",
        str(world.folder / "config.toml"),
        folder=world.folder,
        **world.written(DISCORD__TOKEN="wrong.token.entirely-wrong-and-long-enough"),
    )
    assert code == 1
    assert "Discord does not accept the token" in said
    assert "Traceback" not in said
    assert "entirely-wrong" not in said


# --- before anything is paid ---------------------------------------------------------------------


def _at(world: World) -> dict[str, str]:
    """The configured gateway, with the file beside it."""
    return world.written()


async def _generate(world: World, *arguments: str) -> tuple[int | None, str]:
    file = ("--config", str(world.folder / "config.toml"))
    return await zoetrope("generate", "a cat", *file, *arguments, folder=world.folder, **_at(world))


@pytest.mark.proof
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nowhere/cat.mp4", "I can't write nowhere/cat.mp4: No such file or directory."),
        (".", ". is a folder. Name a file in it with -o."),
        ("config.toml", "config.toml is there already. Name another file with -o, or add --force"),
        ("config.toml/cat.mp4", "I can't write config.toml/cat.mp4: Not a directory."),
    ],
)
async def test_where_nothing_can_be_written_nothing_is_paid(
    world: World, place: str, words: str
) -> None:
    code, said = await _generate(world, "-o", place)
    assert (code, words in said, world.simulator.charges) == (1, True, 0), said
    assert "[models" in (world.folder / "config.toml").read_text()


@pytest.mark.proof
async def test_what_stands_there_is_overwritten_only_when_told(world: World) -> None:
    (world.folder / "cat.mp4").write_text("dear")
    code, said = await _generate(world, "-o", "cat.mp4", "--force")
    assert code == 0, said
    assert probe(world.folder / "cat.mp4")[0] == "h264"


@pytest.mark.proof
async def test_without_a_name_it_takes_one_that_is_free(world: World) -> None:
    (world.folder / "video.mp4").write_text("dear")
    code, said = await _generate(world)
    assert code == 0, said
    assert (world.folder / "video.mp4").read_text() == "dear"
    assert probe(world.folder / "video-2.mp4")[0] == "h264"


@pytest.mark.proof
async def test_a_video_that_cannot_be_written_after_all_is_kept(world: World) -> None:
    code, said = await _generate(world, "-o", "/dev/full", "--force")
    assert code == 1
    assert "I can't write /dev/full (No space left on device)." in said
    kept = Path(said.rpartition("kept here: ")[2].strip())
    assert probe(kept)[0] == "h264"
    kept.unlink()
    kept.parent.rmdir()


# --- what the gateway may do ---------------------------------------------------------------------

TROUBLE: dict[str, tuple[Fault, str]] = {
    "busy": (
        Fault("create", "answer", status=429),
        "The gateway main is too busy and took nothing, so nothing was charged.",
    ),
    "lost": (
        Fault("create", "drop"),
        (
            "I lost the line to the gateway main while handing it over (the connection was cut"
            " off). It may have been taken and charged, so I did not send it again."
        ),
    ),
    "key": (
        Fault("create", "answer", status=401),
        "The gateway main made nothing: gateway does not accept the key. It said: ",
    ),
    "key, later": (
        Fault("retrieve", "answer", status=401),
        (
            "The gateway main took it, but tells us no more (gateway does not accept the key); its"
            " id there is video_"
        ),
    ),
    "large": (
        Fault("create", "answer", status=413),
        (
            "In front of the gateway main, no request of this size is let through, although it"
            " holds nothing but words; nothing was charged."
        ),
    ),
    "poor": (
        Fault("create", "answer", status=402),
        "The gateway main made nothing: account at the gateway is empty. It said: ",
    ),
    "down": (
        Fault("retrieve", "answer", status=502),
        "The gateway main took it, but has not answered usably for too long (",
    ),
    "forgotten": (
        Fault("retrieve", "answer", status=404, message="Video not found"),
        "The gateway main took it, but has not answered usably for too long (it does not know",
    ),
}


@pytest.mark.parametrize(("fault", "words"), TROUBLE.values(), ids=TROUBLE)
async def test_every_trouble_ends_in_a_sentence_that_is_true(
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
        *("made-at-once", "made-at-once-video", "content-noise"),  # whose link is whole
    ],
)
async def test_a_video_in_any_envelope_becomes_a_file_that_plays(
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
    [("content-noise", "(the video that it sends is damaged"), ("content-html", "")],
)
async def test_the_terminal_judges_a_file_as_the_service_does(
    world: World, trouble: str, words: str
) -> None:
    """Noise everywhere is refused at the third time; a page that goes away is waited out."""
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
@pytest.mark.parametrize("is_told", [True, False], ids=["with the job", "at the download alone"])
async def test_a_video_that_its_maker_keeps_back_is_told_as_that_and_as_charged(
    world: World, is_told: bool
) -> None:
    """As new-api does it: the job may look well, and only its video is never there."""
    prompt = "a cat [moderated-charged]" if is_told else "a cat"
    body = '{"error":{"code":"artifact_not_found","message":"artifact_not_found"}}'
    for operation in () if is_told else ("content", "file"):
        world.simulator.faults.add(Fault(operation, "answer", 404, body=body), 99)
    into = output.named(world.folder / "cat.mp4", overwrite=False)
    with pytest.raises(Broken, match="generate_withheld") as wrong:
        await generate(
            order_for(Wish(prompt=prompt)), into=into, config=world.config(), ticket=Ticket()
        )
    assert "content rules stand in the way. It was charged all the same" in explain(wrong.value)


@pytest.mark.proof
async def test_a_gateway_that_is_not_there_took_nothing(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    variables = world.written(GATEWAYS__MAIN__BASE_URL=nobody)
    code, said = await zoetrope("generate", "a cat", folder=world.folder, **variables)
    assert code == 1
    assert "The gateway main can't be reached (no connection)." in said
    assert "Nothing was sent, so nothing was charged." in said


@pytest.mark.proof
async def test_a_short_trouble_is_waited_out(world: World) -> None:
    world.simulator.faults.add(Fault("retrieve", "answer", status=502), 3)
    code, said = await _generate(world)
    assert code == 0, said


@pytest.mark.proof
@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("retrieve", "main has taken it and may finish and charge it: its id there is video_"),
        ("create", "Interrupted while handing it over: it may have been taken, and charged."),
    ],
)
async def test_who_interrupts_is_told_what_the_gateway_has(
    world: World, operation: Operation, words: str
) -> None:
    at = _at(world)
    async with world.simulator.holding(operation):
        process = await _started("-m", "bot", "generate", "a cat", folder=world.folder, **at)
        async with asyncio.timeout(WAIT):
            await world.simulator.next(operation)
        process.send_signal(signal.SIGINT)
        code, said = await _ended(process)
    assert (code, words in said, "Traceback" in said) == (130, True, False), said


async def test_what_only_the_service_could_serve_is_not_sent_from_here(world: World) -> None:
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
async def test_generate_makes_a_picture_speak_for_as_long_as_the_sound(world: World) -> None:
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


async def test_a_sound_that_cannot_be_had_is_refused_before_it_costs(world: World) -> None:
    (world.folder / "cat.png").write_bytes(png())
    (world.folder / "voice.mp3").write_bytes(b"<html>")
    for name, code in (("voice.mp3", "sound_format"), ("none.mp3", "sound_unreadable")):
        with pytest.raises(Refused, match=code):
            await generate(
                order_for(Wish(prompt="a cat"), [world.folder / "cat.png"], world.folder / name),
                into=output.named(world.folder / "cat.mp4", overwrite=False),
                config=world.config(MODELS=json.dumps(SINGER)),
                ticket=Ticket(),
            )
    assert world.simulator.journal == []


@pytest.mark.proof
async def test_a_sound_is_refused_where_no_model_takes_any(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    write_sound(tmp_path / "voice.mp3", "mp3", "libmp3lame")
    code, said = await zoetrope(
        *("generate", "--image", "cat.png", "--audio", "voice.mp3", "--simulate"), folder=tmp_path
    )
    assert (code, "None of the models here makes a picture speak." in said) == (1, True), said


def test_a_code_without_a_sentence_is_still_a_sentence() -> None:
    said = explain(Broken("bad_storage_key", key="x"))
    assert said.startswith("Something went wrong on my side.")
    assert said.endswith("(bad_storage_key)")


# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_a_photo_that_lies_on_its_side_makes_an_upright_video(world: World) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (400, 300), "teal").save(world.folder / "photo.jpg", exif=exif)
    code, said = await _generate(world, "--image", "photo.jpg", "--model", "sora-2")
    assert code == 0, said
    _, _, width, height, _ = probe(world.folder / "video.mp4")
    assert (width, height) == (72, 128)


@pytest.mark.proof
@pytest.mark.parametrize("side", [20_000, 10_000])
async def test_a_picture_of_too_many_pixels_is_refused_unread(tmp_path: Path, side: int) -> None:
    (tmp_path / "bomb.png").write_bytes(_png_header(side))
    code, said = await zoetrope("generate", "--image", "bomb.png", "--simulate", folder=tmp_path)
    size = side * side // 1_000_000
    assert (code, said) == (
        1,
        f"That picture has {size} megapixels; I take up to 65. Make it smaller first.\n",
    )


def _png_header(side: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = (head, b"IDAT", b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


# --- where it goes, and what it is told of -------------------------------------------------------


@pytest.mark.proof
async def test_a_reader_that_leaves_and_a_full_disk_leave_no_traceback(world: World) -> None:
    async with world.app():
        pass
    variables = world.written()
    for command in ("jobs list --json", "models", "--help"):
        for into, words in (("| true", ""), ("> /dev/full", "No space left on device")):
            line = f'{{ "$0" -m bot {command}; echo "ended $?" >&2; }} {into}'
            said = await _shell(line, folder=world.folder, **variables)
            assert said.endswith("ended 1\n"), said
            assert words in said
            assert said.count("\n") == (2 if words else 1), said


async def _shell(line: str, *, folder: Path, **variables: str) -> str:
    """A shell's words on standard error, with its pipes as it lays them."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", line, sys.executable),
        cwd=folder,
        env={**_inherited(), **variables},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(6 * WAIT):
        _, said = await process.communicate()
    return said.decode()


# --- mistakes ------------------------------------------------------------------------------------

MISTAKES: dict[str, tuple[dict[str, str], int, str]] = {
    "a file for a folder": (
        {"DATA_DIR": "/dev/null/x"},
        78,
        "data_dir is /dev/null/x, but /dev/null is no folder that I may write to.",
    ),
    "a folder of the kernel's": ({"DATA_DIR": "/proc/zoetrope"}, 1, "I can't use /proc/zoetrope"),
    "no address of a database": ({"DATABASE_URL": "foo"}, 78, "database_url has to be sqlite:"),
    "nobody there": (
        {"DATABASE_URL": "postgresql+asyncpg://bot:canary@127.0.0.1:1/zoetrope"},
        75,
        "The database at 127.0.0.1:1 can't be reached (Connection refused).",
    ),
    "no such host": (
        {"DATABASE_URL": "postgresql+asyncpg://bot:canary@nobody.invalid/zoetrope"},
        75,
        "The database at nobody.invalid:5432 can't be reached",
    ),
    "no storage": ({"STORAGE_URL": "foo://bar"}, 78, "storage_url has to be a folder, or a bucket"),
    "another machine's address": (
        {"WEB__HOST": "192.0.2.1"},
        1,
        "192.0.2.1 is no address of this machine",
    ),
}


@pytest.mark.proof
@pytest.mark.parametrize(("changes", "code", "words"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_of_the_operator_is_one_sentence(
    world: World, changes: dict[str, str], code: int, words: str
) -> None:
    ended, said = await zoetrope("run", folder=world.folder, **world.written(**changes))
    assert (ended, said.startswith(words), said.count("\n")) == (code, True, 1), said
    assert "canary" not in said


@pytest.mark.proof
async def test_a_database_that_lets_nobody_in_is_one_sentence(
    world: World, new_postgres_url: NewUrl
) -> None:
    url = (await new_postgres_url()).replace("/test", "/nothing-like-test", 1)
    code, said = await zoetrope("run", folder=world.folder, **world.written(DATABASE_URL=url))
    assert code == 1
    assert said.startswith("The database says: ")
    assert said.count("\n") == 1


@pytest.mark.proof
async def test_a_full_disk_is_not_called_a_damaged_database(world: World) -> None:
    """A limit on the size of files stops SQLite where a full disk would."""
    command = 'ulimit -f 1; exec "$0" -m bot run'
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        command,
        sys.executable,
        cwd=world.folder,
        env={**_inherited(), **world.written()},
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    code, said = await _ended(process)
    assert code == 1
    assert "can't be read or written (disk I/O error). The disk may be full" in said
    assert "damaged" not in said


@pytest.mark.proof
async def test_postgresql_without_its_driver_says_what_to_install(world: World) -> None:
    without = "import sys; sys.modules['asyncpg'] = None; sys.argv = ['zoetrope', 'check']"
    url = "postgresql+asyncpg://bot@db/zoetrope"
    process = await _started(
        "-c",
        f"{without}\nfrom bot.cli import main\nmain()",
        folder=world.folder,
        **world.written(DATABASE_URL=url),
    )
    assert await _ended(process) == (
        78,
        (
            "database_url names PostgreSQL, but its driver is not installed."
            " In the folder of the sources, run: .venv/bin/pip install '.[postgres]'\n"
        ),
    )


@pytest.mark.proof
async def test_the_simulator_says_why_it_cannot_listen(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, said = await zoetrope("simulator", "--port", port, folder=tmp_path)
    assert (code, said.startswith(f"Something else listens at 127.0.0.1:{port}.")) == (1, True)
    code, said = await zoetrope("simulator", "--host", "192.0.2.1", folder=tmp_path)
    assert (code, said.startswith("192.0.2.1 is no address of this machine")) == (1, True)
    code, said = await zoetrope("simulator", "--port", "99999", folder=tmp_path)
    assert (code, "--port" in said, "Traceback" in said) == (2, True, False)


@pytest.mark.proof
async def test_the_table_of_models_cuts_no_name(world: World) -> None:
    """Not even one that is longer than a terminal is wide."""
    name = "wan-" + "long-" * 20 + "t2v"
    mine = (
        f"[models.{name}]\nfamily = 'mine'\nkinds = ['t2v']\nseconds = [1]\nprompt_limit = 9\n"
        "sizes = { 720p = '720P' }\n"
    )
    variables = world.written()
    file = world.folder / "config.toml"
    file.write_text(mine)
    models = ("models", "--config", str(file))
    _, said = await zoetrope(*models, folder=world.folder, **variables)
    assert len([line for line in said.splitlines() if name in line]) == 1
    assert len([line for line in said.splitlines() if "wan2.5-t2v-preview" in line]) == 1
    async with _terminal(*models, folder=world.folder, **variables) as terminal:
        folded = await terminal.rest()
    assert "…" not in folded
    lines = re.sub(r"\x1b\[\d*m", "", folded).splitlines()
    start, end = lines[0].index("Wire"), lines[0].index("Kind")
    assert name in "".join(line[start:end].strip() for line in lines)


@pytest.mark.proof
async def test_the_table_of_models_shows_what_they_can_and_how_pictures_travel(
    tmp_path: Path,
) -> None:
    gateway = {"BASE_URL": "https://gateway.example", "API_KEY": "sk"}
    variables = {f"ZOETROPE_GATEWAYS__MAIN__{name}": value for name, value in gateway.items()}
    prices = (
        '[models."wan2.5-i2v-preview"]\nprice = { 480p = 0.05, 720p = 0.1, 1080p = 0.15 }\n'
        "[models.sora-2]\nprice = 0.2\n"
    )
    (tmp_path / "config.toml").write_text(prices)
    _, said = await zoetrope("models", folder=tmp_path, **variables)
    (line,) = [line for line in said.splitlines() if "wan2.5-i2v-preview" in line]
    assert "480p 720p 1080p" in line
    assert re.search(r" main new-api +data-uri *$", line)
    assert " 0.05 – 0.15 " in line
    assert " 0.2 " in said
    assert " USD/s " in said.splitlines()[0]


# --- a real terminal -----------------------------------------------------------------------------


class Terminal:
    """A person's screen and keys."""

    def __init__(self, process: Process, master: int, screen: asyncio.StreamReader) -> None:
        self.process = process
        self._master = master
        self._screen = screen

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    async def until(self, words: str) -> str:
        """Everything up to and with these words."""
        async with asyncio.timeout(WAIT):
            return (await self._screen.readuntil(words.encode())).decode()

    async def rest(self) -> str:
        """Everything until the program has ended."""
        said = b""
        async with asyncio.timeout(WAIT):
            try:
                while chunk := await self._screen.read(4096):
                    said += chunk
            except OSError:
                pass  # that is how a terminal tells that nobody writes any more
            await self.process.wait()
        return said.decode()


@asynccontextmanager
async def _terminal(*arguments: str, folder: Path, **variables: str) -> AsyncIterator[Terminal]:
    """The command in the foreground of a terminal of its own, 80 columns wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    # Ctrl-C reaches whoever has the terminal as its own, which one becomes by asking.
    take = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        take + "os.execv(sys.executable, [sys.executable, '-m', 'bot', *sys.argv[1:]])",
        *arguments,
        cwd=folder,
        env={**_inherited(), "TERM": "xterm", "COLUMNS": "80", **variables},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    screen = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(screen), os.fdopen(master, "rb", 0, closefd=False)
    )
    try:
        yield Terminal(process, master, screen)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        pipe.close()
        os.close(master)


@pytest.mark.proof
async def test_ctrl_c_in_a_terminal_ends_the_demo_with_everything_it_began(tmp_path: Path) -> None:
    async with _terminal("demo", "--no-browser", "--port", "0", folder=tmp_path) as terminal:
        await terminal.until("Ctrl-C closes it")
        terminal.type("\x03")
        said = await terminal.rest()
        assert (terminal.process.returncode, "Traceback" in said) == (0, False), said
        assert said.rstrip().endswith("Goodbye.")

"""The command line as a person meets it: files that play, sentences, exit codes."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import av
import pytest

from tests.e2e.world import WAIT, World, png


async def zoetrope(
    *arguments: str, folder: Path, stdin: str = "", **variables: str
) -> tuple[int | None, str]:
    """Run the command in `folder`; its exit code and everything it said."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ZOETROPE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=folder,
        env={**inherited, **variables},
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(3 * WAIT):
        said, _ = await process.communicate(stdin.encode())
    return process.returncode, said.decode()


def probe(file: Path) -> tuple[str, str, int, int, int]:
    """Video codec, audio codec, width, height and whole seconds."""
    with av.open(str(file), "r") as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        return (
            video.codec_context.name,
            audio.codec_context.name,
            video.width,
            video.height,
            round((film.duration or 0) / av.time_base),
        )


async def test_generate_makes_a_playable_file_of_words(tmp_path: Path) -> None:
    code, said = await zoetrope(
        "generate",
        "a red kite over the sea",
        "--simulate",
        "--quality",
        "480p",
        "-o",
        "kite.mp4",
        folder=tmp_path,
    )
    assert (code, probe(tmp_path / "kite.mp4")) == (0, ("h264", "aac", 832, 480, 5)), said
    assert "100%" in said


@pytest.mark.parametrize("model", ["sora-2", "wan-2.5"])
async def test_generate_moves_a_picture(tmp_path: Path, model: str) -> None:
    (tmp_path / "sea.png").write_bytes(png("teal", (640, 480)))
    code, said = await zoetrope(
        "generate", "--image", "sea.png", "--model", model, "--simulate", folder=tmp_path
    )
    assert code == 0, said
    codec, *_ = probe(tmp_path / "video.mp4")
    assert codec == "h264"
    with av.open(str(tmp_path / "video.mp4"), "r") as film:
        middle = next(film.decode(video=0)).to_image().resize((3, 3)).getpixel((1, 1))  # type: ignore[no-untyped-call]
    assert isinstance(middle, tuple)
    assert middle[1] > 80 > middle[0], "the very picture is what moves"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a cat [fail]"], "could not make it (moderated)"),
        (["a cat [refuse]"], "refused it"),
        (["a cat", "--seconds", "7"], "does not make 7 seconds. It makes 5, 10"),
        (["a cat", "--model", "veo"], "no model “veo” here"),
        ([" "], "Tell me what the video should show"),
        (["--image", "no.png"], "can't read no.png"),
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


async def test_the_demo_takes_prompts_and_pictures_until_the_input_ends(tmp_path: Path) -> None:
    (tmp_path / "sea.png").write_bytes(png("teal"))
    code, said = await zoetrope(
        "demo", folder=tmp_path, stdin="a cat [refuse]\n@no.png wave\n@sea.png wave\n"
    )
    assert code == 0, said
    assert "refused it" in said
    assert "can't read no.png" in said
    assert probe(tmp_path / "wave.mp4")[0] == "h264"


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

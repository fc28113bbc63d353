"""`zoetrope generate` as a person uses it: files that play, sentences, exit codes."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import av
import pytest

from tests.e2e.command_line import generate_here, inherited, output_of, probe, zoetrope
from tests.e2e.world import World, png


@pytest.mark.proof
@pytest.mark.parametrize("after", [0.15, 0.3, 0.9, 1.3, 1.7])
async def test_generate_ends_without_a_traceback_whenever_ctrl_c_comes(
    tmp_path: Path, after: float
) -> None:
    """A terminal sends SIGINT to the whole process group: to us while we load, and to workers while
    they start.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "generate", "a cat", "--simulate",
        cwd=tmp_path, env=inherited(), stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    await asyncio.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    _, said = await output_of(process)
    assert "Traceback" not in said


async def test_generate_makes_a_playable_file_from_a_prompt(tmp_path: Path) -> None:
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
async def test_generate_animates_a_picture(tmp_path: Path, model: str) -> None:
    (tmp_path / "sea.png").write_bytes(png("teal", (640, 480)))
    code, said = await zoetrope(
        "generate", "--image", "sea.png", "--model", model, "--simulate", folder=tmp_path
    )
    assert code == 0, said
    codec, *_ = probe(tmp_path / "video.mp4")
    assert codec == "h264"
    with av.open(str(tmp_path / "video.mp4"), "r") as video:
        middle = next(video.decode(video=0)).to_image().resize((3, 3)).getpixel((1, 1))  # type: ignore[no-untyped-call]
    assert isinstance(middle, tuple)
    assert middle[1] > 80 > middle[0], "the very picture is what moves"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ["a cat [fail]"],
            "could not make the video (against the content rules)",
            marks=pytest.mark.proof,
        ),
        pytest.param(["a cat [refuse]"], "refused the order", marks=pytest.mark.proof),
        pytest.param(
            ["a cat", "--seconds", "7"],
            "does not make 7 seconds. You can choose 5 or 10",
            marks=pytest.mark.proof,
        ),
        (["a cat", "--model", "veo"], "no model “veo” here"),
        pytest.param(
            [" "],
            'what the video should show, for example: zoetrope generate "a cat on the moon"',
            marks=pytest.mark.proof,
        ),
        pytest.param(["--image", "no.png"], "There is no file no.png.", marks=pytest.mark.proof),
    ],
)
async def test_a_video_that_generate_cannot_make_ends_in_one_sentence(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    code, said = await zoetrope("generate", *arguments, "--simulate", folder=tmp_path)
    assert code == 1
    assert words in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("*.mp4"))


@pytest.mark.proof
async def test_generate_uses_the_configured_gateway_and_leaves_no_other_file(world: World) -> None:
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
async def test_run_with_a_wrong_token_ends_in_one_sentence(world: World) -> None:
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


@pytest.mark.proof
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nowhere/cat.mp4", "I can't write nowhere/cat.mp4: No such file or directory."),
        (".", ". is a folder. Name a file in it with -o."),
        ("config.toml", "config.toml already exists. Name another file with -o, or add --force"),
        ("config.toml/cat.mp4", "I can't write config.toml/cat.mp4: Not a directory."),
    ],
)
async def test_generate_pays_nothing_if_the_output_file_cannot_be_written(
    world: World, place: str, words: str
) -> None:
    code, said = await generate_here(world, "-o", place)
    assert (code, words in said, world.simulator.charges) == (1, True, 0), said
    assert "[models" in (world.folder / "config.toml").read_text()


@pytest.mark.proof
async def test_generate_overwrites_an_existing_file_with_force(world: World) -> None:
    (world.folder / "cat.mp4").write_text("dear")
    code, said = await generate_here(world, "-o", "cat.mp4", "--force")
    assert code == 0, said
    assert probe(world.folder / "cat.mp4")[0] == "h264"


@pytest.mark.proof
async def test_generate_without_an_output_name_takes_a_free_name(world: World) -> None:
    (world.folder / "video.mp4").write_text("dear")
    code, said = await generate_here(world)
    assert code == 0, said
    assert (world.folder / "video.mp4").read_text() == "dear"
    assert probe(world.folder / "video-2.mp4")[0] == "h264"


@pytest.mark.proof
async def test_a_video_that_cannot_be_written_to_the_output_is_kept_elsewhere(world: World) -> None:
    code, said = await generate_here(world, "-o", "/dev/full", "--force")
    assert code == 1
    assert "I can't write /dev/full (No space left on device)." in said
    kept = Path(said.rpartition("is here: ")[2].strip())
    assert probe(kept)[0] == "h264"
    kept.unlink()
    kept.parent.rmdir()

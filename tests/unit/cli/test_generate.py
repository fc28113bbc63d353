"""The order that `zoetrope generate` makes of its options, and the file that it writes."""

import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.cli.generate import Ticket, generate, hand_over, ordered, receive
from bot.cli.output import Output
from bot.cli.wish import order_for
from bot.cli.words import explain
from bot.config import load
from bot.config.discoveries import keep
from bot.core.errors import Broken, Refused
from bot.core.jobs import Video
from bot.core.wishes import Choice, Wish, wish_of
from bot.media.judging import judge
from bot.media.studio import Studio
from bot.media.videos import see
from tests.unit.cli.test_software import found, written
from tests.unit.media.samples import png_chunk, png_of, write_clip


def test_a_wish_from_the_command_line_becomes_an_order_with_its_pictures(tmp_path: Path) -> None:
    picture = tmp_path / "sea.png"
    Image.new("RGB", (64, 36)).save(picture)
    wish = Wish(prompt="a cat", family="wan-2.5")
    order = order_for(wish, (picture, picture))
    assert order.wish == wish
    assert [(each.width, each.height) for each in order.pictures] == [(64, 36)] * 2


def test_the_order_is_described_with_every_option_that_was_chosen(tmp_path: Path) -> None:
    """The description is in plain words, apart from the model's name on the wire.

    It includes the default for sound.
    """
    names = ("wan2.6-t2v", "doubao-seedance-1-5-pro-251215")
    keep(tmp_path, "main", found("new-api", "C", *names))
    config = load(written(tmp_path, '[models."wan2.6-t2v"]\nprice = 0.1\n'))

    def told(family: str = "wan-2.6", **wish: Choice) -> list[str]:
        order = order_for(wish_of("a cat", model=family, **wish))
        _, request = config.catalog.choose(order)
        return ordered(order, request, config.catalog.cost(request, "USD")).splitlines()

    assert told() == ["Wan 2.6 (wan2.6-t2v) · 5 s · 16:9 · 720p", "Costs 0.50 USD"]
    assert told("seedance")[1:] == ["With sound"]
    assert told("seedance", sound=False)[1:] == ["Without sound"]
    switches: dict[str, Any] = {"enhance": True, "watermark": True}
    assert told(aspect="9:16", negative=" fog ", seed=7, preset="orbit", **switches) == [
        "Wan 2.6 (wan2.6-t2v) · 5 s · 9:16 · 720p",
        "The model may add to your prompt",
        "With a watermark",
        "Without: fog",
        "Seed 7",
        f"Prompt sent: “{config.catalog.presets['orbit'].prompt} a cat”",
        "Costs 0.50 USD",
    ]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"family": "MiniMax-Hailuo-2.3"}, "Set gateways.main.plugins.hailuo"),
        ({"family": "hailuo"}, "Set gateways.main.plugins.hailuo"),
        ({"family": "kling", "pictures": 1}, "set gateways.main.plugins.kling"),
        ({"family": "kling-v1", "pictures": 2}, "Kling (i2v, kf2v) is held back at gateway main"),
        ({"family": "veo"}, "There is no model “veo” here. You can choose Kling or Sora 2."),
        ({"family": None, "pictures": 2}, "Kling (i2v, kf2v) is held back at gateway main"),
        (
            {"family": "sora-2", "pictures": 2},
            "No model here goes from one picture to",
        ),
    ],
)
async def test_a_model_that_is_held_back_is_not_called_missing(
    tmp_path: Path, wish: dict[str, Any], words: str
) -> None:
    picture = tmp_path / "sea.png"
    Image.new("RGB", (640, 360)).save(picture)
    keep(tmp_path, "main", found("new-api", "C", "kling-v1", "sora-2", "MiniMax-Hailuo-2.3"))
    words_alone = Wish(prompt="a cat", family=wish["family"])
    wanted = order_for(words_alone, (picture,) * wish.get("pictures", 0))
    with pytest.raises(Refused) as refused:
        await generate(
            wanted, into=Output(tmp_path / "x"), config=load(written(tmp_path)), ticket=Ticket()
        )
    said = explain(refused.value)
    assert words.casefold() in said.casefold()
    assert ("is held back" in said) is (wish["family"] not in ("veo", "sora-2"))


async def test_behind_an_older_relay_the_error_names_the_setting_of_the_generation(
    tmp_path: Path,
) -> None:
    picture = tmp_path / "sea.png"
    Image.new("RGB", (640, 360)).save(picture)
    keep(tmp_path, "main", found("new-api", "B", "kling-v1"))
    order = order_for(Wish(prompt="a cat", family="kling"), [picture])
    config = load(written(tmp_path))
    with pytest.raises(Refused) as refused:
        await generate(order, into=Output(tmp_path / "x"), config=config, ticket=Ticket())
    assert 'set gateways.main.generation = "B".' in explain(refused.value)


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("none.png", "file_absent", None),
        (".", "file_unusable", "Is a directory"),
        ("words.png", "picture_unreadable", None),
    ],
)
def test_a_missing_picture_file_is_not_called_an_unknown_format(
    tmp_path: Path, name: str, code: str, why: str | None
) -> None:
    (tmp_path / "words.png").write_text("words")
    with pytest.raises(Refused) as refused:
        order_for(Wish(prompt="a cat"), [tmp_path / name])
    assert (refused.value.code, refused.value.values.get("why")) == (code, why)


async def test_an_order_without_a_prompt_is_refused_with_an_example(tmp_path: Path) -> None:
    keep(tmp_path, "main", found("new-api", "C", "wan2.6-t2v"))
    config = load(written(tmp_path))
    with pytest.raises(Refused) as refused:
        await generate(
            order_for(Wish()), into=Output(tmp_path / "x"), config=config, ticket=Ticket()
        )
    assert 'for example: zoetrope generate "a cat on the moon"' in explain(refused.value)


async def test_a_video_that_came_as_the_answer_is_written_out_although_the_work_folder_fails(
    tmp_path: Path,
) -> None:
    clip, into = tmp_path / "answer", Output(tmp_path / "cat.mp4")
    clip.write_bytes(b"a video!!")
    async with Studio(tmp_path / "data") as studio:
        (tmp_path / "data" / "media" / "originals").touch()
        with pytest.raises(Broken, match="generate_as_it_came"):
            await receive(studio, clip, into)
    assert into.path.read_bytes() == b"a video!!"


async def _kept(studio: Studio, clip: Path) -> Video:
    """Keep a video, and convert it if it does not play."""
    video = await studio.keep_video(clip)
    return video if video.plays else await studio.convert(video)


@pytest.mark.parametrize(
    ("codec", "container", "said"),
    [
        ("libx265", "mov", "converted it to H.264 and AAC"),
        ("libx264", "matroska", "put the same pictures and sound into an MP4"),
    ],
)
async def test_a_converted_video_is_written_out_with_its_original_beside_it(
    tmp_path: Path, codec: str, container: str, said: str
) -> None:
    clip, into = write_clip(tmp_path / "video", codec, container), Output(tmp_path / "cat.mp4")
    before = clip.read_bytes()
    async with Studio(tmp_path / "data") as studio:
        [remark] = await hand_over(studio, await _kept(studio, clip), into)
    assert judge(see(into.path)).reasons == ()
    suffix = {"mov": "mov", "matroska": "mkv"}[container]
    assert (tmp_path / f"cat.original.{suffix}").read_bytes() == before
    assert said in remark
    assert f"cat.original.{suffix}" in remark


@pytest.mark.proof
async def test_a_video_that_cannot_be_converted_is_written_out_as_it_came(tmp_path: Path) -> None:
    clip, into = write_clip(tmp_path / "video", "libx265", "mov"), Output(tmp_path / "cat.mp4")
    before = clip.read_bytes()
    async with Studio(tmp_path / "data", patience=0.0) as studio:
        other, remark = await hand_over(studio, await _kept(studio, clip), into)
    assert into.path.read_bytes() == before
    assert "of the kind MOV" in other
    assert "the file is the original" in remark
    assert list(tmp_path.glob("cat.*")) == [into.path]


async def test_a_video_that_plays_everywhere_is_written_out_without_a_remark(
    tmp_path: Path,
) -> None:
    clip = write_clip(tmp_path / "video", "libx264", "mp4", flags="+faststart")
    before, into = clip.read_bytes(), Output(tmp_path / "cat.mp4")
    async with Studio(tmp_path / "data") as studio:
        assert await hand_over(studio, await _kept(studio, clip), into) == []
    assert into.path.read_bytes() == before


@pytest.mark.parametrize("name", ["cat.webm", "cat.mov", "cat.MP4", "cat"])
async def test_an_output_name_with_the_suffix_of_another_container_gets_a_remark(
    tmp_path: Path, name: str
) -> None:
    clip = write_clip(tmp_path / "video", "libx264", "mp4", flags="+faststart")
    async with Studio(tmp_path / "data") as studio:
        remarks = await hand_over(studio, await _kept(studio, clip), Output(tmp_path / name))
    is_another = name in ("cat.webm", "cat.mov")
    assert ["of the kind MP4" in remark for remark in remarks] == [True] * is_another


@pytest.mark.parametrize(
    ("size", "code"),
    [((1080, 9600), None), ((8064, 6048), None), ((9000, 9000), "picture_too_many_pixels")],
)
def test_a_picture_is_refused_only_for_a_limit_that_it_exceeds(
    tmp_path: Path, size: tuple[int, int], code: str | None
) -> None:
    """Three megabytes of text inside the file break no limit, and the file needs no suffix."""
    file = tmp_path / "picture"
    text = png_chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(3_000_000)))
    body = png_of(*size)
    file.write_bytes(body[:33] + text + body[33:])
    if code is None:
        (picture,) = order_for(Wish(prompt="a cat"), [file]).pictures
        assert (picture.width, picture.height) == size
    else:
        with pytest.raises(Refused, match=code):
            order_for(Wish(prompt="a cat"), [file])

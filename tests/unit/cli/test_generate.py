"""The wish of a command line, as the catalogue takes it."""

from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from bot.cli.generate import receive
from bot.cli.output import Output
from bot.cli.wish import Wish, order_for
from bot.core.errors import Broken, Refused
from bot.core.orders import Shaping
from bot.media.studio import Studio


def test_a_wish_becomes_the_order_that_was_meant(tmp_path: Path) -> None:
    picture = tmp_path / "sea.png"
    Image.new("RGB", (64, 36)).save(picture)
    wish = Wish(
        prompt="a cat",
        pictures=(picture, picture),
        family="wan-2.5",
        seconds=5,
        aspect="9:16",
        quality="draft",
        fit="pad",
        preset="orbit",
        negative="rain",
        seed=7,
        switches={"sound": False, "enhance": None, "watermark": True},
    )
    order = asdict(order_for(wish))
    assert {
        "prompt": "a cat",
        "family": "wan-2.5",
        "seconds": 5,
        "aspect": "9:16",
        "quality": "draft",
        "fit": Shaping.PAD,
        "preset": "orbit",
        "negative_prompt": "rain",
        "seed": 7,
        "audio": False,
        "prompt_extend": None,
        "watermark": True,
    }.items() <= order.items()
    assert [(each["width"], each["height"]) for each in order["pictures"]] == [(64, 36)] * 2


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("none.png", "file_unusable", "No such file or directory"),
        (".", "file_unusable", "Is a directory"),
        ("words.png", "picture_unreadable", None),
    ],
)
def test_a_file_that_is_not_there_is_not_called_an_unknown_format(
    tmp_path: Path, name: str, code: str, why: str | None
) -> None:
    (tmp_path / "words.png").write_text("words")
    with pytest.raises(Refused) as refused:
        order_for(Wish(prompt="a cat", pictures=(tmp_path / name,)))
    assert (refused.value.code, refused.value.values.get("why")) == (code, why)


async def test_a_video_that_came_as_the_answer_is_written_out_where_no_room_is_left_for_work(
    tmp_path: Path,
) -> None:
    film, into = tmp_path / "answer", Output(tmp_path / "cat.mp4")
    film.write_bytes(b"a video!!")
    async with Studio(tmp_path / "data") as studio:
        (tmp_path / "data" / "media" / "originals").touch()
        with pytest.raises(Broken, match="generate_as_it_came"):
            await receive(studio, film, into)
    assert into.path.read_bytes() == b"a video!!"

"""What is asked for on the command line, as the catalogue takes it."""

from dataclasses import asdict
from pathlib import Path

from PIL import Image

from bot.cli.generate import Wish, order_for
from bot.core.orders import Shaping


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
    }.items() <= order.items()
    assert [(each["width"], each["height"]) for each in order["pictures"]] == [(64, 36)] * 2

"""The tables of Alibaba's plugin: Wan's models, their sizes, and the media that they take."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bot.simulator.models import WAN_SIZES
from bot.simulator.plugins.plugin import Shot
from bot.simulator.plugins.values import text
from bot.simulator.vendors import wan
from bot.simulator.vendors.limits import PictureRules


@dataclass(frozen=True, slots=True)
class WanModel:
    """A Wan model. `kind` says which fields its pictures and size go to; `usual` is its default
    tier."""

    kind: str
    tiers: tuple[str, ...]
    seconds: Collection[int]
    usual: str = "1080P"


SMALL, LARGE, ALL = ("480P", "720P"), ("720P", "1080P"), ("480P", "720P", "1080P")
NO_HD = ("480P", "1080P")
TO_15, FIVES = range(2, 16), (5, 10, 15)
MODELS: Mapping[str, WanModel] = {
    "wan3.0-video": WanModel("all", ALL, range(2, 31)),
    "wan3.0-video-prime": WanModel("all", ALL, range(2, 31)),
    "wan2.7-t2v": WanModel("t2v", LARGE, TO_15),
    "wan2.7-t2v-2026-04-25": WanModel("t2v", LARGE, TO_15),
    "wan2.7-t2v-2026-06-12": WanModel("t2v", LARGE, TO_15),
    "wan2.7-i2v": WanModel("media", LARGE, TO_15),
    "wan2.7-i2v-2026-04-25": WanModel("media", LARGE, TO_15),
    "wan2.6-t2v": WanModel("size", LARGE, TO_15),
    "wan2.6-t2v-us": WanModel("size", LARGE, FIVES),
    "wan2.6-i2v": WanModel("image", LARGE, TO_15),
    "wan2.6-i2v-flash": WanModel("image", LARGE, TO_15),
    "wan2.6-i2v-us": WanModel("image", LARGE, FIVES),
    "wan2.5-t2v-preview": WanModel("size", ALL, (5, 10)),
    "wan2.5-i2v-preview": WanModel("image", ALL, (5, 10)),
    "wan2.2-t2v-plus": WanModel("size", NO_HD, (5,)),
    "wan2.2-i2v-flash": WanModel("image", ALL, (5,), "720P"),
    "wan2.2-i2v-plus": WanModel("image", NO_HD, (5,)),
    "wan2.2-kf2v-flash": WanModel("frames", ALL, (5,), "720P"),
    "wan2.2-s2v": WanModel("speech", SMALL, range(1, 20), "480P"),
    "wanx2.1-t2v-plus": WanModel("size", ("720P",), (5,), "720P"),
    "wanx2.1-t2v-turbo": WanModel("size", SMALL, (5,), "720P"),
    "wanx2.1-i2v-plus": WanModel("image", ("720P",), (5,), "720P"),
    "wanx2.1-i2v-turbo": WanModel("image", SMALL, (3, 4, 5), "720P"),
}
FIRST = (
    "wan2.7-i2v", "wan2.7-t2v", "wan2.5-t2v-preview", "wan2.5-i2v-preview", "wan2.2-i2v-flash",
    "wan2.2-i2v-plus", "wanx2.1-i2v-plus", "wanx2.1-i2v-turbo",
)  # fmt: skip
"""The Wan models that the plugin offers in its versions before 1.2.0; from 1.2.0 on, `MODELS`."""

VIDEOS: Mapping[str, str] = {"reference_video": "reference", "first_clip": "first_clip"}
"""Type of a video in a request → its role."""
RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4")
SIZES: Mapping[str, tuple[str, str]] = {
    f"{width}*{height}": (tier, ratio)
    for tier, sizes in WAN_SIZES.items()
    for (width, height), ratio in zip(sizes, RATIOS, strict=False)
} | {
    "1104*832": ("720P", "4:3"), "832*1104": ("720P", "3:4"),
    "1648*1248": ("1080P", "4:3"), "1248*1648": ("1080P", "3:4"),
}  # fmt: skip
MEDIA: Mapping[str, Mapping[str, int]] = {
    "media": {"first_frame": 1, "last_frame": 1, "driving_audio": 1, "first_clip": 1},
    "all": {
        "first_frame": 1, "last_frame": 1, "reference_image": 10, "reference_video": 5,
        "reference_audio": 5, "file": 1, "link": 1,
    },
}  # fmt: skip


def videos_in(media: Iterable[Mapping[str, object]]) -> tuple[Shot, ...]:
    """Return the videos of a request's media, with their roles."""
    items = ((VIDEOS.get(text(each.get("type"))), text(each.get("url"))) for each in media)
    return tuple(Shot(role, url) for role, url in items if role)


def limits(model: str) -> PictureRules:
    """Return the vendor's rules for pictures: the older models take smaller pictures."""
    new = model.startswith(("wan2.6", "wan2.7", "wan3.0"))
    return PictureRules(formats=wan.PICTURES.formats) if new else wan.PICTURES

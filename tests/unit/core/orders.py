"""Sample orders, catalogs and jobs for tests of the core."""

from dataclasses import fields, replace
from typing import Any

from bot.core.accounts import Accounts
from bot.core.catalog import Catalog
from bot.core.clips import VideoFit
from bot.core.jobs import Job
from bot.core.models import Fields, Model, PictureRule, VideoRule
from bot.core.orders import (
    Address,
    Call,
    Fit,
    Kind,
    Order,
    Person,
    Picture,
    Sound,
    Transport,
    VideoRequest,
)
from bot.core.presets import Preset
from bot.core.wishes import Extra, Wish

ANN = Person(id="ann", name="Ann")
BOB = Person(id="bob", name="Bob")
HALL = Address(platform="chat", channel="hall", community="club")

WAN_TEXT = Model(
    name="wan-t2v",
    family="wan",
    label="Wan",
    gateway="main",
    dialect="new-api",
    kinds=(Kind.TEXT,),
    seconds=(5, 10),
    sizes={"720p": {"16:9": "1280*720", "9:16": "720*1280"}, "480p": {"1:1": "624*624"}},
    prompt_limit=50,
    typical=100.0,
    places=Fields(extras=("metadata.*",)),
    extras={"watermark": False},
    takes=(Extra.AUDIO, Extra.SEED, Extra.NEGATIVE_PROMPT),
)
WAN_PICTURE = replace(
    WAN_TEXT,
    name="wan-i2v",
    kinds=(Kind.PICTURE,),
    sizes={"720p": "720P", "480p": "480P"},
    places=Fields(extras=("metadata.*",), files={Kind.PICTURE: (("metadata.img_url",),)}),
    picture=PictureRule(transport=Transport.DATA_URI, fit=Fit(least_side=360)),
)
SORA = Model(
    name="sora-2",
    family="sora",
    label="Sora",
    gateway="main",
    dialect="new-api",
    kinds=(Kind.TEXT, Kind.PICTURE),
    seconds=(4, 8),
    sizes={"720p": {"16:9": "1280x720", "9:16": "720x1280"}},
    prompt_limit=1000,
    typical=100.0,
    places=Fields(files={Kind.PICTURE: (("input_reference",),)}),
    picture=PictureRule(transport=Transport.UPLOAD, exact=True),
)
SINGER = replace(
    WAN_PICTURE,
    name="wan-s2v",
    kinds=(Kind.SOUND,),
    places=Fields(files={Kind.SOUND: (("metadata.img_url",), ("metadata.audio_url",))}),
    prices={"720p": 100},
)
KEY_FRAMES = replace(
    WAN_PICTURE,
    name="wan-kf2v",
    kinds=(Kind.KEY_FRAMES,),
    places=Fields(files={Kind.KEY_FRAMES: (("first",), ("last",))}),
)
KEEPER = replace(
    WAN_PICTURE,
    name="wan-r2v",
    kinds=(Kind.REFERENCES,),
    places=Fields(files={Kind.REFERENCES: (("images[*]",),)}),
)
CHANGER = replace(
    WAN_PICTURE,
    name="wan-v2v",
    kinds=(Kind.VIDEO, Kind.EXTEND),
    places=Fields(files={Kind.VIDEO: (("video",),), Kind.EXTEND: (("video",),)}),
    video=VideoRule(transport=Transport.UPLOAD, fit=VideoFit()),
)
PRESETS = {
    "life": Preset("Bring to life", "Bring it to life."),
    "loop": Preset("A loop", "Loop."),
}
CATALOG = Catalog(models=(WAN_TEXT, WAN_PICTURE, SORA), presets=PRESETS)
SINGING = replace(CATALOG, models=(WAN_TEXT, WAN_PICTURE, SINGER))
USING = replace(CATALOG, models=(*CATALOG.models, KEEPER, CHANGER))
"""A catalog whose models also keep characters, change videos and go on from them."""
SONG = Sound(source="f1", filename="song.mp3", size=9, seconds=7.2, author="ann")
CAT = Picture(
    source="https://chat/cat.png", filename="cat.png", size=10, width=900, height=1600, author="ann"
)


PARTS: tuple[tuple[str, type[Call | Wish]], ...] = (("call", Call), ("wish", Wish))


def order(**changes: Any) -> Order:
    """Return Ann's plain order with changes."""
    call = Call(event_id="e1", address=HALL, person=ANN, locale="en")
    return changed(Order(call=call, wish=Wish(prompt="a cat")), **changes)


def changed(order: Order, **changes: Any) -> Order:
    """Return the order with changed fields of its call, its wish or itself."""
    places = {name: {each.name for each in fields(kind)} & {*changes} for name, kind in PARTS}
    parts = {
        name: replace(getattr(order, name), **{each: changes.pop(each) for each in sorted(own)})
        for name, own in places.items()
    }
    return replace(order, **parts, **changes)


def job(**changes: Any) -> Job:
    """Return a queued job for Ann's plain order, with changes."""
    wish = changes.pop("order", order())
    _, request = CATALOG.choose(wish)
    plain = Job(
        id="aaaabbbbccccdddd",
        order=wish,
        request=request,
        gateway="main",
        base_url="https://gateway.test",
        created_at=1_000.0,
        due_at=1_000.0,
        quota_cost=1,
        spend_cost=7,
    )
    return replace(plain, **changes)


def request(**changes: Any) -> VideoRequest:
    """Return the request of a plain order, with changes."""
    return replace(CATALOG.choose(order())[1], **changes)


def offering(catalog: Catalog, accounts: Accounts) -> Accounts:
    """Return the accounts with another catalog for every place."""
    return replace(accounts, general=replace(accounts.general, catalog=catalog))

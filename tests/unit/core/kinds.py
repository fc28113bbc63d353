"""Models that take references and videos, for tests."""

from dataclasses import replace

from bot.core.catalog import Catalog
from bot.core.clips import VideoFit
from bot.core.models import Fields, References, VideoRule
from bot.core.orders import Clip, Kind, Transport
from tests.unit.core.orders import PRESETS, SORA, WAN_PICTURE, WAN_TEXT

DANCE = Clip(
    source="f9",
    filename="dance.mp4",
    size=9,
    seconds=4.0,
    width=1280,
    height=720,
    author="ann",
)
MEDIA = "metadata.media[*]"
CAST = replace(
    WAN_PICTURE,
    name="cast",
    family="cast",
    label="Cast",
    kinds=(Kind.REFERENCES,),
    sizes={"720p": {"16:9": "1280*720", "9:16": "720*1280"}},
    references=References(least=2, most=4),
    places=Fields(
        files={Kind.REFERENCES: ((f"{MEDIA}.url",),)},
        fixed={Kind.REFERENCES: {f"{MEDIA}.type": "reference", "metadata.of": "pictures"}},
    ),
)
CROWD = replace(CAST, name="crowd", family="crowd", label="Crowd", references=References())
EDITOR = replace(
    WAN_TEXT,
    name="editor",
    family="editor",
    label="Editor",
    kinds=(Kind.VIDEO,),
    places=Fields(
        files={Kind.VIDEO: (("metadata.video",),)},
        fixed={Kind.VIDEO: {"metadata.type": "video"}},
    ),
    prices={"720p": 100, "480p": 50},
    video=VideoRule(
        transport=Transport.UPLOAD,
        fit=VideoFit(least_seconds=2, most_seconds=10),
        priced=True,
    ),
)
LONGER = replace(
    EDITOR,
    name="longer",
    family="longer",
    label="Longer",
    kinds=(Kind.EXTEND,),
    places=Fields(files={Kind.EXTEND: (("clip",),)}),
    seconds=(5, *range(2, 16)),
    video=VideoRule(
        transport=Transport.UPLOAD, fit=VideoFit(least_seconds=2, most_seconds=10), included=True
    ),
)
BY_ID = replace(
    LONGER,
    name="by-id",
    family="by-id",
    label="By id",
    kinds=(Kind.TEXT, Kind.EXTEND),
    places=Fields(extend_id=("previous_job_id",)),
    video=None,
)
ALL = Catalog(
    models=(WAN_TEXT, WAN_PICTURE, SORA, CAST, CROWD, EDITOR, LONGER, BY_ID), presets=PRESETS
)

"""Rows of earlier versions are read and sent as their own version would have sent them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.clips import VideoCopy, VideoFit
from bot.core.jobs import Original, Video
from bot.core.orders import Clip, Sound
from bot.core.wishes import AUTO, Use
from bot.gateways.requests import build
from bot.net.sending import Body, FilePart
from bot.store.rows import job_of, job_values, order_of, order_values, request_of
from tests.contract.rows import a_job
from tests.unit.core.orders import changed

TEXT = {
    "model": "wan2.5-t2v-preview",
    "kind": "t2v",
    "prompt": "a cat",
    "seconds": 5,
    "size": "1280*720",
    "dialect": "new-api",
    "transport": None,
    "place": None,
    "fit": None,
    "extras": [["watermark", False]],
    "family": "wan-2.5",
    "label": "Wan 2.5",
    "aspect": "16:9",
    "quality": "720p",
}
FIT = {"width": None, "height": None, "least_side": 1, "most_side": 9, "widest": 4, "most_bytes": 9}
PICTURED = TEXT | {"kind": "i2v", "fit": FIT}
BY_URI = PICTURED | {"transport": "data-uri", "place": "img_url"}
BY_FILE = PICTURED | {"transport": "upload", "place": "input_reference", "extras": []}
URI = "data:image/jpeg;base64,AA=="


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\0")
    return path


@pytest.mark.parametrize(
    ("row", "others"),
    [
        (TEXT, {"metadata": {"watermark": False, "parameters": {"watermark": False}}}),
        (TEXT | {"dialect": "documented"}, {"metadata": {"watermark": False}}),
        (TEXT | {"dialect": "openai"}, {}),
        (
            BY_URI,
            {
                "input_reference": URI,
                "metadata": {
                    "img_url": URI,
                    "input": {"img_url": URI},
                    "watermark": False,
                    "parameters": {"watermark": False},
                },
            },
        ),
        (BY_URI | {"dialect": "documented"}, {"metadata": {"img_url": URI, "watermark": False}}),
    ],
)
def test_a_stored_request_of_an_earlier_version_is_sent_as_its_dialect_sent_it(
    row: dict[str, Any], others: dict[str, object], picture: Path
) -> None:
    files = [picture] if row["place"] else []
    fields = dict(build(request_of(row), files).fields)
    if "metadata" in fields:
        fields["metadata"] = json.loads(fields["metadata"])
    named = {"prompt": "a cat", "model": row["model"], "seconds": "5", "size": "1280*720"}
    assert fields == named | others


def test_a_stored_upload_of_an_earlier_version_is_still_sent_as_a_file(picture: Path) -> None:
    assert build(request_of(BY_FILE | {"size": None}), [picture]) == Body(
        (("prompt", "a cat"), ("model", "wan2.5-t2v-preview"), ("seconds", "5")),
        (FilePart("input_reference", "picture.jpg", "image/jpeg", picture),),
    )


@pytest.mark.parametrize("on", [True, False, None])
def test_auto_length_and_switches_come_back_from_a_stored_order(on: bool | None) -> None:
    wish = changed(a_job().order, seconds=AUTO, audio=on, prompt_extend=on, watermark=on)
    assert order_of(json.loads(json.dumps(order_values(wish)))) == wish


def test_a_stored_order_without_newer_options_leaves_them_open() -> None:
    old: dict[str, Any] = {
        "call": {
            "event_id": "e",
            "address": {"platform": "discord", "channel": "c", "community": None, "message": None},
            "person": {"id": "1", "name": "Ann"},
            "locale": "en",
        },
        "wish": {"prompt": "a cat", "family": None, "seconds": None, "aspect": None},
        "pictures": [],
    }
    order = order_of(old)
    assert (order.sound, order.wish.preset, order.wish.negative_prompt) == (None, None, "")
    sound: dict[str, Any] = {
        "source": "f",
        "filename": "a.mp3",
        "size": 9,
        "seconds": None,
        "key": None,
    }
    assert order_of(old | {"sound": sound}).files == (Sound(**sound),)
    assert (order.wish.seed, order.wish.audio) == (None, None)


def test_a_stored_order_without_a_video_has_none_and_one_with_a_video_comes_back() -> None:
    plain = a_job()
    row = json.loads(json.dumps(order_values(plain.order)))
    older = {name: value for name, value in row.items() if name != "video"}
    older["wish"] = {name: value for name, value in row["wish"].items() if name != "use"}
    assert (order_of(older).video, order_of(older).wish.use) == (None, None)
    clip = Clip(
        source="f", filename="a.mp4", size=9, seconds=4.2, author="ann", video_of="videos/a"
    )
    fitted = clip.kept(
        VideoCopy(key="given/a", size=8, seconds=4.1, width=16, height=9), VideoFit(least_seconds=2)
    )
    for video in (clip, fitted):
        order = changed(replace(plain.order, video=video), use=Use.EXTEND)
        assert order_of(json.loads(json.dumps(order_values(order)))) == order


def test_a_stored_request_without_a_video_costs_only_its_own_seconds() -> None:
    assert (request_of(TEXT).input_seconds, request_of(TEXT).video_fit) == (0, None)


def test_a_stored_video_of_an_earlier_version_has_no_conversion() -> None:
    """A row of an earlier version tells no conversion; a row of today is read as written."""
    plain = {"key": "videos/a.mp4", "size": 9, "width": 16, "height": 9, "seconds": 5.0}
    then = Video(key="videos/a.mp4", size=9, width=16, height=9, seconds=5.0)
    original = Original(key="originals/a.mkv", size=8)
    now = replace(then, converted=original, reencoded=True)
    row = job_values(a_job())
    assert job_of({**row, "video": plain}).video == then
    assert job_of(job_values(replace(a_job(), video=now))).video == now

"""The verdict on a video: it plays everywhere as it is, or is remuxed, or encoded again."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.containers import Container
from bot.media.judging import Seen, Sound, Way, judge

GOOD = Seen(
    container=Container.MP4,
    codec="h264",
    profile="High",
    pixels="yuv420p",
    tag="avc1",
    width=1280,
    height=720,
    sound=Sound(codec="aac", profile="LC"),
)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"sound": None},
        {"sound": Sound(codec="aac", profile="HE-AAC")},
        {"profile": "Main"},
        {"profile": "Constrained Baseline"},
        {"width": 720, "height": 1280},
        {"width": 4096, "height": 2160},
        {"level": 52},
        {"starts_at": 0.08},
        {"sound": Sound(codec="aac", profile="LC", rate=8_000, channels=6)},
    ],
)
def test_h264_with_aac_in_a_faststart_mp4_plays_as_it_is(values: dict[str, Any]) -> None:
    verdict = judge(replace(GOOD, **values))
    assert (verdict.way, verdict.reasons) == (Way.AS_IT_IS, ())


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        *(({"container": each}, "container") for each in Container if each is not Container.MP4),
        ({"begins_with_index": False}, "index"),
        ({"has_one_track_each": False}, "tracks"),
        ({"tag": "avc3"}, "tag"),
        ({"starts_at": 1.4}, "start"),
        ({"has_tail": True}, "tail"),
        ({"tells_length": False}, "length"),
    ],
)
def test_good_tracks_in_a_container_that_players_refuse_are_remuxed(
    values: dict[str, Any], reason: str
) -> None:
    verdict = judge(replace(GOOD, **values))
    assert (verdict.way, verdict.reasons) == (Way.REMUXED, (reason,))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        *(({"codec": each}, "codec") for each in ("hevc", "mpeg4", "vp9", "av1", "prores", "vvc")),
        *(
            ({"pixels": each}, "pixels")
            for each in ("yuv420p10le", "yuv422p", "yuv444p", "gbrp", "yuvj420p", "gray")
        ),
        # Lossless: the usual pixel format in a profile that phones lack.
        ({"profile": "High 4:4:4 Predictive"}, "profile"),
        ({"profile": None}, "profile"),
        ({"width": 1279}, "odd_size"),
        ({"height": 719}, "odd_size"),
        ({"width": 7680, "height": 4320}, "size"),
        ({"width": 4096, "height": 4096}, "size"),
        ({"level": 60}, "level"),
        ({"is_interlaced": True}, "interlaced"),
        ({"is_hdr": True}, "hdr"),
        ({"tells_times": False}, "times"),
        ({"has_square_pixels": False}, "pixel_shape"),
        ({"is_upright": False}, "turned"),
    ],
)
def test_frames_that_some_player_cannot_show_are_encoded_again_and_the_sound_is_kept(
    values: dict[str, Any], reason: str
) -> None:
    verdict = judge(replace(GOOD, **values))
    assert verdict.way is Way.REENCODED
    assert reason in verdict.pictures
    assert verdict.sound == ()


@pytest.mark.parametrize(
    "sound",
    [
        *(Sound(codec=each, profile=None) for each in ("opus", "mp3float", "ac3", "pcm_s16le")),
        Sound(codec="aac", profile="xHE-AAC"),
        Sound(codec="aac", profile="LD"),
        Sound(codec="aac", profile="LC", rate=96_000),
        Sound(codec="aac", profile="LC", channels=8),
    ],
)
def test_sound_that_some_player_cannot_play_is_encoded_again_and_the_frames_are_kept(
    sound: Sound,
) -> None:
    verdict = judge(replace(GOOD, sound=sound))
    assert (verdict.way, verdict.reasons) == (Way.REENCODED, ("sound",))
    assert verdict.pictures == ()


def test_sound_with_gaps_is_encoded_again() -> None:
    holed = Sound(codec="aac", profile="LC", has_holes=True)
    assert judge(replace(GOOD, sound=holed)).sound == ("sound_holes",)


def test_sound_with_two_packets_at_the_same_time_is_encoded_again() -> None:
    doubled = Sound(codec="aac", profile="LC", has_overlaps=True)
    assert judge(replace(GOOD, sound=doubled)).sound == ("sound_overlaps",)


def test_an_edit_list_that_cuts_causes_frames_and_sound_to_be_encoded_again() -> None:
    assert judge(replace(GOOD, is_cut=True)).reasons == ("cut", "sound_cut")
    assert judge(replace(GOOD, is_cut=True, sound=None)).reasons == ("cut",)

"""Videos that say which colours theirs are: right after the conversion they are the same."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from tests.unit.media.samples import ordinary_priority, quarters
from tests.unit.media.test_playing import pictures_of, posted

FullFacts = tuple[int, int, int]
SPACES: dict[str, FullFacts] = {
    "bt709": (Colorspace.ITU709, ColorPrimaries.BT709, ColorTrc.BT709),
    "bt2020": (9, ColorPrimaries.BT2020, ColorTrc.BT2020_10),
    "smpte170m": (Colorspace.SMPTE170M, ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M),
}
"""The matrix of a video's colours, their primaries and their transfer."""


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    ("codec", "container", "pix_fmt", "is_full"),
    [
        ("libvpx-vp9", "webm", "yuv420p", False),
        ("libvpx-vp9", "webm", "yuv420p", True),
        ("libvpx-vp9", "mp4", "yuv444p", True),
        ("libsvtav1", "mp4", "yuv420p10le", True),
        ("prores_ks", "mov", "yuv422p10le", False),  # which knows no other range
        ("prores_ks", "mov", "yuva444p10le", False),
    ],
)
def test_colours_are_those_that_were_videoed(
    tmp_path: Path, codec: str, container: str, pix_fmt: str, space: str, is_full: bool
) -> None:
    source = tmp_path / "source"
    written(source, codec, container, pix_fmt, space, is_full=is_full)
    assert told(source) == (*SPACES[space], ColorRange.JPEG if is_full else ColorRange.MPEG)

    _, kept = posted(source)

    assert told(kept) == (*SPACES[space], ColorRange.MPEG)
    meant, shown = quarters(64, 48), pictures_of(kept)[-1]
    for place in ((16, 12), (48, 12), (16, 36), (48, 36)):
        assert shown.getpixel(place) == pytest.approx(meant.getpixel(place), abs=5)


def told(path: Path) -> tuple[int, int, int, int]:
    with av.open(str(path)) as container:
        colours = container.streams.video[0].codec_context
        return (
            int(colours.colorspace),
            int(colours.color_primaries),
            int(colours.color_trc),
            int(colours.color_range),
        )


@ordinary_priority()
def written(
    path: Path, codec: str, container: str, pix_fmt: str, space: str, *, is_full: bool
) -> None:
    with av.open(str(path), "w", format=container) as output:
        video = output.add_stream(codec, rate=24, options=_QUIET.get(codec, {}))
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 64, 48, pix_fmt
        colours = video.codec_context
        colours.colorspace, colours.color_primaries, colours.color_trc = SPACES[space]
        colours.color_range = ColorRange.JPEG if is_full else ColorRange.MPEG
        into = f"out_color_matrix={space}:out_range={'pc' if is_full else 'tv'}"
        picture = av.VideoFrame.from_image(quarters(64, 48))  # type: ignore[no-untyped-call]
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_buffer(width=64, height=48, format=picture.format, time_base=Fraction(1, 24)),
            graph.add("scale", into),
            graph.add("format", pix_fmt),
            graph.add("buffersink"),
        ).configure()
        for tick in range(4):
            picture.pts, picture.time_base = tick, Fraction(1, 24)
            graph.vpush(picture)
            output.mux(video.encode(graph.vpull()))
        output.mux(video.encode(None))


_QUIET = {"libsvtav1": {"svtav1-params": "lp=1"}}

"""Opening a file of a stranger: which of its tracks count, and that no other file is opened."""

from pathlib import Path

import av
import pytest
from av.stream import Disposition
from PIL import Image

from bot.core.errors import Broken, Refused
from bot.core.orders import SoundFit
from bot.media import reading, sounds
from bot.media.sounds import fit_sound

from .samples import RATE, SAMPLES, tone, write_sound, write_video


def covered(path: Path, *, video: bool) -> Path:
    """Write a file with two sound tracks, of which the second is the default, and a cover; with or
    without a video.
    """
    with av.open(str(path), "w", format="mp4") as output:
        pictures = [output.add_stream("libx264", rate=1)] if video else []
        for each in pictures:
            each.width, each.height, each.pix_fmt = 64, 48, "yuv420p"
        heard = [output.add_stream("aac", rate=RATE, layout=each) for each in ("mono", "stereo")]
        heard[0].disposition, heard[1].disposition = Disposition(0), Disposition.default
        cover = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        for shown in (*pictures, cover):
            red = Image.new("RGB", (shown.width, shown.height), "red")
            output.mux(shown.encode(av.VideoFrame.from_image(red)))  # type: ignore[no-untyped-call]
            output.mux(shown.encode(None))
        for sound in heard:
            for start in range(0, RATE, SAMPLES):
                output.mux(sound.encode(tone(start)))
            output.mux(sound.encode(None))
    return path


def test_a_cover_picture_in_a_file_is_not_its_video_track(tmp_path: Path) -> None:
    with reading.opened(covered(tmp_path / "video", video=True)) as container:
        assert len(container.streams.video) == 2
        assert [each.codec_context.name for each in reading.videos(container)] == ["h264"]
    song = covered(tmp_path / "song", video=False)
    with reading.opened(song) as container, pytest.raises(Broken, match="not_a_video"):
        reading.video_stream(container)


def test_of_two_sound_tracks_the_one_that_players_play_is_chosen(tmp_path: Path) -> None:
    with reading.opened(covered(tmp_path / "video", video=True)) as container:
        chosen = reading.audio_stream(container)
        assert chosen is not None
        assert chosen.codec_context.layout.name == "stereo"


@pytest.mark.parametrize("kind", ["video", "sound"])
def test_a_file_name_that_libav_reads_as_an_address_opens_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """libav would take `concat:other` for the address of the file `other`."""
    monkeypatch.chdir(tmp_path)
    other, given = Path("other"), Path("concat:other")
    if kind == "video":
        write_video(other, seconds=1, sound=False)
    else:
        write_sound(other)
    given.write_bytes(other.read_bytes())
    if kind == "video":
        with pytest.raises(av.FFmpegError):
            reading.opened(given)
    else:
        with pytest.raises(Refused, match="sound_broken"):
            fit_sound(given, SoundFit(), tmp_path / "made.mp3")


def test_a_cover_is_not_decoded_while_a_sound_file_is_opened(tmp_path: Path) -> None:
    """Only decoding reveals the size of a cover."""
    with sounds._opened(covered(tmp_path / "song", video=False)) as container:
        assert container.streams.video[0].width == 0

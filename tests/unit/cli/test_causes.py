"""A word of our own code is a sentence on the terminal; a gateway's words stay."""

import aiohttp
import pytest

from bot.cli.causes import in_words


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("video_damaged", "the video file is damaged"),
        ("video_damaged: damaged 3, pictures 48", "the video file is damaged: "),
        ("video_truncated: seconds 1.5", "the video file is cut off: seconds 1.5"),
        ("not_a_video", "the file is not a video"),
        ("worker_failed(error, task)", "this machine could not check the video"),
        ("TimeoutError", "no answer in time"),
    ],
)
def test_a_word_of_ours_becomes_a_sentence(detail: str, told: str) -> None:
    assert in_words(detail).startswith(told)


@pytest.mark.parametrize("kind", aiohttp.ClientConnectionError.__subclasses__())
def test_no_class_of_a_lost_connection_is_shown(kind: type[Exception]) -> None:
    assert in_words(kind.__name__) != kind.__name__


@pytest.mark.parametrize("said", ["", "HTTP 502", "video_damaged by our moderation", "not a video"])
def test_what_a_gateway_said_stays(said: str) -> None:
    assert in_words(said) == said

"""Causes on the terminal: an error code of our own becomes a sentence, a gateway's words stay."""

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
        ("video_long(most, seconds)", "the video that the person sent is too long"),
        ("video_short(least, model)", "the video that the person sent is too short"),
    ],
)
def test_an_error_code_of_our_own_is_shown_as_a_sentence(detail: str, told: str) -> None:
    assert in_words(detail).startswith(told)


@pytest.mark.parametrize("kind", aiohttp.ClientConnectionError.__subclasses__())
def test_the_class_name_of_a_connection_error_is_never_shown(kind: type[Exception]) -> None:
    assert in_words(kind.__name__) != kind.__name__


@pytest.mark.parametrize("said", ["", "HTTP 502", "video_damaged by our moderation", "not a video"])
def test_the_words_of_a_gateway_are_shown_unchanged(said: str) -> None:
    assert in_words(said) == said

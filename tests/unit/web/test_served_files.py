"""The files behind the player page, over real connections; no request may log an error."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import pytest

from bot.core.jobs import Original
from bot.media.storage import new_key
from bot.web.pages import REMEMBERED
from tests.unit.web.house import LIFETIME, MP4, SIZE, House, serve_pages

pytestmark = pytest.mark.usefixtures("no_errors")

ORIGINAL = b"as the gateway made it"
LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT"


async def test_a_whole_video_is_served_with_the_headers_that_browsers_need(house: House) -> None:
    status, headers, body = await house.get()
    assert (status, body) == (200, MP4)
    wanted = {
        "Content-Type": "video/mp4",
        "Content-Length": str(SIZE),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
    }
    assert {name: headers[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-299", 100, 300),
        (f"bytes={SIZE - 5}-", SIZE - 5, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=9-{SIZE + 1000}", 9, SIZE),
    ],
)
async def test_a_range_request_is_answered_with_that_part(
    house: House, asked: str, start: int, end: int
) -> None:
    status, headers, body = await house.get(headers={"Range": asked})
    assert (status, body) == (206, MP4[start:end])
    assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=9-1", "words"])
async def test_an_impossible_range_is_answered_with_416_and_the_size(
    house: House, asked: str
) -> None:
    """The response is complete, so the next request uses the same connection."""
    for _ in range(2):
        status, headers, _ = await house.get(headers={"Range": asked})
        assert (status, headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert (await house.get())[0] == 200


async def test_the_page_of_a_converted_video_offers_the_conversion_and_the_original(
    tmp_path: Path,
) -> None:
    """Each of the two files is shown with its size."""
    async with serve_pages(tmp_path) as house:
        source = tmp_path / "video.webm"
        source.write_bytes(ORIGINAL)
        original = Original(key=new_key("originals", "mkv"), size=2_000_000)
        await house.studio.storage.put(original.key, source)
        house.change(video=replace(house.video, converted=original))

        _, _, page = await house.page()
        assert "2.0 MB" in page
        assert "Original file" in page
        plays, reference = re.findall(r'href="([^"]+)" download', page)
        async with house.session.get(urljoin(house.link, plays)) as response:
            assert await response.read() == MP4
            assert response.headers["Content-Disposition"].endswith('.mp4"')
        async with house.session.get(urljoin(house.link, reference)) as response:
            assert await response.read() == ORIGINAL
            named = f'attachment; filename="zoetrope-{house.job.id}.mkv"'
            assert response.headers["Content-Disposition"] == named
        assert (await house.get())[2] == MP4


async def test_a_video_that_could_not_be_converted_is_served_in_its_own_format(
    tmp_path: Path,
) -> None:
    async with serve_pages(tmp_path) as house:
        source = tmp_path / "video.webm"
        source.write_bytes(ORIGINAL)
        key = new_key("originals", "webm")
        await house.studio.storage.put(key, source)
        house.change(video=replace(house.video, key=key, plays=False))

        status, headers, body = await house.get()
        assert (status, body, headers["Content-Type"]) == (200, ORIGINAL, "video/webm")
        assert headers["Content-Disposition"].endswith(f'"zoetrope-{house.job.id}.webm"')
        _, _, page = await house.page()
        assert "I could not convert this video" in page
        assert "og:video:type" not in page


async def test_head_on_a_video_link_has_the_headers_and_no_body(house: House) -> None:
    status, headers, body = await house.get(method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(SIZE), b"")
    assert (await house.get())[2] == MP4


async def test_an_unchanged_video_is_answered_with_304(house: House) -> None:
    _, headers, _ = await house.get()
    for condition in (
        {"If-Modified-Since": headers["Last-Modified"]},
        {"If-None-Match": headers["ETag"]},
        {"If-None-Match": f'"other", W/{headers["ETag"]}'},
        {"If-None-Match": "*"},
    ):
        status, _, body = await house.get(headers=condition)
        assert (status, body) == (304, b"")
    assert (await house.get())[2] == MP4


async def test_a_conditional_request_whose_condition_holds_gets_the_video(house: House) -> None:
    _, headers, _ = await house.get()
    for condition in (
        {"If-None-Match": '"other"', "If-Modified-Since": headers["Last-Modified"]},
        {"If-Match": headers["ETag"], "If-Unmodified-Since": LONG_AGO},
        {"If-Unmodified-Since": headers["Last-Modified"]},
    ):
        assert (await house.get(headers=condition))[2] == MP4


@pytest.mark.parametrize("condition", [{"If-Match": '"other"'}, {"If-Unmodified-Since": LONG_AGO}])
async def test_a_conditional_request_whose_precondition_fails_gets_412(
    house: House, condition: Mapping[str, str]
) -> None:
    status, _, body = await house.get(headers=condition)
    assert (status, body) == (412, b"")


async def test_a_range_is_sent_only_if_the_if_range_header_matches(house: House) -> None:
    """If the header does not match, the whole video is sent."""
    _, headers, _ = await house.get()
    rest = {"Range": "bytes=100-"}
    for same in (headers["ETag"], headers["Last-Modified"]):
        status, _, body = await house.get(headers={**rest, "If-Range": same})
        assert (status, body) == (206, MP4[100:])
    for other in ('"other"', f"W/{headers['ETag']}", LONG_AGO):
        status, _, body = await house.get(headers={**rest, "If-Range": other})
        assert (status, body) == (200, MP4)


async def test_the_link_of_a_deleted_video_answers_404(house: House) -> None:
    """The job's row is cached for some seconds, for players that request part after part."""
    assert (await house.get())[2] == MP4
    house.change(video=None)
    assert (await house.page())[0] == 404, "its page says so at once"
    await house.clock.advance(REMEMBERED)
    assert (await house.get())[0] == 404


async def test_a_video_link_whose_job_is_cached_still_expires_on_time(house: House) -> None:
    await house.clock.advance(LIFETIME - 1)
    assert (await house.get())[2] == MP4
    await house.clock.advance(1)
    assert (await house.get())[0] == 404


async def test_a_video_whose_file_is_missing_answers_404(house: House) -> None:
    await house.studio.delete(house.video.key)
    status, headers, body = await house.get()
    assert (status, body) == (404, b"")
    assert "Content-Disposition" not in headers


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (30.2, "This video was kept for 30 days and is gone."),
        (1.9, "This video was kept for one day and is gone."),
        (0.5, "This video is gone: I needed its space for newer ones."),
    ],
)
async def test_the_link_of_a_swept_video_says_how_long_the_video_was_kept(
    house: House, days: float, said: str
) -> None:
    ended = house.clock.now()
    house.change(video=None, ended_at=ended, video_gone_at=ended + days * 86_400)
    status, headers, page = await house.page()
    assert (status, headers["Cache-Control"]) == (404, "no-store")
    assert said in page
    await house.clock.advance(LIFETIME + 1)
    assert said in (await house.page())[2], "also once the link has expired"
    forged = await house.page(f"{house.link}0")
    assert (forged[0], said in forged[2]) == (404, False), "a person without a link learns nothing"


async def test_a_link_expires_no_later_than_its_video_is_swept(house: House) -> None:
    now = house.clock.now()
    for since, left in ((0.0, LIFETIME), (29 * 86_400.0, 86_400.0), (31 * 86_400.0, 0.0)):
        house.change(ended_at=now - since)
        link = house.pages.link(house.job)
        assert link is not None
        assert link.expires_at == now + left


async def test_a_client_that_leaves_during_a_download_harms_no_other_request(house: House) -> None:
    response = await house.session.get(f"{house.link}.mp4")
    await response.content.readexactly(10)
    response.close()
    assert (await house.get())[2] == MP4


async def test_a_response_may_be_cached_no_longer_than_its_link_works(house: House) -> None:
    await house.clock.advance(LIFETIME - 40)
    for ending in (".mp4", ".jpg"):
        async with house.session.get(house.link + ending) as response:
            assert response.headers["Cache-Control"] == "private, max-age=40"

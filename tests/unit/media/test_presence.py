"""Whether a bucket is there: what is found, what it costs, and that nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.errors import Temporary
from bot.media.presence import EVERY, Presence
from bot.media.storage import Storage, new_key
from tests.fakes.buckets import URL, FakeBucket
from tests.fakes.clock import FakeClock

FULL = (403, "QuotaExceeded")


@dataclass
class Site:
    """A bucket, and ours in it."""

    bucket: FakeBucket
    storage: Storage
    presence: Presence
    folder: Path

    async def told(self) -> str | None:
        """A look, and the word for it."""
        await self.presence.check()
        return self.presence.trouble

    async def put(self) -> None:
        """Store a file."""
        source = self.folder / "video"
        source.write_bytes(b"video")
        await self.storage.put(new_key("videos", "mp4"), source)


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    bucket = FakeBucket()
    async with bucket.serve() as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        storage = Storage(URL, scratch=tmp_path)
        yield Site(bucket, storage, Presence(storage, FakeClock(), patience=0.3), tmp_path)


async def test_a_look_costs_one_small_request_and_writes_once(site: Site) -> None:
    assert [await site.told() for _ in range(3)] == [None] * 3
    assert site.bucket.requests == [
        ("HEAD", "beat"),
        ("PUT", "beat"),
        ("HEAD", "beat"),
        ("HEAD", "beat"),
    ]


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        ((403, "AccessDenied"), "refused"),
        ((401, "InvalidAccessKeyId"), "refused"),
        ((404, "NoSuchBucket"), "missing"),
        ((301, "PermanentRedirect"), "not reachable"),
        ((503, "SlowDown"), "no answer"),  # the client asks ten times, for longer than we wait
    ],
)
async def test_a_bucket_that_is_not_well_is_told_in_a_word(
    site: Site, trouble: tuple[int, str], word: str
) -> None:
    site.bucket.trouble = trouble
    assert await site.told() == word
    site.bucket.trouble = None
    assert await site.told() is None


async def test_a_bucket_that_takes_nothing_is_told_from_the_first_file_that_it_refused(
    site: Site,
) -> None:
    await site.told()
    site.bucket.full = FULL
    assert await site.told() is None, "nobody has written"
    with pytest.raises(Temporary, match="storage_unavailable"):
        await site.put()
    assert [await site.told() for _ in range(2)] == ["not writable"] * 2
    site.bucket.full = None
    assert await site.told() is None
    seen = len(site.bucket.requests)
    await site.told()
    assert site.bucket.requests[seen:] == [("HEAD", "beat")]


async def test_a_bucket_that_is_not_there_is_no_file_that_is_missing(site: Site) -> None:
    """S3 answers both alike; a paid video would be given up for it."""
    site.bucket.trouble = (404, "NoSuchBucket")
    with pytest.raises(Temporary, match="storage_unavailable"):
        await site.put()


async def test_it_is_asked_once_a_minute_however_long_it_says_nothing(site: Site) -> None:
    clock = FakeClock()
    presence = Presence(site.storage, clock, patience=0.1)
    watch = asyncio.create_task(presence.watch())
    site.bucket.silent.clear()
    assert presence.trouble is None, "nothing is known before the first look"
    async with asyncio.timeout(5):
        await clock.asleep()
        assert presence.trouble == "no answer"
        site.bucket.silent.set()
        await clock.advance(EVERY)
        await clock.asleep()
    assert presence.trouble is None
    watch.cancel()


async def test_a_directory_is_not_watched(tmp_path: Path) -> None:
    async with asyncio.timeout(5):
        await Presence(Storage(str(tmp_path), scratch=tmp_path), FakeClock()).watch()

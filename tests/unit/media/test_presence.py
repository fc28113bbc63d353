"""The watch over a bucket: its findings, its cost, and that nothing waits for it."""

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
    """A bucket, a storage that uses it, and the watch over it."""

    bucket: FakeBucket
    storage: Storage
    presence: Presence
    folder: Path

    async def told(self) -> str | None:
        """Check the bucket once, and return the word for its trouble."""
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


async def test_a_bucket_check_costs_one_small_request_and_writes_once(site: Site) -> None:
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
        ((503, "SlowDown"), "no answer"),  # the client retries ten times, for longer than we wait
    ],
)
async def test_the_trouble_of_a_bucket_is_named_in_one_word(
    site: Site, trouble: tuple[int, str], word: str
) -> None:
    site.bucket.trouble = trouble
    assert await site.told() == word
    site.bucket.trouble = None
    assert await site.told() is None


async def test_a_bucket_that_refuses_to_store_is_reported_from_the_first_refused_file_on(
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


async def test_a_missing_bucket_is_not_taken_for_a_missing_file(site: Site) -> None:
    """S3 answers 404 for a missing bucket and a missing file.

    A paid video would be given up for it.
    """
    site.bucket.trouble = (404, "NoSuchBucket")
    with pytest.raises(Temporary, match="storage_unavailable"):
        await site.put()


async def test_a_silent_bucket_is_checked_once_a_minute(site: Site) -> None:
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


async def test_a_storage_folder_on_a_disk_is_not_watched_like_a_bucket(tmp_path: Path) -> None:
    async with asyncio.timeout(5):
        await Presence(Storage(str(tmp_path), scratch=tmp_path), FakeClock()).watch()

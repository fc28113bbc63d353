"""A program that uploads a file several times; after each, it prints its peak memory in kB."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.core import replies
from bot.core.clock import SystemClock
from bot.core.jobs import Status, Video
from bot.core.orders import Address, Person
from bot.core.posts import Post, PostKind
from bot.platforms.telegram.client import TelegramOptions, TelegramPlatform
from bot.store.communities import Communities
from bot.store.database import open_database
from bot.store.handles import Handles
from bot.store.posts import Posts
from tests.contract.rows import no_still, nowhere
from tests.unit.core.orders import job, order


@asynccontextmanager
async def nothing(_key: str) -> AsyncIterator[Path]:
    """Stand in for the storage of thumbnails, of which there are none."""
    yield Path()


async def main(api_url: str, token: str, person: str, clip: Path, times: int) -> None:
    """Upload `clip` as the video of `times` jobs."""
    settings = TelegramOptions(token=token, api_url=api_url)
    async with open_database(f"sqlite:///{clip.parent}/rows.db") as database:
        platform = TelegramPlatform(
            settings,
            posts=Posts(database),
            handles=Handles(database, settings.account),
            communities=Communities(database),
            stored=nothing,
            small_still=no_still,
            link=lambda _: None,
            ways=nowhere,
            clock=SystemClock(),
        )
        async with platform:
            for number in range(times):
                await _upload(platform, person, clip, f"job{number:013}")
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                sys.stdout.write(f"{peak}\n")


async def _upload(platform: TelegramPlatform, person: str, clip: Path, job_id: str) -> None:
    wish = order(
        address=Address(platform="telegram", channel=person), person=Person(id=person, name="Ann")
    )
    video = Video(key="v", size=clip.stat().st_size, width=16, height=9, seconds=5.0)
    done = job(id=job_id, order=wish, status=Status.COMPLETED, video=video)
    post = Post(id=1, job_id=done.id, kind=PostKind.RESULT, due_at=None)
    await platform.send(post, done, replies.result(done), video=clip)


if __name__ == "__main__":
    api_url, token, person, clip, times = sys.argv[1:]
    asyncio.run(main(api_url, token, person, Path(clip), int(times)))

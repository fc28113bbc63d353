"""The videos of a simulated gateway: begins, renders, finds and stores them.

This module knows nothing of HTTP. Of a profile it uses only the numbers.
"""

import asyncio
import contextlib
import hashlib
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from bot.simulator import presets, saving, videos
from bot.simulator.profiles import Profile
from bot.simulator.render import Renderer
from bot.simulator.scenes import Scene
from bot.simulator.videos import Video

log = logging.getLogger(__name__)


class Library:
    """Every video of one simulated gateway.

    Several libraries may share a renderer; its creator closes it.
    """

    def __init__(
        self,
        *,
        profile: Profile,
        render_time: float,
        tick: float,
        now: Callable[[], float],
        renderer: Renderer | None,
        folder: Path | None,
    ) -> None:
        self._profile = profile
        self._render_time = render_time
        self._tick = tick
        self._now = now
        self._renderer = renderer
        self._kept = folder
        self._folder = Path()
        self._videos: dict[str, Video] = {}

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Open the folder and the renderer until the block ends."""
        own = None if self._renderer else Renderer()
        self._renderer = self._renderer or own
        with self._opened() as folder:
            self._folder = folder
            for video in saving.kept(folder):
                self._take(video)
            yield
            for task in self._tasks():
                task.cancel()
            await asyncio.gather(*self._tasks(), return_exceptions=True)
            if own:
                await own.close()
                self._renderer = None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Path]:
        """Yield the given folder, or a temporary one."""
        if self._kept is not None:
            self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            yield self._kept
            return
        with tempfile.TemporaryDirectory(
            prefix="zoetrope-simulator-",
            ignore_cleanup_errors=True,  # a shared renderer may still be writing
        ) as folder:
            yield Path(folder)

    # ---------------------------------------------------------------------- queries

    def get(self, name: str) -> Video | None:
        """Return the video of this id."""
        return self._videos.get(name)

    def of(self, key: str) -> list[Video]:
        """Return every video of a key, the oldest first."""
        return [video for video in self._videos.values() if video.is_of(owner(key))]

    def under_way(self, key: str) -> int:
        """Count the videos of a key that are not done."""
        return sum(video.state(self._now()) == "processing" for video in self.of(key))

    async def rendered(self) -> None:
        """Wait until every file is rendered."""
        await asyncio.gather(*self._tasks())

    # ---------------------------------------------------------------------- changes

    def begin(self, scene: Scene, *, key: str, remixed_from: str | None = None) -> Video:
        """Accept a video and start to render it."""
        name = self._profile.named(scene)
        video = Video(
            id=name,
            scene=scene,
            path=self._folder / f"{name}.mp4",
            created_at=self._now(),
            takes=self._render_time * (videos.SLOWER if videos.SLOW in scene.prompt else 1),
            owner=owner(key),
            failure=videos.MODERATED if videos.FAIL in scene.prompt else None,
            tick=self._tick,
            sweep=self._profile.sweep,
            remixed_from=remixed_from,
        )
        self._take(video)
        return video

    async def keep(self, video: Video) -> None:
        """Store the video's data if the gateway has a folder of its own, to survive a restart."""
        if self._kept is not None:
            await asyncio.to_thread(saving.keep, video)

    def drop(self, video: Video) -> None:
        """Forget a video and its files."""
        del self._videos[video.id]
        if video.rendering:
            video.rendering.cancel()
        for suffix in (".mp4", ".json"):
            video.path.with_suffix(suffix).unlink(missing_ok=True)

    def _take(self, video: Video) -> None:
        self._videos[video.id] = video
        for fault, times in presets.asked(video.scene.prompt):
            if fault.operation != "create":
                video.faults.add(fault, times)
        if not video.path.exists():
            video.rendering = asyncio.create_task(self._render(video))

    async def _render(self, video: Video) -> None:
        assert self._renderer is not None  # requests come only while the library is open
        try:
            await self._renderer.render(video.scene, video.path)
        except ValueError:
            video.failure = videos.UNREADABLE
        except OSError as error:
            log.warning("simulator.render_failed video=%s", video.id, exc_info=error)
            video.failure = videos.BROKEN

    def _tasks(self) -> list[asyncio.Task[None]]:
        tasks = (video.rendering for video in self._videos.values())
        return [task for task in tasks if task and not task.done()]


def owner(key: str) -> str:
    """Return a hash of an API key, to use in places where others may see it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]

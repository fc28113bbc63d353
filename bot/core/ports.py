"""The interfaces that the core needs. Adapters implement them; `app.py` passes them in."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from bot.core.clips import VideoCopy, VideoFit
from bot.core.jobs import Job, Reason, Status, Video
from bot.core.notices import Pause, Paused
from bot.core.orders import Address, Fit, Recording, SoundFit, Still, VideoRequest
from bot.core.outcomes import (
    Creation,
    Fetch,
    Listing,
    NotSent,
    Polled,
    Probe,
    Running,
    Trouble,
    Unread,
)
from bot.core.posts import ALL_KINDS, Form, Post, PostKind
from bot.core.prices import Cost
from bot.core.quotas import Limits, Usage


class Clock(Protocol):
    """The current time, passed as an argument so that tests can set it."""

    def now(self) -> float:
        """Return the seconds since the epoch, UTC: for rows, and to show to people."""

    def steady(self) -> float:
        """Return monotonic seconds from an arbitrary start: for waits within this process."""

    def settled(self) -> float:
        """Return seconds since this process began, or since the machine's clock was last set."""

    async def sleep(self, seconds: float) -> None:
        """Return once that much time has passed on this clock."""


class Jobs(Protocol):
    """The rows of all jobs. Each method is one whole transaction."""

    async def admit(self, job: Job, limits: Limits, *, now: float, card_at: float) -> Job:
        """Insert `job` if the limits allow it. A repeated event returns the job of the first one.

        The job's card is due at `card_at`. Raises `Refused` with the limit that is reached.
        """

    async def check_welcome(
        self, platform: str, person_id: str, *, orders: bool, now: float
    ) -> None:
        """Raise `Refused` if the person is blocked, or with `orders`, if all orders are stopped."""

    async def has_ordered(self, platform: str, person_id: str) -> bool:
        """Whether this person has any job."""

    async def get(self, job_id: str) -> Job | None: ...

    async def claim(
        self,
        statuses: Sequence[Status],
        *,
        now: float,
        until: float,
        most: int,
        but: Collection[str] = (),
    ) -> list[Job]:
        """Claim up to `most` due jobs until `until`; no other worker gets them before then.

        Jobs whose ids are in `but` are never taken, even if their claims have expired.
        """

    async def renew(self, ids: Collection[str], *, until: float) -> None:
        """Extend the claims on these jobs until `until`. Released claims stay released."""

    async def release(self, job: Job) -> None:
        """Release an unused claim. Does nothing if the row has changed since the claim."""

    async def next_due(
        self, statuses: Sequence[Status], *, but: Collection[str] = ()
    ) -> float | None: ...

    async def save(self, before: Job, after: Job, *, now: float) -> Job | None:
        """Write the change and the posts it makes due; None if the row is newer than `before`."""

    async def keep(
        self, before: Job, after: Job, *, now: float, until: float
    ) -> tuple[Job | None, Post | None]:
        """Do as `save`. If the result's post becomes due, claim it until `until` and return it."""

    async def begin(self, job: Job, *, now: float, at_once: int | None) -> Job | None:
        """Mark the job as submitting if its model has fewer than `at_once` videos in flight.

        Otherwise requeue the job until one of these videos ends or is "taking long". Also requeue
        it while an operator holds its gateway. Returns the saved job, or None if the row has
        changed since `job` was read.
        """

    async def accept(
        self,
        job_id: str,
        gateway_id: str,
        *,
        sources: tuple[str, ...] = (),
        cost: Cost | None = None,
        now: float,
        due_at: float,
    ) -> Job:
        """Record the gateway's id. This succeeds from `submitting` and from `unconfirmed`.

        `sources` are URLs of the video if it was made at once; then the job is due at once, too.
        """

    async def usage(self, address: Address, person_id: str, limits: Limits, *, now: float) -> Usage:
        """Return today's usage by the person, the place's community and the purse of `limits`."""

    async def recent(self, platform: str, person_id: str, *, most: int) -> list[Job]:
        """Return a person's latest jobs, the newest first."""

    async def made(self, platform: str, person_id: str, *, most: int, skip: int) -> list[Job]:
        """Return up to `most` of a person's jobs with a video, the newest first, after `skip` jobs.

        Jobs whose video a sweep removed are included; jobs whose person deleted it are not.
        """

    async def ahead(self, job: Job) -> int | None:
        """Return how many jobs wait for a slot before `job`; None if it does not wait for one."""

    async def waiting(self, address: Address) -> list[Job]:
        """Return the queued jobs of a community, or of a private channel; the oldest first."""


class Pauses(Protocol):
    """The paused gateways. They are stored, so that a restart does not use a refused key again."""

    async def pause(
        self, gateway: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Pause a gateway and write a notice to operators, as often as `notices` allows.

        `detail` is the gateway's own text. `rooms` are the networks where everybody counts as
        the operator.
        """

    async def lock(
        self, job: Job, account: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> bool:
        """Pause the gateway because it refused the POST of an order with this account's key.

        Returns False, without a pause or a notice, if the refusal concerns this order alone.
        """

    async def passed(self, job: Job, account: str, *, balance: bool) -> None:
        """Record a POST whose answer proves a good key, and with `balance`, a balance."""

    async def remark(
        self, gateway: str, subject: str, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Write operators a notice that comes without a pause, as often as `is_news` allows."""

    async def held(self, gateway: str, *, now: float) -> Pause | None:
        """Return the pause or hold that stops an order now; None if the order may be sent."""

    async def claim(self, *, now: float, until: float, most: int) -> list[Paused]:
        """Claim up to `most` paused gateways whose probe is due; the next is due at `until`."""

    async def next_due(self) -> float | None:
        """Return when the next probe of a paused gateway is due; None if no gateway is paused."""

    async def refused(self, gateway: str, reason: Reason, *, now: float) -> None:
        """Record that a free request was refused for the same reason as the pause."""

    async def let_one_try(self, gateway: str, *, now: float) -> None:
        """Let one order test the pause: the waiting order with the fewest tries is due now."""

    async def catch_up(self, gateway: str, *, now: float) -> bool:
        """Make an order due again that was put back just as its gateway's pause ended.

        Do the same if one order may now test the pause. Returns whether either had happened.
        """

    async def works(
        self, gateway: str, *, polled: bool, asked_at: float, rooms: Iterable[str], now: float
    ) -> bool:
        """Record a success of a request sent at `asked_at`; return whether it ended the pause.

        The end makes waiting jobs due, and operators who know of the pause get a notice. `polled`:
        the request was a poll. A request from before the pause ends nothing.
        """

    def may_end_by_poll(self, gateway: str) -> bool:
        """Whether a successful poll may end a pause. False means that it surely ends none."""


class Posts(Protocol):
    """The rows of all posts. Each method is one whole transaction."""

    async def claim(
        self,
        platforms: Sequence[str],
        kinds: Sequence[PostKind] = ALL_KINDS,
        *,
        now: float,
        until: float,
        most: int,
        but: Collection[int] = (),
    ) -> list[Post]:
        """Claim up to `most` due posts until `until`, except those whose ids are in `but`."""

    async def renew(self, ids: Collection[int], *, until: float) -> None:
        """Extend the claims on these posts until `until`. Released claims stay released."""

    async def release(self, post: Post) -> None:
        """Release an unused claim. Does nothing if the post has been claimed again."""

    async def next_due(
        self,
        platforms: Sequence[str],
        kinds: Sequence[PostKind] = ALL_KINDS,
        *,
        but: Collection[int] = (),
    ) -> float | None: ...

    async def get(self, job_id: str, kind: str) -> Post | None: ...

    async def about(self, platform: str, chat: str, message_id: str) -> str | None:
        """Return the id of the job that our message is about. A chat includes all its topics."""

    async def sending(self, post: Post, form: Form, *, now: float) -> Post | None:
        """Record, before the first byte is sent, that a send in this form begins.

        None if the claim had expired and another worker took the post.
        """

    async def unsent(self, post: Post) -> None:
        """Clear the record of a send that surely sent nothing."""

    async def fall(self, post: Post, form: Form | None, *, direct: bool) -> None:
        """Set the form and recipient to try after a final refusal. Any change resets the tries."""

    async def sent(
        self,
        post: Post,
        message_id: str,
        channel_id: str,
        *,
        now: float,
        again_at: float | None = None,
        until: float | None = None,
    ) -> Post | None:
        """Record a post's message. A result's job moves to `delivered` in the same transaction.

        Earlier messages about a job that has ended become due, to be removed. The job's card is
        then claimed until `until`, if given, and returned. `again_at` is when the message needs
        an edit even if nothing else happens.
        """

    async def put_off(self, post: Post, *, due_at: float | None, tried: bool = True) -> None:
        """Make the post due at `due_at`. None parks it: kept, listed, and not tried again.

        `tried`: whether this counts as one of the post's tries.
        """

    async def posted(
        self,
        shown: Job,
        message_id: str,
        channel_id: str,
        *,
        now: float | None = None,
        until: float | None = None,
    ) -> Job | None:
        """Record that the command's own answer, which shows the job as `shown`, became its card.

        With `now`, the person saw the answer, so a job that waited for that becomes due and is
        returned, claimed until `until` if given.
        """


class Ready(Protocol):
    """A POST that is connected and not sent yet."""

    async def send(self) -> Creation:
        """Send the POST once. Returns `NotSent` only if certainly nothing was sent."""


class Gateway(Protocol):
    """A `/v1/videos` server. Methods return outcomes and never raise for a failed request."""

    name: str
    base_url: str
    account: str
    """An opaque id of the address and the key. Another key is another account."""
    dialect: str
    poll_step: float
    """Seconds between two polls of a running job."""
    own: bool
    """Whether the server is the operator's: copies of delivered videos are deleted there."""
    refunds_failed: bool
    """Whether this gateway is known to refund failed jobs."""

    def ready(
        self,
        request: VideoRequest,
        files: Sequence[Path],
        *,
        links: Sequence[str] = (),
        into: Path | None = None,
    ) -> AbstractAsyncContextManager[Ready | NotSent]:
        """Build the POST and connect. `files` are its pictures, then its sound.

        `links` are URLs of the same files, for gateways that take no files. If the response is
        the video itself, it is written to `into`.
        """

    async def probe(self) -> Probe:
        """Send a free request that tests the key and the balance. It is never a POST."""

    async def retrieve(self, gateway_id: str, *, prompt: str = "") -> Polled:
        """Poll a job once. Text in the response that is quoted from `prompt` is ignored."""

    async def glance(self, gateway_id: str) -> Running | Unread:
        """Poll a job once and parse only "still being made"; any other response stays `Unread`."""

    async def listing(self, *, since: float) -> Listing:
        """Return the gateway's list of this key's videos ordered since `since`. Sends only GETs."""

    async def delete(self, gateway_id: str) -> Trouble | None:
        """Delete the video at the gateway. Returns None if it is gone, also if it was before."""

    async def content(
        self, gateway_id: str, source: str | None, into: Path, *, prompt: str = ""
    ) -> Fetch:
        """Download the finished video to `into`: from `source`, or by the gateway's id if None.

        Each call tries one address; only the file shows whether another is worth a try. Text in a
        response that is quoted from `prompt` is ignored.
        """


class Media(Protocol):
    """Checks, converts and stores pictures, sounds and videos, mostly in worker processes."""

    def scratch(self) -> AbstractAsyncContextManager[Path]:
        """Create an empty directory for downloads; it is removed when the context ends."""

    async def keep_pictures(self, sources: Sequence[Path], fit: Fit) -> list[Still]:
        """Check, orient, fit, re-encode and store all pictures, or none. Raises `Refused`.

        All get one size: a video can't begin in one shape and end in another.
        """

    async def keep_sound(self, source: Path, fit: SoundFit) -> Recording:
        """Check, cut, re-encode and store a sound. Raises `Refused`."""

    async def keep_given(self, source: Path, fit: VideoFit) -> VideoCopy:
        """Check, re-encode and store a video that an order is made from. Raises `Refused`."""

    async def keep_video(self, source: Path) -> Video:
        """Check a video, take a thumbnail and store both. `convert` mends one that does not play.

        The method may change `source` and its folder. Raises `Temporary`, or `Broken`, which is
        final except for `video_truncated`.
        """

    async def convert(self, video: Video) -> Video:
        """Return a conversion that plays, or `video` if that is impossible. Raises as `file`."""

    async def receive(self, source: Path, name: str) -> str:
        """Store a video durably, unchanged; return its key. After `Temporary`, call it again."""

    async def received(self, name: str) -> str | None:
        """Return the key of the video that was received under this name, also before a restart.

        Raises `Temporary`.
        """

    def file(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Provide a stored object as a local file while the context lasts.

        Raises `Temporary`, or `Broken("file_missing")`.
        """

    def shrink(self, key: str, *, most_bytes: int) -> AbstractAsyncContextManager[Path]:
        """Re-encode a stored video to at most `most_bytes`. The copy lasts as long as the context.

        Raises `Temporary` while another video is being re-encoded, or `Broken("cannot_shrink")`
        if the copy would be too poor to watch.
        """

    def last_frame(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Provide the last frame of a stored video as a picture. Otherwise the same as `file`."""

    async def delete(self, key: str) -> None:
        """Delete a stored object. Idempotent."""

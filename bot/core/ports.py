"""The interfaces the core needs. Adapters implement them; `app.py` hands them over."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

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
    Unread,
)
from bot.core.posts import ALL_KINDS, Form, Post, PostKind
from bot.core.quotas import Limits, Usage


class Clock(Protocol):
    """Time as an argument: tests turn it by hand."""

    def now(self) -> float:
        """Seconds since the epoch, UTC: for rows, and for people."""

    def steady(self) -> float:
        """Seconds that only grow, from an unknown beginning: for waits within this process."""

    def settled(self) -> float:
        """Seconds since this process began, or since the machine's clock was last set."""

    async def sleep(self, seconds: float) -> None:
        """Return once that much time has passed on this clock."""


class Jobs(Protocol):
    """The rows that carry every promise. Each method is one whole transaction."""

    async def admit(self, job: Job, limits: Limits, *, now: float, card_at: float) -> Job:
        """Insert `job` if the limits allow it; the same event again answers the same job.

        Its card is owed from `card_at`. Raises `Refused` with the limit that stands in the way.
        """

    async def check_welcome(
        self, platform: str, person_id: str, *, orders: bool, now: float
    ) -> None:
        """Raise `Refused` where an operator refuses this person, or `orders` of everybody."""

    async def has_ordered(self, platform: str, person_id: str) -> bool:
        """Whether there is a job of this person's."""

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
        """Take up to `most` due jobs: nobody else gets them before `until`.

        Never those of the ids in `but`, even if their claims have run out.
        """

    async def renew(self, ids: Collection[str], *, until: float) -> None:
        """Let the claims on these jobs last until then; one that was let go stays so."""

    async def release(self, job: Job) -> None:
        """Give a claim back unused; nothing happens if the row has moved on."""

    async def next_due(
        self, statuses: Sequence[Status], *, but: Collection[str] = ()
    ) -> float | None: ...

    async def save(self, before: Job, after: Job, *, now: float) -> Job | None:
        """Write the change and the posts it owes; None if somebody else was faster."""

    async def keep(
        self, before: Job, after: Job, *, now: float, until: float
    ) -> tuple[Job | None, Post | None]:
        """The same; if it makes the message with its video due, that is claimed until then."""

    async def begin(self, job: Job, *, now: float, at_once: int | None) -> Job | None:
        """The POST is about to leave, if fewer than `at_once` of its model are in flight there.

        Else it waits its turn: due when the first of those is "taking long", or as soon as one is
        over. While an operator holds its gateway, it waits for the end of that. None if somebody
        else was faster.
        """

    async def accept(
        self,
        job_id: str,
        gateway_id: str,
        *,
        sources: tuple[str, ...] = (),
        now: float,
        due_at: float,
    ) -> Job:
        """Record the gateway's id: succeeds from `submitting` and from `unconfirmed`.

        `sources` lead to the video, if it was made at once; it is due at once, too.
        """

    async def usage(self, address: Address, person_id: str, limits: Limits, *, now: float) -> Usage:
        """Today's usage of this person, community and purse: all that the purse pays."""

    async def recent(self, platform: str, person_id: str, *, most: int) -> list[Job]:
        """A person's latest jobs, newest first."""

    async def made(self, platform: str, person_id: str, *, most: int, skip: int) -> list[Job]:
        """The same, of those with a video that its person did not take away; `skip` are newer."""

    async def ahead(self, job: Job) -> int | None:
        """How many wait for the same place before it; None for one that waits for none."""

    async def waiting(self, address: Address) -> list[Job]:
        """The queue of a community, or of a private channel; the oldest first."""


class Pauses(Protocol):
    """Which gateways are paused. Stored, so that a restart does not hammer a bad key."""

    async def pause(
        self, gateway: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Leave it alone for a while. Its owners are told, as often as `notices` allows.

        `detail`: the gateway's own words; `rooms`: platforms where everybody is the operator.
        """

    async def lock(
        self, job: Job, account: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> bool:
        """The POST of an order met a lock on this account: whether its gateway is paused for it.

        It is not where the lock is about this order alone; then nobody is told, either.
        """

    async def passed(self, job: Job, account: str, *, balance: bool) -> None:
        """The POST of an order was answered as for a good key, and with `balance` for that too."""

    async def remark(
        self, gateway: str, subject: str, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Tell its owners of something that pauses nothing: once, or once a day; see `is_news`."""

    async def held(self, gateway: str, *, now: float) -> Pause | None:
        """The pause that keeps an order back; None if none does, or for the one that may try."""

    async def claim(self, *, now: float, until: float, most: int) -> list[Paused]:
        """Up to `most` gateways that are to be asked now, and not again before `until`."""

    async def next_due(self) -> float | None:
        """When the next is to be asked."""

    async def refused(self, gateway: str, reason: Reason, *, now: float) -> None:
        """A free question met the same lock."""

    async def let_one_try(self, gateway: str, *, now: float) -> None:
        """One order may go, to see whether the lock is over: the one refused least is due now."""

    async def catch_up(self, gateway: str, *, now: float) -> bool:
        """Somebody was just put back: whether the way was opened meanwhile, so it is due now."""

    async def works(
        self, gateway: str, *, polled: bool, asked_at: float, rooms: Iterable[str], now: float
    ) -> bool:
        """A success: whether it ended the pause. Waiting jobs are due; owners who know are told.

        `polled`: it was a look. A call before the pause proves nothing.
        """

    def may_end_by_poll(self, gateway: str) -> bool:
        """Whether a look that is answered may end a pause; False: it surely ends none."""


class Posts(Protocol):
    """Messages owed to chats. Each method is one whole transaction."""

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
        """Take up to `most` due posts, never those of the ids in `but`."""

    async def renew(self, ids: Collection[int], *, until: float) -> None:
        """Let the claims on these posts last until then; one that was let go stays so."""

    async def release(self, post: Post) -> None:
        """Give a claim back unused; nothing happens if somebody else has taken the post since."""

    async def next_due(
        self,
        platforms: Sequence[str],
        kinds: Sequence[PostKind] = ALL_KINDS,
        *,
        but: Collection[int] = (),
    ) -> float | None: ...

    async def get(self, job_id: str, kind: str) -> Post | None: ...

    async def about(self, platform: str, chat: str, message_id: str) -> str | None:
        """The id of the job that our message is about; a chat is all of its topics."""

    async def sending(self, post: Post, form: Form, *, now: float) -> Post | None:
        """Remember, before the first byte, that a message of this form is on its way.

        None if the claim had run out and somebody else took the post.
        """

    async def unsent(self, post: Post) -> None:
        """Surely nothing was said: forget that a send was begun."""

    async def fall(self, post: Post, form: Form | None, *, direct: bool) -> None:
        """A definite no: the next rung, with no send under way; the same rung keeps its tries."""

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
        """It stands. A result's job moves to `delivered` in the same transaction.

        What was said of a job before its end is due then, to be taken away; its card is claimed for
        that and returned, where a claim may last `until` then. `again_at`: when it has to be
        brought up to date even if nothing else happens.
        """

    async def put_off(self, post: Post, *, due_at: float | None, tried: bool = True) -> None:
        """Try again then; None parks it: kept, listed, no longer tried by itself.

        `tried`: whether this counts as one of its tries.
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
        """The command's own answer, showing the job as it was then, became its card.

        `now`: its person saw it, so an order that was kept back for that may leave. It is returned
        if it does, claimed `until` then where that is said.
        """


class Ready(Protocol):
    """A POST of which not one byte has left yet."""

    async def send(self) -> Creation:
        """Send it, once; `NotSent` only where it is certain that nothing left."""


class Gateway(Protocol):
    """One /v1/videos server. Every method answers with an outcome; none raises for the wire."""

    name: str
    base_url: str
    account: str
    """The address and the key, without telling them: another key is another account."""
    dialect: str
    poll_step: float
    """Seconds between two looks at a running job."""
    refunds_failed: bool
    """Whether a job that fails there is known to be refunded."""

    def ready(
        self,
        request: VideoRequest,
        files: Sequence[Path],
        *,
        links: Sequence[str] = (),
        into: Path | None = None,
    ) -> AbstractAsyncContextManager[Ready | NotSent]:
        """Build the POST and connect; `files` are its pictures, then its sound.

        `links` lead to the same, for where no file can go along; a video as the answer goes `into`.
        """

    async def probe(self) -> Probe:
        """Ask for what costs nothing, to see how the key and the balance are. Never a POST."""

    async def retrieve(self, gateway_id: str, *, prompt: str = "") -> Polled:
        """See once how far it is; what the answer quotes of `prompt` decides nothing."""

    async def glance(self, gateway_id: str) -> Running | Unread:
        """The same, where as a rule there is nothing to say but how far it is."""

    async def listing(self, *, since: float) -> Listing:
        """The videos of this key that were ordered since then, as the gateway tells. GETs alone."""

    async def content(
        self, gateway_id: str, source: str | None, into: Path, *, prompt: str = ""
    ) -> Fetch:
        """Stream the finished video to `into`: from a URL that it named, or by our own id.

        One address each time, as only the file tells whether it is worth asking another. A quote
        of `prompt` in an answer decides nothing.
        """


class Media(Protocol):
    """Pictures and sounds in, videos out; the heavy work happens in worker processes."""

    def scratch(self) -> AbstractAsyncContextManager[Path]:
        """A fresh directory for downloads, removed at the end."""

    async def keep_pictures(self, sources: Sequence[Path], fit: Fit) -> list[Still]:
        """Check, orient, fit and re-encode all of them, or none. Raises `Refused`.

        They get one size: a video can't begin in one shape and end in another.
        """

    async def keep_sound(self, source: Path, fit: SoundFit) -> Recording:
        """Check, cut and re-encode. Raises `Refused`."""

    async def keep_video(self, source: Path) -> Video:
        """Check, take a thumbnail and store; one that does not play is for `convert` to see.

        `source` and its folder are ours to change. Raises `Temporary`, or `Broken`: final but
        `video_truncated`.
        """

    async def convert(self, video: Video) -> Video:
        """A stored video made anew, so that it plays; the same if it can't be. Raises as `file`."""

    async def receive(self, source: Path, name: str) -> str:
        """Store a video as it came, durable on return; its key. After `Temporary` call it again."""

    async def received(self, name: str) -> str | None:
        """The key of what was received under this name, also before we began. Or `Temporary`."""

    def file(self, key: str) -> AbstractAsyncContextManager[Path]:
        """A stored object as a local file while the context lasts.

        Raises `Temporary`, or `Broken("file_missing")`.
        """

    def shrink(self, key: str, *, most_bytes: int) -> AbstractAsyncContextManager[Path]:
        """A stored video re-encoded to fit; the copy lasts as long as the context.

        Raises `Temporary` while another one shrinks, or `Broken("cannot_shrink")` where nothing
        watchable would be left.
        """

    def last_frame(self, key: str) -> AbstractAsyncContextManager[Path]:
        """The last moment of a stored video as a picture; else as `file`."""

    async def delete(self, key: str) -> None:
        """Idempotent."""


class Spool(Protocol):
    """Where a gateway's id goes when the database can't take it."""

    def add(self, job_id: str, gateway_id: str, sources: Sequence[str] = ()) -> None:
        """Write it down and wait until the disk has it. Raises `OSError`."""

    def forget(self, job_id: str) -> None:
        """The job's row has its id. Raises `OSError`."""

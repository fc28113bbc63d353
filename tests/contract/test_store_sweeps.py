"""How long things are kept, by the clock, on both databases and with files on a disk."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot.core import moves
from bot.core.desk import SETTLED
from bot.core.errors import Refused, StorageAway, Temporary
from bot.core.inspection import Inspection
from bot.core.jobs import Job, Original, Reason, Status, Video
from bot.core.keeping import DAY, GRACE, Rules, Step
from bot.core.orders import Fit, Picture
from bot.core.posts import Form, PostKind
from bot.core.retention import EVERY, STEP, STRAYS_EVERY, Retention
from bot.core.wishes import WORDS
from bot.media.shelf import Shelf
from bot.media.storage import Storage, new_key, video_key
from bot.store.database import open_database
from bot.store.drafts import Drafts
from bot.store.handles import Handles
from bot.store.posts import owe
from bot.store.settings import StoredValues
from bot.store.sweeps import Sweeps
from bot.store.tables import discarded
from bot.store.writing import get
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store, a_job
from tests.databases import hold
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import changed

FIT = Fit(width=640, height=360)
WRITTEN = dict.fromkeys(WORDS, "dogs") | {"prompt": "a cat on the moon"}


class Loft:
    """A store with files beside it, and a clock."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.clock = FakeClock()
        self.ledger = Sweeps(store.database)
        for each in ("scratch", "received"):
            (folder / each).mkdir()
        self.storage = Storage(str(folder / "media"), scratch=folder / "scratch")

    def shelf(self, owner: str = "me") -> Shelf:
        return Shelf(self.storage, self.folder, owner=owner)

    def retention(self, rules: Rules | None = None, *, owner: str = "me") -> Retention:
        return Retention(
            ledger=self.ledger, shelf=self.shelf(owner), rules=rules or Rules(), clock=self.clock
        )

    def inspection(self, rules: Rules | None = None) -> Inspection:
        return Inspection(
            ledger=self.ledger, shelf=self.shelf(), rules=rules or Rules(), clock=self.clock
        )

    async def swept(self, day: float, rules: Rules | None = None) -> None:
        """A sweep so many days after noon."""
        await self.clock.advance(NOON + day * DAY - self.clock.now())
        await self.retention(rules).sweep()

    async def file(self, kind: str, suffix: str, *, size: int = 9, at: float = NOON) -> str:
        """The key of a file that is stored."""
        key = new_key(kind, suffix)
        await self.put(key, size=size, at=at)
        return key

    async def put(self, key: str, *, size: int = 9, at: float = NOON) -> None:
        source = self.folder / "source"
        source.write_bytes(bytes(size))
        await self.storage.put(key, source)
        os.utime(self.folder / "media" / key, (at, at))

    async def video(self, *, size: int = 9, original: int = 0) -> Video:
        """A video whose files are stored; with an original of so many bytes."""
        converted = None
        if original:
            key = await self.file("originals", "mkv", size=original)
            converted = Original(key=key, size=original)
        return Video(
            key=await self.file("videos", "mp4", size=size),
            size=size,
            width=640,
            height=360,
            seconds=5.0,
            thumbnail=await self.file("thumbnails", "jpg", size=1),
            converted=converted,
        )

    async def picture(self) -> Picture:
        """A picture of which we have our copies."""
        given = Picture(source=None, filename="me at home.png", size=9)
        key, whole = await self.file("pictures", "jpg"), await self.file("originals", "jpg")
        return replace(given, key=key, whole=whole, fit=FIT)

    async def ordered(self, *pictures: Picture, at: float = NOON) -> Job:
        job = a_job(now=at)
        order = changed(job.order, pictures=pictures, **WRITTEN)
        parameters = (("size", "1280*720"), ("metadata.negative_prompt", "dogs"))
        request = replace(job.request, parameters=parameters)
        return await self.store.admitted(replace(job, order=order, request=request))

    async def stored(self, job: Job, video: Video, *, at: float, silent: bool = False) -> Job:
        """The job with its video, which is due to be posted unless it is silent."""
        moved = self.store.moved
        job = await moved(job, moves.submitting(job, now=at), now=at)
        taken = moves.accepted(job, f"gateway {job.id}", now=at, due_at=at)
        job = await moved(job, replace(taken, silent=silent), now=at)
        job = await moved(job, moves.completed(job, now=at, sources=()), now=at)
        after = moves.stored(job, video)
        return await self.store.moved(
            job, moves.delivered(after, now=at) if silent else after, now=at
        )

    async def posted(
        self, video: Video, *pictures: Picture, at: float = NOON, form: Form = Form.FILE
    ) -> Job:
        job = await self.stored(await self.ordered(*pictures, at=at), video, at=at)
        (post,) = await self.store.posts.claim(
            ["discord"], [PostKind.RESULT], now=at, until=at + 60, most=9
        )
        begun = await self.store.posts.sending(post, form, now=at)
        assert begun is not None
        await self.store.posts.sent(begun, f"message {job.id}", "lounge", now=at)
        return await self.job(job)

    async def job(self, job: Job) -> Job:
        row = await self.store.jobs.get(job.id)
        assert row is not None
        return row

    def there(self, *keys: str | None) -> list[bool]:
        return [(self.folder / "media" / (key or "-")).exists() for key in keys]

    def files(self) -> int:
        return sum(each.is_file() for each in (self.folder / "media").glob("[!o]*/*/*"))


@pytest.fixture
def loft(store: Store, tmp_path: Path) -> Loft:
    return Loft(store, tmp_path)


# --- by the clock --------------------------------------------------------------------------------


async def test_pictures_go_after_2_days_videos_after_30_and_words_after_90(loft: Loft) -> None:
    picture, video = await loft.picture(), await loft.video(original=7)
    job = await loft.posted(video, picture)
    made = [*video.keys, picture.key, picture.whole]
    assert job.ended_at == NOON

    await loft.swept(0)
    assert loft.there(*made) == [True] * 5
    assert await loft.job(job) == job

    await loft.swept(3)
    assert loft.there(*made) == [True] * 3 + [False] * 2
    third = await loft.job(job)
    assert (third.inputs_gone_at, third.video) == (NOON + 3 * DAY, video)

    await loft.swept(31)
    assert loft.there(*made) == [False] * 5
    last = await loft.job(job)
    assert (last.video, last.video_gone_at) == (None, NOON + 31 * DAY)
    assert (last.request.prompt, last.order.wish.words) == ("a cat on the moon", WRITTEN)

    await loft.swept(91)
    blank = await loft.job(job)
    assert blank.words_gone_at == NOON + 91 * DAY
    assert (blank.request.prompt, blank.request.parameters, blank.detail) == ("", (), None)
    assert blank.order.wish.words == dict.fromkeys(WRITTEN, "")
    assert blank.order.pictures[0].filename == ""
    assert (blank.quota_cost, blank.spend_cost) == (job.quota_cost, job.spend_cost)


async def test_of_what_is_kept_for_ever_nothing_goes(loft: Loft) -> None:
    video, picture = await loft.video(), await loft.picture()
    job = await loft.posted(video, picture)
    await loft.swept(4_000, Rules(videos=None, inputs=None, words=None))
    assert await loft.job(job) == job
    assert loft.there(*video.keys, picture.key) == [True] * 3


async def test_a_sweep_owes_the_chat_nothing(loft: Loft) -> None:
    """Messages stay as they are: neither is the video removed, nor its card drawn anew."""
    await loft.posted(await loft.video())
    for post in await loft.store.posts.claim(["discord"], now=NOON + 60, until=NOON + 99, most=9):
        await loft.store.posts.sent(post, "card", "lounge", now=NOON)
    await loft.swept(31)
    assert await loft.store.due_posts(now=NOON + 31 * DAY) == []


async def test_a_video_that_is_deleted_after_its_file_is_gone_leaves_the_chat(loft: Loft) -> None:
    job = await loft.posted(await loft.video())
    await loft.swept(31)
    swept = await loft.job(job)
    deleted = await loft.store.moved(swept, moves.deleted(swept), now=NOON + 31 * DAY)
    assert not deleted.has_result
    assert deleted.order.wish.words == dict.fromkeys(WRITTEN, "")
    due = await loft.store.due_posts(now=NOON + 31 * DAY)
    assert (job.id, PostKind.RESULT) in due


async def test_a_video_that_is_still_to_be_posted_is_kept(loft: Loft) -> None:
    video = await loft.video()
    job = await loft.stored(await loft.ordered(), video, at=NOON)
    await loft.swept(4_000)
    assert loft.there(*video.keys) == [True] * 2
    assert await loft.job(job) == job


async def test_a_video_that_is_to_be_posted_once_more_is_kept(loft: Loft) -> None:
    video, picture = await loft.video(), await loft.picture()
    job = await loft.posted(video, picture)
    owed = {PostKind.RESULT: NOON}
    await loft.store.database.run(lambda connection: owe(connection, job, owed))
    await loft.swept(4_000)
    await loft.swept(4_000, capped(1))
    assert loft.there(*video.keys, picture.key) == [True] * 3
    assert await loft.job(job) == job


async def test_a_video_that_nobody_could_be_given_is_kept_for_as_long_as_others(loft: Loft) -> None:
    video = await loft.video()
    job = await loft.stored(await loft.ordered(), video, at=NOON)
    (post,) = await loft.store.posts.claim(
        ["discord"], [PostKind.RESULT], now=NOON, until=NOON + 9, most=9
    )
    await loft.store.posts.put_off(post, due_at=None)
    kept = replace(job, reason=Reason.UNDELIVERABLE)
    await loft.store.moved(job, kept, now=NOON + DAY)
    await loft.swept(30)
    assert loft.there(*video.keys) == [True] * 2
    await loft.swept(31.5)
    assert loft.there(*video.keys) == [False] * 2


@pytest.mark.proof
async def test_a_video_from_whose_last_moment_somebody_goes_on_is_kept(loft: Loft) -> None:
    video = await loft.video()
    await loft.posted(video)
    last = Picture(source=None, filename="last.png", size=0, last_of=video.key)
    onward = await loft.ordered(last, at=NOON + 31 * DAY)
    await loft.swept(31)
    assert loft.there(video.key) == [True]
    await loft.store.moved(onward, moves.cancelled(onward, Reason.BY_PERSON), now=NOON + 31 * DAY)
    await loft.swept(34)
    await loft.swept(34)
    assert loft.there(video.key) == [False]


async def test_a_picture_that_a_later_order_has_too_is_left_to_that_one(loft: Loft) -> None:
    picture = await loft.picture()
    await loft.posted(await loft.video(), picture)
    again = await loft.ordered(picture, at=NOON + 2 * DAY)
    await loft.swept(3)
    assert loft.there(picture.key, picture.whole) == [True] * 2
    end = moves.cancelled(again, Reason.BY_PERSON)
    await loft.store.moved(again, end, now=NOON + 3 * DAY)
    await loft.swept(6)
    assert loft.there(picture.key, picture.whole) == [False] * 2


async def test_a_picture_that_a_draft_has_is_kept(loft: Loft) -> None:
    picture = await loft.picture()
    job = await loft.posted(await loft.video(), picture)
    await Drafts(loft.store.database).put("d", job.order, now=NOON)
    await loft.swept(3)
    assert loft.there(picture.key) == [True]


async def test_the_pictures_of_an_order_that_may_be_paid_for_are_kept_as_long_as_videos(
    loft: Loft,
) -> None:
    picture = await loft.picture()
    job = await loft.ordered(picture)
    left = await loft.store.moved(job, moves.submitting(job, now=NOON))
    await loft.store.moved(left, moves.unconfirmed(left, detail=None))
    await loft.swept(29)
    assert loft.there(picture.key) == [True]
    await loft.swept(31)
    assert loft.there(picture.key) == [False]


async def test_a_job_that_goes_on_after_all_has_no_end(loft: Loft) -> None:
    job = await loft.store.in_state(Status.UNCONFIRMED)
    assert job.ended_at == NOON
    found = await loft.store.jobs.accept(job.id, "found", now=NOON + 9, due_at=NOON)
    assert found.ended_at is None


async def test_a_step_that_has_a_job_in_hand_finds_it_swept(loft: Loft) -> None:
    job = await loft.posted(await loft.video())
    await loft.swept(31)
    assert await loft.store.jobs.save(job, moves.deleted(job), now=NOON + 31 * DAY) is None


async def test_a_sweep_waits_for_no_row_that_somebody_has_in_hand(
    new_postgres_tables_url: NewUrl, tmp_path: Path
) -> None:
    async with open_database(await new_postgres_tables_url()) as database:
        loft, taken, may_end = Loft(Store(database), tmp_path), asyncio.Event(), asyncio.Event()
        held, free = [await loft.posted(await loft.video()) for _ in range(2)]
        take = partial(get, job_id=held.id, lock=True)
        holding = asyncio.create_task(hold(database, take, begun=taken, may_end=may_end))
        await taken.wait()
        try:
            async with asyncio.timeout(3):
                await loft.swept(31)
        finally:
            may_end.set()
            await holding
        assert [bool((await loft.job(each)).video) for each in (held, free)] == [True, False]


async def test_two_rows_that_name_one_video_stop_no_sweep(loft: Loft) -> None:
    video = await loft.video()
    jobs = [await loft.posted(video) for _ in range(2)]
    await loft.swept(31)
    assert [(await loft.job(each)).video for each in jobs] == [None, None]
    assert loft.there(*video.keys) == [False] * 2


async def test_a_platform_forgets_its_names_of_what_is_gone(loft: Loft) -> None:
    video, handles = await loft.video(), Handles(loft.store.database, "telegram:7")
    await loft.posted(video)
    for name in (video.key, f"{video.key}#file", "another"):
        await handles.put(name, "AgAD")
    await loft.swept(31)
    names = (video.key, f"{video.key}#file", "another")
    assert [await handles.get(name) for name in names] == [None, None, "AgAD"]


async def test_a_service_sweeps_each_minute_once_its_clock_is_settled(loft: Loft) -> None:
    """A clock that is wrong at the start would take everything."""
    job = await loft.posted(await loft.video())
    await loft.clock.advance(29.999 * DAY)
    loft.clock.adopt(0)
    sweeps = asyncio.create_task(loft.retention().run())
    await loft.clock.asleep()
    await loft.clock.advance(SETTLED - 1)
    assert (await loft.job(job)).video is not None
    await loft.clock.advance(1)
    await loft.clock.asleep()
    assert (await loft.job(job)).video is None
    late = await loft.posted(await loft.video(), at=loft.clock.now() - 30 * DAY)
    await loft.clock.advance(EVERY)
    await loft.clock.asleep()
    assert (await loft.job(late)).video is None
    sweeps.cancel()


async def test_a_sweep_that_fails_is_made_good_by_the_next(loft: Loft) -> None:
    job = await loft.posted(await loft.video())
    await loft.clock.advance(31 * DAY)
    sweeps = asyncio.create_task(loft.retention().run())
    media, away = loft.folder / "media", loft.folder / "away"
    media.rename(away)
    await loft.clock.asleep()
    await loft.clock.advance(EVERY)
    await loft.clock.asleep()
    assert await loft.ledger.discarded(after="", most=9) != []
    away.rename(media)
    await loft.clock.advance(EVERY)
    await loft.clock.asleep()
    assert await loft.ledger.discarded(after="", most=9) == []
    assert (await loft.job(job)).video is None
    assert list((media / "videos").glob("*/*")) == []
    sweeps.cancel()


class Sticking(Shelf):
    """Some files of it can't be removed, as those of another user."""

    stuck: tuple[str, ...] = ()

    async def delete(self, key: str) -> None:
        if key in self.stuck:
            raise StorageAway(key=key)
        await super().delete(key)


def sticking(loft: Loft, *stuck: str) -> Sticking:
    shelf = Sticking(loft.storage, loft.folder, owner="me")
    shelf.stuck = stuck
    return shelf


async def test_a_file_that_cannot_be_removed_is_in_no_others_way(
    loft: Loft, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named once, and tried again; the same goes for a key of no shape that we know."""
    stuck, video = await loft.video(), await loft.video()
    strays = [await loft.file("videos", "mp4") for _ in range(2)]
    await loft.shelf().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    await loft.store.database.run(_let_go_of_an_odd_key)
    jobs = [await loft.posted(each, at=NOON + n) for n, each in enumerate((stuck, video))]
    shelf = sticking(loft, stuck.key, min(strays))
    retention = Retention(ledger=loft.ledger, shelf=shelf, rules=Rules(), clock=loft.clock)
    await loft.clock.advance(31 * DAY)
    for _ in range(3):
        await retention.sweep()
        await loft.clock.advance(STRAYS_EVERY)
    assert loft.there(stuck.key, *video.keys, *sorted(strays)) == [True, False, False, True, False]
    assert [(await loft.job(job)).video for job in jobs] == [None, None]
    assert capsys.readouterr().out.count("media.not_removed") == 3
    shelf.stuck = ()
    await retention.sweep()
    assert loft.there(stuck.key, *strays) == [False, False, False]


async def test_what_cannot_be_removed_costs_no_other_video_its_place(loft: Loft) -> None:
    stuck, video = await loft.video(size=50), await loft.video(size=50)
    job, other = await loft.posted(stuck), await loft.posted(video, at=NOON + 9)
    shelf = sticking(loft, stuck.key)
    retention = Retention(ledger=loft.ledger, shelf=shelf, rules=capped(60), clock=loft.clock)
    await loft.clock.advance(DAY)
    for _ in range(3):
        await retention.sweep()
    assert (await loft.job(job)).video is None
    assert (await loft.job(other)).video == video


async def test_a_sweep_for_which_nothing_is_due_removes_what_is_left_of_the_last(
    loft: Loft,
) -> None:
    video = await loft.video()
    await loft.posted(video)
    await loft.clock.advance(31 * DAY)
    (loft.folder / "media").rename(loft.folder / "away")
    with pytest.raises(Temporary):
        await loft.retention().sweep()
    (loft.folder / "away").rename(loft.folder / "media")
    await loft.ledger.inputs(
        ended_by=loft.clock.now(), unconfirmed_by=0, now=loft.clock.now(), most=9
    )
    await loft.swept(31)
    assert loft.there(*video.keys) == [False] * 2


class Unlisted(Shelf):
    """Its names can't be listed."""

    polls = 0

    async def claimed_at(self) -> float | None:
        self.polls += 1
        raise StorageAway(key="")


async def test_a_look_for_strays_that_fails_is_made_again_in_an_hour(loft: Loft) -> None:
    """It lists all that is stored."""
    shelf = Unlisted(loft.storage, loft.folder, owner="me")
    retention = Retention(ledger=loft.ledger, shelf=shelf, rules=Rules(), clock=loft.clock)
    with pytest.raises(Temporary):
        await retention.sweep()
    await loft.clock.advance(EVERY)
    await retention.sweep()
    await loft.clock.advance(STRAYS_EVERY)
    with pytest.raises(Temporary):
        await retention.sweep()
    assert shelf.polls == 2


async def test_two_sweeps_take_turns(loft: Loft) -> None:
    """Which files rows name is read in pages: rows that change meanwhile would be missed."""
    steps: list[str] = []

    class Slow(Sweeps):
        async def videos(self, *, ended_by: float, now: float, most: int) -> Step:
            steps.append("begins")
            await asyncio.sleep(0)
            return await super().videos(ended_by=ended_by, now=now, most=most)

        async def words(self, *, ended_by: float, now: float, most: int) -> Step:
            await asyncio.sleep(0)
            steps.append("ends")
            return await super().words(ended_by=ended_by, now=now, most=most)

    ledger = Slow(loft.store.database)
    sweeps = Retention(ledger=ledger, shelf=loft.shelf(), rules=Rules(), clock=loft.clock)
    await asyncio.gather(sweeps.sweep(), sweeps.sweep())
    assert steps == ["begins", "ends"] * 2


# --- crashes -------------------------------------------------------------------------------------


class Dying(Shelf):
    """Its process dies at the first file."""

    async def delete(self, key: str) -> None:
        raise SystemError(key)


async def test_a_crash_between_row_and_file_is_made_good_by_the_next_sweep(loft: Loft) -> None:
    video = await loft.video()
    job = await loft.posted(video)
    await loft.clock.advance(31 * DAY)
    dying = Dying(loft.storage, loft.folder, owner="me")
    # Nothing else is to go: the next sweep finds no row, only what the first one noted.
    rules = Rules(inputs=None, words=None)
    first = Retention(ledger=loft.ledger, shelf=dying, rules=rules, clock=loft.clock)
    with pytest.raises(SystemError):
        await first.sweep()
    assert (await loft.job(job)).video_gone_at == loft.clock.now()
    assert loft.there(*video.keys) == [True] * 2
    await loft.swept(31, rules)
    assert loft.there(*video.keys) == [False] * 2


@pytest.mark.proof
async def test_a_file_that_no_row_names_goes_after_a_day(loft: Loft) -> None:
    await loft.shelf().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    job = await loft.posted(await loft.video(), await loft.picture(), at=NOON + DAY)
    await loft.file("videos", "mp4", at=NOON)
    kept, foreign = loft.files() - 1, loft.folder / "media" / "videos" / "notes.txt"
    foreign.write_text("not ours")
    await loft.swept(0.9)
    assert loft.files() == kept + 1
    await loft.swept(1.5)
    assert loft.files() == kept
    assert foreign.exists()
    assert (await loft.job(job)).video is not None


async def test_a_video_that_waits_for_its_conversion_is_no_stray(loft: Loft) -> None:
    await loft.shelf().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    job = await loft.store.in_state(Status.COMPLETED)
    raw = replace(await loft.video(), plays=False)
    await loft.store.moved(job, moves.converting(job, raw, now=NOON))
    await loft.swept(1.5)
    assert loft.there(*raw.keys) == [True] * 2


async def test_after_a_restore_no_file_goes_while_the_former_rows_are_kept(loft: Loft) -> None:
    """It may be one of a job that was ordered after the backup: paid for, and wanted back."""
    await loft.shelf().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    stray = await loft.file("videos", "mp4", at=NOON)
    received = loft.folder / "received" / Path(video_key("a" * 16)).name
    received.write_bytes(b"video")
    os.utime(received, (NOON, NOON))
    await StoredValues(loft.store.database).put("restored.at", repr(NOON + DAY))
    await loft.swept(14.9)
    assert (received.exists(), *loft.there(stray)) == (True, True)
    verdict = await loft.inspection().due()
    assert verdict["strays"] == {"rows": 0, "files": 0, "bytes": 0}
    await loft.swept(15.1)
    assert (received.exists(), *loft.there(stray)) == (False, False)


async def test_nothing_goes_from_a_storage_that_another_database_has_too(loft: Loft) -> None:
    await loft.shelf().claim()
    await loft.shelf("another").claim()
    for owner in ("me", "another"):
        _age(loft, f"media/owners/{owner}", NOON - DAY)
    stray = await loft.file("videos", "mp4", at=NOON)
    await loft.swept(9)
    assert loft.there(stray) == [True]


async def test_nothing_goes_that_was_there_before_this_database(loft: Loft) -> None:
    """A database that begins anew beside old media names none of them."""
    old = await loft.file("videos", "mp4", at=NOON - DAY)
    await loft.shelf().claim()
    _age(loft, "media/owners/me", NOON)
    await loft.swept(9)
    assert loft.there(old) == [True]


@pytest.mark.parametrize(("status", "days"), [(Status.FAILED, 1.5), (Status.UNCONFIRMED, 31)])
async def test_a_video_that_came_as_the_answer_goes_when_its_job_needs_it_no_more(
    loft: Loft, status: Status, days: float
) -> None:
    await loft.shelf().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    job = await loft.store.admitted()
    left = await loft.store.moved(job, moves.submitting(job, now=NOON))
    waiting = loft.folder / "received" / Path(video_key(job.id)).name
    waiting.write_bytes(b"video")
    os.utime(waiting, (NOON, NOON))
    await loft.put(video_key(job.id))
    await loft.swept(1.2)
    assert (waiting.exists(), *loft.there(video_key(job.id))) == (True, True)
    end = moves.unconfirmed(left, detail=None)
    if status is Status.FAILED:
        end = moves.failed(left, Reason.REFUSED, charged=False)
    await loft.store.moved(left, end)
    await loft.swept(days)
    assert (waiting.exists(), *loft.there(video_key(job.id))) == (False, False)


async def test_scratch_of_a_process_that_died_goes_after_a_day(loft: Loft) -> None:
    old, fresh = loft.folder / "scratch" / "old", loft.folder / "scratch" / "fresh"
    for folder, at in ((old, NOON), (fresh, NOON + GRACE)):
        folder.mkdir()
        os.utime(folder, (at, at))
    await loft.swept(1.1)
    assert (old.exists(), fresh.exists()) == (False, True)


# --- room ----------------------------------------------------------------------------------------


def capped(size: int) -> Rules:
    return Rules(videos=None, inputs=None, words=None, most_bytes=size)


@pytest.mark.proof
async def test_for_room_originals_go_first_then_what_is_in_the_chat_the_oldest_first(
    loft: Loft,
) -> None:
    linked = await loft.posted(await loft.video(size=100), form=Form.LINK)
    jobs = [
        await loft.posted(await loft.video(size=100, original=50), at=NOON + number)
        for number in range(3)
    ]
    order = [linked, *jobs]

    async def left() -> list[tuple[bool, bool]]:
        rows = [await loft.job(each) for each in order]
        return [(bool(row.video), bool(row.video and row.video.converted)) for row in rows]

    await loft.swept(0.1, capped(520))
    assert await left() == [(True, False), (True, False), (True, True), (True, True)]
    first = (await loft.job(jobs[0])).video
    assert first is not None
    assert first.original_gone
    await loft.swept(0.1, capped(320))
    assert await left() == [(True, False), (False, False), (True, False), (True, False)]
    await loft.swept(0.1, capped(110))
    assert await left() == [(True, False), (False, False), (False, False), (False, False)]
    await loft.swept(0.1, capped(1))
    assert await left() == [(False, False)] * 4


def _last_of(video: Video) -> Picture:
    return Picture(source=None, filename="last.png", size=0, last_of=video.key)


@pytest.mark.parametrize("inputs", [None, 2 * DAY])
async def test_a_video_from_which_somebody_goes_on_keeps_no_other_from_going(
    loft: Loft, inputs: float | None
) -> None:
    one, two = await loft.video(size=50), await loft.video(size=50)
    await loft.posted(one)
    await loft.posted(two, at=NOON + 9)
    onward = await loft.ordered(_last_of(one), at=NOON + DAY)
    await loft.store.moved(onward, moves.cancelled(onward, Reason.BY_PERSON), now=NOON + DAY)
    await loft.swept(1.5, replace(capped(60), inputs=inputs))
    assert loft.there(one.key, two.key) == [True, False]


async def test_many_such_videos_keep_no_other_from_going_by_age(loft: Loft) -> None:
    needed = [await loft.video() for _ in range(STEP + 1)]
    for number, each in enumerate(needed):
        await loft.posted(each, at=NOON + number)
    await loft.ordered(*map(_last_of, needed), at=NOON + 30 * DAY)
    last = await loft.video()
    await loft.posted(last, at=NOON + 99)
    await loft.swept(31)
    assert loft.there(*(each.key for each in needed), last.key) == [True] * (STEP + 1) + [False]


async def test_a_draft_that_nobody_confirmed_in_time_keeps_nothing(loft: Loft) -> None:
    video = await loft.video()
    job = await loft.posted(video)
    drafts = Drafts(loft.store.database)
    await drafts.put("d", replace(job.order, pictures=(_last_of(video),)), now=NOON)
    await loft.swept(6, capped(1))
    assert (loft.there(video.key), await drafts.get("d") is None) == ([True], False)
    await loft.swept(7.1, capped(1))
    assert (loft.there(video.key), await drafts.get("d")) == ([False], None)


async def test_stills_that_go_count_as_room(loft: Loft) -> None:
    """With nothing left to remove there is nothing over either."""
    video = await loft.video(size=5)
    await loft.posted(video)
    retention = loft.retention(capped(0))
    await loft.clock.advance(DAY)
    await retention.sweep()
    assert (loft.files(), retention.bytes_over) == (0, 0)


@pytest.mark.proof
async def test_for_room_nothing_goes_that_nobody_has_seen(loft: Loft) -> None:
    """It is paid for: not posted yet, kept for its person alone, or not to be delivered."""
    at_work = await loft.stored(await loft.ordered(), await loft.video(size=100), at=NOON)
    silent = await loft.stored(
        await loft.ordered(), await loft.video(size=100), at=NOON, silent=True
    )
    undelivered = await loft.stored(await loft.ordered(), await loft.video(size=100), at=NOON)
    parked = await loft.store.post(undelivered, PostKind.RESULT)
    assert parked is not None
    for post in await loft.store.posts.claim(["discord"], now=NOON, until=NOON + 9, most=9):
        if post.id == parked.id:
            await loft.store.posts.put_off(post, due_at=None)
    kept = replace(undelivered, reason=Reason.UNDELIVERABLE)
    await loft.store.moved(undelivered, kept)
    await loft.swept(0.1, capped(1))
    rows = [await loft.job(each) for each in (at_work, silent, undelivered)]
    assert [bool(row.video) for row in rows] == [True] * 3


async def test_media_that_stay_too_large_are_warned_of_once(loft: Loft) -> None:
    await loft.stored(await loft.ordered(), await loft.video(size=100), at=NOON)
    retention = loft.retention(capped(1))
    with capture_logs() as written:
        for _ in range(2):
            await retention.sweep()
    assert [each["event"] for each in written].count("media.over_most") == 1


@pytest.mark.proof
async def test_under_load_the_media_stay_below_the_cap_after_each_sweep(loft: Loft) -> None:
    """Two hundred videos come, twenty between two sweeps: ten times what there is room for."""
    room, bounds = 20_000, []
    for burst in range(10):
        for number in range(20):
            await loft.posted(await loft.video(size=1_000), at=NOON + 20 * burst + number)
        await loft.swept(0.01 * burst + 0.01, capped(room))
        bounds.append(_size(loft.folder / "media"))
    assert max(bounds) <= room
    assert min(bounds) > room - 2_000


# --- looks ---------------------------------------------------------------------------------------


async def test_rows_and_files_are_held_against_each_other(loft: Loft) -> None:
    whole, lost, cut = [await loft.video() for _ in range(3)]
    jobs = [await loft.posted(each, at=NOON + n) for n, each in enumerate((whole, lost, cut))]
    await loft.storage.delete(lost.key)
    (loft.folder / "media" / cut.key).write_bytes(b"half")
    stray = await loft.file("pictures", "jpg", size=3)
    found = await loft.inspection().verify()
    assert found["missing"] == {"count": 1, "named": [{"job": jobs[1].id, "key": lost.key}]}
    assert found["other_size"] == {
        "count": 1,
        "named": [{"job": jobs[2].id, "key": cut.key, "bytes": 4, "expected": 9}],
    }
    assert found["without_row"] == {
        "count": 1,
        "named": [{"key": stray, "bytes": 3}],
        "files": 1,
        "bytes": 3,
    }
    assert found["files"] == {"files": 6, "bytes": 9 + 4 + 3 * 1 + 3}


async def test_a_dry_run_counts_what_a_sweep_then_takes(loft: Loft) -> None:
    await loft.posted(await loft.video(size=100), await loft.picture())
    await loft.clock.advance(91 * DAY)
    await loft.store.in_state(Status.FAILED)  # an order of words alone
    retention, before = loft.retention(), loft.files()
    counted = await loft.inspection().due()
    assert loft.files() == before
    taken = await retention.asked(sure=True)
    kinds: Sequence[str] = ("videos", "inputs", "words")
    assert [counted[kind] for kind in kinds] == [taken[kind] for kind in kinds]
    assert counted["videos"] == {"rows": 1, "files": 2, "bytes": 100}
    assert counted["inputs"] == {"rows": 1, "files": 2, "bytes": 0}
    assert counted["words"] == {"rows": 2, "files": 0, "bytes": 0}


async def test_an_operators_sweep_waits_for_a_settled_clock_unless_they_are_sure(
    loft: Loft,
) -> None:
    """It would take everything by a clock that is ahead, and what is gone does not come back."""
    job = await loft.posted(await loft.video())
    await loft.clock.advance(31 * DAY)
    loft.clock.adopt(0)
    retention = loft.retention()
    with pytest.raises(Refused) as refused:
        await retention.asked()
    assert (refused.value.code, refused.value.values) == (
        "sweep_unsettled",
        {"time": "2026-02-15 12:00 UTC"},
    )
    assert (await loft.job(job)).video is not None
    await loft.clock.advance(SETTLED)
    await retention.asked()
    assert (await loft.job(job)).video is None


def _let_go_of_an_odd_key(connection: Connection) -> None:
    connection.execute(sa.insert(discarded).values(key="0/odd.gif"))


def _age(loft: Loft, name: str, at: float) -> None:
    os.utime(loft.folder / name, (at, at))


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())

"""Sweeps of rows: videos, pictures, sounds and prompts that were kept long enough, a few at a time.

A row is marked before its file is removed. One transaction marks the row and writes the file's key
to `discarded`, where the key stays until the storage has removed the file. So a crash leaves no row
that names a lost file, and no file that is never removed.

Rows are read as plain JSON, so rows that this program can't parse are swept like all others.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from bot.core.jobs import Status
from bot.core.keeping import Step, Wanted
from bot.core.posts import Form, PostKind
from bot.store.keys import last_of, of_order, of_video, size_of, sizes_of
from bot.store.proposals import forget_old
from bot.store.restored import restored_at
from bot.store.statements import Runs, insert
from bot.store.tables import discarded, handles, jobs, posts, proposals
from bot.store.words import wordless_order, wordless_request

_AS_FILE = "#file"
"""The suffix of the key of a handle for the same file, sent as a document."""


def _has_result(*which: sa.ColumnElement[bool]) -> sa.Exists:
    of_job = (posts.c.job_id == jobs.c.id, posts.c.kind == PostKind.RESULT.value)
    return sa.select(posts.c.id).where(*of_job, *which).exists()


_pending = _has_result(posts.c.due_at.is_not(None))
_in_chat = _has_result(posts.c.message_id.is_not(None), posts.c.form == Form.FILE.value)
# Videos of jobs that have ended and have no result to post any more.
_kept = sa.and_(jobs.c.video.is_not(None), jobs.c.ended_at.is_not(None), ~_pending)
_delivered = sa.and_(_kept, jobs.c.status == Status.DELIVERED.value)
_posted = sa.and_(_delivered, jobs.c.silent.is_(False))
_ORDERS = (
    (jobs.c.order_data, jobs.c.inputs_gone_at.is_(None)),
    (proposals.c.order_data, sa.true()),
)
"""Columns with orders, each with the condition that the order's files are still kept."""
_unconfirmed = jobs.c.status == Status.UNCONFIRMED.value
_original = jobs.c.video["converted", "key"].as_string()


class Sweeps:
    """Implements the core's `keeping.Ledger`. Each method is one whole transaction."""

    def __init__(self, database: Runs) -> None:
        self._database = database

    # --- by age ------------------------------------------------------------------------------

    async def videos(self, *, ended_by: float, now: float, most: int) -> Step:
        """Mark the videos of jobs that ended by `ended_by` as gone, the oldest first."""
        old = sa.and_(_kept, jobs.c.ended_at <= ended_by)
        return await self._database.run(lambda it: _without_videos(it, old, most, now))

    async def inputs(
        self, *, ended_by: float, unconfirmed_by: float, now: float, most: int
    ) -> Step:
        """Mark the pictures and sounds of jobs that ended by `ended_by` as gone.

        Unconfirmed jobs must have ended by `unconfirmed_by` too. A file that another job or a
        proposal still needs is kept.
        """
        chosen = _oldest(_inputs(ended_by, unconfirmed_by), most)

        def work(connection: Connection) -> Step:
            rows = _rows(connection, chosen)
            ids = [str(row["id"]) for row in rows]
            _mark(connection, ids, inputs_gone_at=now)
            files = [keys for row in rows if (keys := {*of_order(row["order_data"], own=True)})]
            gone = set().union(*files)
            gone -= _needed(connection, gone)
            _discard(connection, gone)
            return Step(len(files), len(gone), bare=len(rows) - len(files))

        return await self._database.run(work)

    async def words(self, *, ended_by: float, now: float, most: int) -> Step:
        """Remove all texts, such as prompts and details, from jobs that ended by `ended_by`."""
        chosen = _oldest(_words(ended_by), most)

        def work(connection: Connection) -> Step:
            rows = _rows(connection, chosen)
            for row in rows:
                _mark(
                    connection,
                    [row["id"]],
                    words_gone_at=now,
                    detail=None,
                    order_data=wordless_order(row["order_data"]),
                    request_data=wordless_request(row["request_data"]),
                )
            return Step(len(rows))

        return await self._database.run(work)

    async def proposals(self, *, now: float) -> None:
        """Remove proposals that were not confirmed in time."""
        await self._database.run(lambda connection: forget_old(connection, now=now))

    # --- to free disk space ------------------------------------------------------------------

    async def originals(self, *, now: float, most: int) -> Step:  # noqa: ARG002
        """Discard the originals of posted videos that were converted, the oldest first."""
        chosen = _oldest(sa.and_(_posted, _original.is_not(None)), most)

        def work(connection: Connection) -> Step:
            rows, freed = _rows(connection, chosen), 0
            for row in rows:
                video = dict(row["video"])
                original = video.pop("converted")
                freed += int(original["size"])
                _mark(connection, [row["id"]], video={**video, "original_gone": True})
                _discard(connection, [str(original["key"])])
            return Step(len(rows), len(rows), freed)

        return await self._database.run(work)

    async def posted(self, *, in_chat: bool, now: float, most: int) -> Step:
        """Mark posted videos as gone, the oldest first.

        `in_chat`: videos that were posted as a file in chat; otherwise, as a link.
        """
        which = sa.and_(_posted, _in_chat if in_chat else ~_in_chat)
        return await self._database.run(lambda it: _without_videos(it, which, most, now))

    # --- dry run -----------------------------------------------------------------------------

    async def due(
        self,
        *,
        videos_by: float | None,
        inputs_by: float | None,
        unconfirmed_by: float,
        words_by: float | None,
    ) -> Mapping[str, Step]:
        """Count what a sweep by age would remove. Nothing is changed. None: remove nothing."""

        def work(connection: Connection) -> Mapping[str, Step]:
            found: dict[str, Step] = {"videos": Step(), "inputs": Step(), "words": Step()}
            if videos_by is not None:
                old = sa.and_(_kept, jobs.c.ended_at <= videos_by)
                values = connection.scalars(sa.select(jobs.c.video).where(old)).all()
                files = sum(len(list(of_video(each))) for each in values)
                found["videos"] = Step(len(values), files, sum(map(size_of, values)))
            if inputs_by is not None:
                query = sa.select(jobs.c.order_data).where(_inputs(inputs_by, unconfirmed_by))
                orders = connection.scalars(query).all()
                with_files = [keys for each in orders if (keys := [*of_order(each, own=True)])]
                found["inputs"] = Step(len(with_files), sum(map(len, with_files)))
            if words_by is not None:
                count = sa.select(sa.func.count()).select_from(jobs).where(_words(words_by))
                found["words"] = Step(int(connection.scalar(count) or 0))
            return found

        return await self._database.run(work)

    # --- files -------------------------------------------------------------------------------

    async def discarded(self, *, after: str, most: int) -> list[str]:
        """Return the keys of up to `most` files to remove, in order, beginning after `after`."""
        query = sa.select(discarded.c.key).where(discarded.c.key > after)
        query = query.order_by(discarded.c.key).limit(most)
        return await self._database.values(query)

    async def forget(self, keys: Collection[str]) -> None:
        """Delete the keys of files that were removed."""
        await self._database.write(sa.delete(discarded).where(discarded.c.key.in_(keys)))

    async def restored_at(self) -> float | None:
        return await self._database.run(restored_at)

    async def wanted(self, *, after: str, unconfirmed_by: float, most: int) -> Wanted:
        """Return the files of up to `most` jobs whose ids come after `after`.

        The first page includes the files of proposals.
        """
        is_open = sa.or_(
            jobs.c.ended_at.is_(None), sa.and_(_unconfirmed, jobs.c.ended_at > unconfirmed_by)
        )
        has_files = sa.or_(jobs.c.video.is_not(None), jobs.c.inputs_gone_at.is_(None), is_open)
        columns = (jobs.c.video, jobs.c.unconverted, jobs.c.order_data)
        marks = (jobs.c.inputs_gone_at, sa.case((is_open, True), else_=False).label("is_open"))
        query = (
            sa.select(jobs.c.id, *columns, *marks)
            .where(jobs.c.id > after, has_files)
            .order_by(jobs.c.id)
            .limit(most)
        )

        def work(connection: Connection) -> Wanted:
            rows = _rows(connection, query)
            keys, own = _named(rows)
            if not after:
                for order in connection.scalars(sa.select(proposals.c.order_data)):
                    keys.update(of_order(order))
            return Wanted(
                keys=frozenset(keys),
                own=own,
                open_jobs=tuple(str(row["id"]) for row in rows if row["is_open"]),
                last=str(rows[-1]["id"]) if len(rows) == most else None,
            )

        return await self._database.run(work)


def _named(rows: Iterable[RowMapping]) -> tuple[set[str], dict[str, tuple[str, int | None]]]:
    """Return all keys in these rows, and the job and size in bytes of each job's own files."""
    keys: set[str] = set()
    own: dict[str, tuple[str, int | None]] = {}
    for row in rows:
        mine = dict(sizes_of(row["video"])) | dict(sizes_of(row["unconverted"]))
        if row["inputs_gone_at"] is None:
            mine |= dict.fromkeys(of_order(row["order_data"], own=True))
            keys.update(of_order(row["order_data"]))
        own |= {key: (str(row["id"]), size) for key, size in mine.items()}
        keys.update(mine)
    return keys, own


def _inputs(ended_by: float, unconfirmed_by: float) -> sa.ColumnElement[bool]:
    return sa.and_(
        jobs.c.inputs_gone_at.is_(None),
        jobs.c.ended_at <= ended_by,
        sa.or_(~_unconfirmed, jobs.c.ended_at <= unconfirmed_by),
        ~_pending,
    )


def _words(ended_by: float) -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.words_gone_at.is_(None), jobs.c.ended_at <= ended_by, ~_pending)


def _oldest(which: sa.ColumnElement[bool], most: int) -> sa.Select[Any]:
    query = sa.select(jobs).where(which).order_by(jobs.c.ended_at).limit(most)
    return query.with_for_update(skip_locked=True)


def _rows(connection: Connection, query: sa.Select[Any]) -> Sequence[RowMapping]:
    found: Sequence[RowMapping] = connection.execute(query).mappings().all()
    return found


def _without_videos(
    connection: Connection, which: sa.ColumnElement[bool], most: int, now: float
) -> Step:
    """Mark the oldest videos as gone, but none that another order continues."""
    needed = _continued(connection)
    keyed = sa.select(jobs.c.id, jobs.c.video["key"].as_string()).where(which)
    # Each key belongs to one job, so at least `most` of these are not needed.
    oldest = keyed.order_by(jobs.c.ended_at).limit(most + len(needed))
    ids = [id_ for id_, key in connection.execute(oldest) if key not in needed][:most]
    rows = _rows(connection, _oldest(jobs.c.id.in_(ids), most)) if ids else ()
    _mark(connection, [row["id"] for row in rows], video=None, video_gone_at=now)
    keys = [key for row in rows for key in of_video(row["video"])]
    _discard(connection, keys)
    return Step(len(rows), len(keys), sum(size_of(row["video"]) for row in rows))


def _continued(connection: Connection) -> set[str]:
    """Return the keys of videos that the order of a job or proposal continues or changes."""
    found: set[str] = set()
    for column, is_kept in _ORDERS:
        text = sa.cast(column, sa.Text)
        names = (f'"{name}":{gap}"' for name in ("last_of", "video_of") for gap in ("", " "))
        named = sa.or_(*map(text.contains, names))
        for order in connection.scalars(sa.select(column).where(is_kept, named)):
            found.update(last_of(order))
    return found


def _mark(connection: Connection, ids: Collection[str], **values: Any) -> None:
    """Change rows with a new version, so a step that runs on such a row finds it changed."""
    changed = {**values, "version": jobs.c.version + 1}
    connection.execute(sa.update(jobs).where(jobs.c.id.in_(ids)).values(changed))


def _discard(connection: Connection, keys: Iterable[str]) -> None:
    """Note the keys of files to remove, and delete the platforms' handles of these files."""
    gone = list(keys)
    for key in gone:
        row = insert(connection, discarded).values(key=key)
        connection.execute(row.on_conflict_do_nothing())
    named = [*gone, *(f"{key}{_AS_FILE}" for key in gone)]
    connection.execute(sa.delete(handles).where(handles.c.key.in_(named)))


def _needed(connection: Connection, keys: set[str]) -> set[str]:
    """Return those of `keys` that are named in an order (of a job or proposal) with kept files."""
    if not keys:
        return set()
    found: set[str] = set()
    for column, is_kept in _ORDERS:
        text = sa.cast(column, sa.Text)
        named = sa.or_(*(text.contains(key, autoescape=True) for key in keys))
        for order in connection.scalars(sa.select(column).where(is_kept, named)):
            found.update(of_order(order))
    return found & keys

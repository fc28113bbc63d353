"""The `refusals` table: orders whose POST met a lock, and what passed since. It tells an order that
alone meets a lock from an account that is locked for everybody.

A lock is the answer that the key or the balance is bad. **The rule**: a lock is about one order
alone, and its gateway is not paused, if all of this is so on the same account (address and key):

1. an earlier POST of this order met a lock;
2. after that refusal the POST of another order left, and passed: it was accepted. Where the order
   was told of its key, one that moderation stopped has passed too, for no prompt is read for a
   stranger; of a balance that tells nothing;
3. since that POST left, nothing else met a lock: no other order, and no look or download that
   paused the gateway of this name. (Pauses are kept by name: of two gateways with one account, the
   one does not see looks and downloads of the other.) Another order speaks for a true lock even if
   this rule ended it: so one POST that passes ends one order at most, and where a key is revoked or
   a balance used up, the next order pauses the gateway.

Of two such orders the first is ended, and the second once somebody else has passed again.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import Job, Reason, Status
from bot.store.statements import once, put, take_turns
from bot.store.tables import gateways, jobs, refusals

_REFUSALS = 0x5A4F_4C4B
"""Key of the PostgreSQL advisory lock on the table."""
_OPEN = (Status.QUEUED.value, Status.SUBMITTING.value)


def is_alone(connection: Connection, job: Job, reason: Reason, *, account: str, now: float) -> bool:
    """Note that the job's POST met a lock, once or twice: whether that is about this job alone."""
    # Two that meet a lock in one moment see each other: at most one of them is alone.
    take_turns(connection, _REFUSALS)
    row_of_job = sa.select(jobs.c.id).where(jobs.c.id == job.id)
    if connection.scalar(row_of_job.with_for_update(read=True, key_share=True)) is None:
        return False  # deleted during its POST: nothing can be noted of it any more
    query = sa.select(refusals).where(
        refusals.c.job_id == job.id, refusals.c.account == account, refusals.c.first_at <= now
    )
    before = connection.execute(query).first()
    row = {
        "account": account,
        "reason": reason.value,
        "first_at": before.first_at if before else now,
        "last_at": now,
        "passed_at": before.passed_at if before else None,
    }
    put(connection, refusals, {"job_id": job.id}, row)
    if before is None or before.passed_at is None or before.first_at >= _left_at(job):
        return False
    # A time of the future was read off a clock that was wrong.
    is_past = before.passed_at <= now
    return is_past and not _has_locked_others(connection, job, account, before.passed_at, now)


def _has_locked_others(
    connection: Connection, job: Job, account: str, since: float, now: float
) -> bool:
    orders = sa.exists().where(
        refusals.c.job_id != job.id,
        refusals.c.account == account,
        refusals.c.last_at.between(since, now),
    )
    pauses = sa.exists().where(gateways.c.name == job.gateway, gateways.c.since.between(since, now))
    return bool(connection.scalar(sa.select(sa.or_(orders, pauses))))


@once
def of_either(job_id: str, account: str) -> sa.Select[str]:
    """Refusals that a POST of this job on this account may have to do with."""
    either = sa.or_(refusals.c.account == account, refusals.c.job_id == job_id)
    return sa.select(refusals.c.job_id).where(either)


def note_pass(connection: Connection, job: Job, *, account: str, balance: bool) -> None:
    """Note that the job's POST was answered as for a good key, and with `balance` for that too."""
    take_turns(connection, _REFUSALS)
    proven = [refusals.c.account == account]
    if not balance:
        proven.append(refusals.c.reason == Reason.BAD_KEY.value)
    earlier = sa.or_(refusals.c.passed_at.is_(None), refusals.c.passed_at < _left_at(job))
    connection.execute(
        sa.update(refusals)
        .where(*proven, refusals.c.first_at < _left_at(job), earlier)
        .values(passed_at=_left_at(job))
    )
    # What was refused before and is over speaks neither for a lock nor against one any more.
    waits = sa.exists().where(jobs.c.id == refusals.c.job_id, jobs.c.status.in_(_OPEN))
    is_old = sa.and_(*proven, refusals.c.last_at < _left_at(job), ~waits)
    connection.execute(sa.delete(refusals).where(sa.or_(refusals.c.job_id == job.id, is_old)))


def _left_at(job: Job) -> float:
    """When its latest POST left."""
    return job.submitted_at or job.created_at

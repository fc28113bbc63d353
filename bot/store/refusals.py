"""The `refusals` table: orders whose POST met a lock, and the later POSTs that passed.

A lock is the answer that the key or the balance is bad. The table shows whether a lock is about one
order alone or about the whole account (address and key). **The rule**: a lock is about one order
alone, and the gateway is not paused, if all of this is true on the same account:

1. An earlier POST of this order met a lock.
2. After that refusal the POST of another order left and passed: it was accepted. If the refusal was
   about the key, a POST that moderation refused has passed too, since a gateway reads no prompt
   without a valid key. For the balance, a refusal by moderation proves nothing.
3. Since that POST left, nothing else met a lock: no other order, and no poll or download that
   paused the gateway of this name. (Pauses are kept by name: of two gateways with one account, one
   does not see polls and downloads of the other.) A lock of another order counts even if this rule
   ended that order. So one passed POST ends one order at most, and if a key is revoked or a balance
   used up, the next order pauses the gateway.

If there are two such orders, the first one is ended, and the second one after another POST passed.
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
    """Write that the job's POST met a lock. True if the lock is about this job alone."""
    # Two jobs that meet a lock at once see each other, so at most one of them is alone.
    take_turns(connection, _REFUSALS)
    row_of_job = sa.select(jobs.c.id).where(jobs.c.id == job.id)
    if connection.scalar(row_of_job.with_for_update(read=True, key_share=True)) is None:
        return False  # its row was deleted during its POST, so no refusal can refer to it
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
    # A time in the future was written while the clock was wrong.
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
    """Select the refusals that an accepted POST of this job on this account could change."""
    either = sa.or_(refusals.c.account == account, refusals.c.job_id == job_id)
    return sa.select(refusals.c.job_id).where(either)


def note_pass(connection: Connection, job: Job, *, account: str, balance: bool) -> None:
    """Write that the job's POST proved a good key, and with `balance` also a good balance."""
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
    # Older refusals of jobs that no longer wait prove nothing any more.
    waits = sa.exists().where(jobs.c.id == refusals.c.job_id, jobs.c.status.in_(_OPEN))
    is_old = sa.and_(*proven, refusals.c.last_at < _left_at(job), ~waits)
    connection.execute(sa.delete(refusals).where(sa.or_(refusals.c.job_id == job.id, is_old)))


def _left_at(job: Job) -> float:
    """Return when the latest POST of the job left."""
    return job.submitted_at or job.created_at

"""The tables of jobs and of their posts, with their indexes; `tables` has the others.

Times are seconds since the epoch (UTC) as doubles. JSON columns hold frozen values of the core.
"""

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def partial(name: str, which: sa.ColumnElement[bool], *columns: sa.Column[Any]) -> None:
    """Add an index of only the rows for which `which` is true."""
    sa.Index(name, *columns, sqlite_where=which, postgresql_where=which)


jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text),
    # The parts of the order that queries use; `order_data` holds the whole order.
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("community", sa.Text),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("order_data", sa.JSON, nullable=False),
    # The request, and the gateway that gets the request.
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Column("request_data", sa.JSON, nullable=False),
    sa.Column("gateway", sa.Text, nullable=False),
    sa.Column("base_url", sa.Text, nullable=False),
    sa.Column("gateway_id", sa.Text),
    sa.Column("progress", sa.Integer, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("video", sa.JSON(none_as_null=True)),
    sa.Column("silent", sa.Boolean, nullable=False),
    # The cost.
    sa.Column("quota_cost", sa.Integer, nullable=False),
    sa.Column("spend_cost", sa.BigInteger, nullable=False),
    # The order in which jobs and their steps run.
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.Double),
    sa.Column("claimed_until", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("crashes", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("submitted_at", sa.Double),
    sa.Column("completed_at", sa.Double),
    sa.Column("delivered_at", sa.Double),
    # The original, while the job waits for the conversion.
    sa.Column("unconverted", sa.JSON(none_as_null=True)),
    # Retention times count from `ended_at`; see `sweeps.py`.
    sa.Column("ended_at", sa.Double),
    sa.Column("video_gone_at", sa.Double),
    sa.Column("inputs_gone_at", sa.Double),
    sa.Column("words_gone_at", sa.Double),
    # Whether the result goes only to the person who ordered.
    sa.Column("private", sa.Boolean, nullable=False, server_default=sa.false()),
    # Seconds after the POST until which the video was surely not made yet.
    sa.Column("made_after", sa.Double),
    # Tries to delete the copy on the operator's own server; see `copies.py`.
    sa.Column("copy_tries", sa.Integer),
    # The cost that the gateway told.
    sa.Column("told_cost", sa.BigInteger),
    sa.Column("told_currency", sa.Text),
    sa.Column("told_is_fee", sa.Boolean),
    sa.UniqueConstraint("platform", "event_id"),
)

# A claim and the query for the next due time read the rows of one status, ordered by `due_at`.
# Finished jobs leave these indexes, so a claim costs the same after a million jobs. A poll changes
# `due_at`, so polls are cheaper if few indexes contain this column.
for _status in ("queued", "submitting", "in_progress", "completed", "converting"):
    partial(f"ix_jobs_{_status}_due", jobs.c.status == _status, jobs.c.due_at)
_queued = jobs.c.status == "queued"
_in_turn = sa.and_(jobs.c.due_at.is_not(None), _queued)
partial("ix_jobs_queued", _in_turn, jobs.c.turn, jobs.c.created_at)
# Jobs that wait for a slot, or for the end of a pause or a hold.
partial(
    "ix_jobs_waiting",
    sa.and_(_queued, jobs.c.reason.is_not(None)),
    *(jobs.c.gateway, jobs.c.reason, jobs.c.model),
    *(jobs.c.turn, jobs.c.created_at),
)
# Slots that are taken.
_flying = jobs.c.status.in_(("in_progress", "submitting"))
partial("ix_jobs_flying", _flying, jobs.c.gateway, jobs.c.model, jobs.c.submitted_at)
# Polls that a live or a dead process has claimed; see `polls.py`.
_held = sa.and_(jobs.c.status == "in_progress", jobs.c.claimed_until.is_not(None))
partial("ix_jobs_held", _held, jobs.c.claimed_until)
sa.Index("ix_jobs_person", jobs.c.platform, jobs.c.person, jobs.c.created_at)
sa.Index("ix_jobs_community", jobs.c.platform, jobs.c.community, jobs.c.created_at)
sa.Index("ix_jobs_created", jobs.c.created_at)
# The latest videos of a model show how long its videos take.
partial("ix_jobs_made", jobs.c.made_after.is_not(None), jobs.c.model, jobs.c.completed_at)

partial("ix_jobs_copies", jobs.c.copy_tries.is_not(None), jobs.c.delivered_at)

# Rows leave these indexes when a sweep removes what they name.
partial("ix_jobs_video_kept", jobs.c.video.is_not(None), jobs.c.ended_at)
partial("ix_jobs_inputs_kept", jobs.c.inputs_gone_at.is_(None), jobs.c.ended_at)
partial("ix_jobs_words_kept", jobs.c.words_gone_at.is_(None), jobs.c.ended_at)

# Jobs whose POST may have been accepted: few rows that are queried often.
partial("ix_jobs_unconfirmed", jobs.c.status == "unconfirmed", jobs.c.ended_at)

# Indexes for the queries that an admission makes about a person. A poll, which changes little but
# `due_at`, changes none of them: only rows that are set aside have it, and they are not polled.
OPEN = jobs.c.status.in_(
    [sa.literal(each, literal_execute=True) for each in ("queued", "submitting", "in_progress")]
)
"""Literals in the statement, not bound values: otherwise partial indexes are not used."""
_theirs = (jobs.c.platform, jobs.c.person)
partial("ix_jobs_open", OPEN, *_theirs, jobs.c.submitted_at, jobs.c.status)
partial("ix_jobs_own_turn", jobs.c.status == "queued", *_theirs, jobs.c.turn)
partial("ix_jobs_set_aside", sa.and_(jobs.c.due_at.is_(None), OPEN), *_theirs, jobs.c.due_at)

posts = sa.Table(
    "posts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("due_at", sa.Double),
    sa.Column("claimed_until", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("form", sa.Text),
    sa.Column("direct", sa.Boolean, nullable=False, default=False),
    sa.Column("sending_at", sa.Double),
    sa.Column("message_id", sa.Text),
    sa.Column("channel_id", sa.Text),
    # How often the post was claimed. It identifies a claim, which a renewal does not change.
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("job_id", "kind"),
)
_owed = posts.c.due_at.is_not(None)
partial("ix_posts_due", _owed, posts.c.platform, posts.c.kind, posts.c.due_at)
# Finds the job when a person replies to a message of the bot.
_in_chat = posts.c.message_id.is_not(None)
partial("ix_posts_message", _in_chat, posts.c.platform, posts.c.message_id)

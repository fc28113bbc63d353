"""The tables. Times are seconds since the epoch (UTC) as doubles; JSON holds frozen core values."""

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


def _partial(name: str, which: sa.ColumnElement[bool], *columns: sa.Column[Any]) -> None:
    """An index of these rows alone."""
    sa.Index(name, *columns, sqlite_where=which, postgresql_where=which)


jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text),
    # Who and where; the whole order stands beside it.
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("community", sa.Text),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("order_data", sa.JSON, nullable=False),
    # What is sent, and where to.
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
    # What it costs.
    sa.Column("quota_cost", sa.Integer, nullable=False),
    sa.Column("spend_cost", sa.BigInteger, nullable=False),
    # Whose turn it is.
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.Double),
    sa.Column("claimed_until", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("crashes", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("submitted_at", sa.Double),
    sa.Column("completed_at", sa.Double),
    sa.Column("delivered_at", sa.Double),
    # The video as it came, while it waits for its conversion.
    sa.Column("unconverted", sa.JSON(none_as_null=True)),
    # How long it is kept counts from its end; see `sweeps.py`.
    sa.Column("ended_at", sa.Double),
    sa.Column("video_gone_at", sa.Double),
    sa.Column("inputs_gone_at", sa.Double),
    sa.Column("words_gone_at", sa.Double),
    # Whether its result goes to its person alone.
    sa.Column("private", sa.Boolean, nullable=False, server_default=sa.false()),
    # Seconds after which its video was surely not made yet.
    sa.Column("made_after", sa.Double),
    sa.UniqueConstraint("platform", "event_id"),
)

# A claim, and the question when the next is due, walk the rows of one state in the order in which
# they are due. Finished jobs leave all of these, and so a claim costs the same after a million.
# The fewer of them have to do with `due_at`, the less work is a look, which changes that.
for _status in ("queued", "submitting", "in_progress", "completed", "converting"):
    _partial(f"ix_jobs_{_status}_due", jobs.c.status == _status, jobs.c.due_at)
_queued = jobs.c.status == "queued"
_in_turn = sa.and_(jobs.c.due_at.is_not(None), _queued)
_partial("ix_jobs_queued", _in_turn, jobs.c.turn, jobs.c.created_at)
# Orders that wait for a place, or for the end of a pause or a hold.
_partial(
    "ix_jobs_waiting",
    sa.and_(_queued, jobs.c.reason.is_not(None)),
    *(jobs.c.gateway, jobs.c.reason, jobs.c.model),
    *(jobs.c.turn, jobs.c.created_at),
)
# Places that are taken.
_flying = jobs.c.status.in_(("in_progress", "submitting"))
_partial("ix_jobs_flying", _flying, jobs.c.gateway, jobs.c.model, jobs.c.submitted_at)
# Looks in somebody's hands, or in those of a process that died; see `looks.py`.
_held = sa.and_(jobs.c.status == "in_progress", jobs.c.claimed_until.is_not(None))
_partial("ix_jobs_held", _held, jobs.c.claimed_until)
sa.Index("ix_jobs_person", jobs.c.platform, jobs.c.person, jobs.c.created_at)
sa.Index("ix_jobs_community", jobs.c.platform, jobs.c.community, jobs.c.created_at)
sa.Index("ix_jobs_created", jobs.c.created_at)
# How long videos take is learned from the latest of a model.
_partial("ix_jobs_made", jobs.c.made_after.is_not(None), jobs.c.model, jobs.c.completed_at)

# What is swept leaves these.
_partial("ix_jobs_video_kept", jobs.c.video.is_not(None), jobs.c.ended_at)
_partial("ix_jobs_inputs_kept", jobs.c.inputs_gone_at.is_(None), jobs.c.ended_at)
_partial("ix_jobs_words_kept", jobs.c.words_gone_at.is_(None), jobs.c.ended_at)

# Orders of which nobody knows whether they were taken: a handful, looked for all the time.
_partial("ix_jobs_unconfirmed", jobs.c.status == "unconfirmed", jobs.c.ended_at)

# What an admission asks of its person. None names `due_at` among its columns, so that a look, which
# changes little else, leaves all three alone.
OPEN = jobs.c.status.in_(
    [sa.literal(each, literal_execute=True) for each in ("queued", "submitting", "in_progress")]
)
"""Spelt out, for only then is a partial index used."""
_theirs = (jobs.c.platform, jobs.c.person)
_partial("ix_jobs_open", OPEN, *_theirs, jobs.c.submitted_at, jobs.c.status)
_partial("ix_jobs_own_turn", jobs.c.status == "queued", *_theirs, jobs.c.turn)
_partial("ix_jobs_set_aside", sa.and_(jobs.c.due_at.is_(None), OPEN), *_theirs, jobs.c.due_at)

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
    # How often it was claimed: a claim may be renewed, and is still told from a later one.
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("job_id", "kind"),
)
_owed = posts.c.due_at.is_not(None)
_partial("ix_posts_due", _owed, posts.c.platform, posts.c.kind, posts.c.due_at)
# Somebody points at a message of ours and means its job.
_in_chat = posts.c.message_id.is_not(None)
_partial("ix_posts_message", _in_chat, posts.c.platform, posts.c.message_id)

gateways = sa.Table(
    "gateways",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("paused_until", sa.Double, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    # Whether it was only looks that were refused.
    sa.Column("looking", sa.Boolean, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    # Since when the one order that may try has gone; none: the next one may.
    sa.Column("tried_at", sa.Double),
    # When a free question was last refused for the same reason; none: never in this pause, so
    # that a good answer to one is not its end.
    sa.Column("refused_at", sa.Double),
)

# Orders whose POST met a lock: whether it is about one alone; see `refusals.py`.
refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    # The address and the key, as `Gateway.account` has them.
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("first_at", sa.Double, nullable=False),
    sa.Column("last_at", sa.Double, nullable=False),
    # When the latest POST of another order left that passed, of those after the first refusal.
    sa.Column("passed_at", sa.Double),
)

# When the owners of a gateway were last told of each lock, and that it works.
told = sa.Table(
    "told",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("word", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
)

# What an owner is to be told of a gateway; it goes once that is done.
notices = sa.Table(
    "notices",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    # A lock and its end share one, so that the newer takes the other's place.
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("waiting", sa.Integer, nullable=False),
    sa.Column("written_at", sa.Double, nullable=False),
    sa.Column("due_at", sa.Double, nullable=False),
    sa.Column("claimed_until", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False),
)
sa.Index("ix_notices_due", notices.c.platform, notices.c.due_at)

# What owners have to know of, from its beginning to its end; see `core/causes.py`.
causes = sa.Table(
    "causes",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("about", sa.Text, primary_key=True),
    sa.Column("facts", sa.JSON, nullable=False),
    # As they were when they rang last; none: it came again, and did not ring yet.
    sa.Column("said", sa.JSON(none_as_null=True)),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("said_at", sa.Double, nullable=False),
    sa.Column("ended_at", sa.Double),
)

# The notice of a cause, one for each owner. It stands, and is brought up to date.
reports = sa.Table(
    "reports",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("about", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    # How often it was said anew, and how often it changed.
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("written_at", sa.Double, nullable=False),
    # None: it stands as it is.
    sa.Column("due_at", sa.Double),
    sa.Column("claimed_until", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("sending_at", sa.Double),
    sa.Column("message_id", sa.Text),
    sa.Column("channel_id", sa.Text),
    sa.ForeignKeyConstraint(["kind", "about"], ["causes.kind", "causes.about"], ondelete="CASCADE"),
)
_partial("ix_reports_due", reports.c.due_at.is_not(None), reports.c.platform, reports.c.due_at)

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

owners = sa.Table(
    "owners",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("since", sa.Double, nullable=False),
)

# A community, or "@" and a person for their own messages with the bot.
places = sa.Table(
    "places",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("allowed", sa.Boolean, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Double, nullable=False),
)

# Communities that got another id; `new` is the one that holds, `old` every one that was left.
moves = sa.Table(
    "moves",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("old", sa.Text, primary_key=True),
    sa.Column("new", sa.Text, nullable=False),
)

# What a platform tells only once. `source` is the platform and the account that was told.
updates = sa.Table(
    "updates",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    # Forgotten once it has been handled: it holds what people wrote.
    sa.Column("data", sa.JSON(none_as_null=True)),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Column("due_at", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False),
)
_waits = updates.c.due_at.is_not(None)
_partial("ix_updates_due", _waits, updates.c.source, updates.c.lane, updates.c.id)
_partial("ix_updates_next", _waits, updates.c.source, updates.c.due_at)
# The one that came last, and those that are old enough to be forgotten.
sa.Index("ix_updates_received", updates.c.source, updates.c.received_at, updates.c.id)

# A wish that somebody has yet to confirm.
drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("order_data", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)
sa.Index("ix_drafts_created", drafts.c.created_at)

# What a platform calls a file of ours that it has: sent again by that name, it costs nothing.
handles = sa.Table(
    "handles",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("handle", sa.Text, nullable=False),
)

# What operators did; rows are only ever added.
acts = sa.Table(
    "acts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
)
sa.Index("ix_acts_subject", acts.c.subject)

# No POST leaves: to the gateway of that name, or with the name "*" to any.
holds = sa.Table(
    "holds",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

# People whose orders and presses are refused.
blocks = sa.Table(
    "blocks",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    # None: until somebody ends it.
    sa.Column("until", sa.Double),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

# More than the limits of one day, for a person, a community, or a purse where neither is named.
grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Double, nullable=False),
    # The gateway whose own purse it is, or "" for the general one.
    sa.Column("purse", sa.Text, nullable=False),
    sa.Column("platform", sa.Text),
    sa.Column("person", sa.Text),
    sa.Column("community", sa.Text),
    sa.Column("videos", sa.Integer, nullable=False),
    # A person's videos that are paid for or may be, and all tries.
    sa.Column("paid", sa.Integer, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("money", sa.BigInteger, nullable=False),
)
sa.Index("ix_grants_at", grants.c.at)

# People's lasting choices: of what they name none of, the models decide.
preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("family", sa.Text),
    sa.Column("seconds", sa.Integer),
    sa.Column("aspect", sa.Text),
    sa.Column("quality", sa.Text),
    # Whether results go to them alone.
    sa.Column("private", sa.Boolean, nullable=False),
)

# Files that no row needs any more, until the storage has removed them.
discarded = sa.Table(
    "discarded",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
)

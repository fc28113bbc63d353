"""The database tables and their indexes.

Times are seconds since the epoch (UTC) as doubles. JSON columns hold frozen values of the core.
"""

import sqlalchemy as sa

from bot.store.job_tables import OPEN, jobs, metadata, partial, posts

__all__ = [
    "OPEN",
    "acts",
    "blocks",
    "causes",
    "discarded",
    "gateways",
    "grants",
    "handles",
    "holds",
    "jobs",
    "last_notices",
    "metadata",
    "moves",
    "notices",
    "owners",
    "places",
    "posts",
    "preferences",
    "proposals",
    "refusals",
    "reports",
    "settings",
    "updates",
]

gateways = sa.Table(
    "gateways",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("paused_until", sa.Double, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    # True if the gateway refused only polls.
    sa.Column("polls_only", sa.Boolean, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    # When the probe was sent; null: the next order may be the probe.
    sa.Column("tried_at", sa.Double),
    # When the gateway last refused a free request for the same reason. Null: not in this pause, so
    # a successful free request does not end the pause.
    sa.Column("refused_at", sa.Double),
)

# Orders whose POST was refused because of our key or balance: they show whether the gateway
# refuses one order or all orders; see `refusals.py`.
refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    # The address and the key, as in `Gateway.account`.
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("first_at", sa.Double, nullable=False),
    sa.Column("last_at", sa.Double, nullable=False),
    # When the latest accepted POST of another order left, if after the first refusal.
    sa.Column("passed_at", sa.Double),
)

# When owners were last told about each kind of pause of a gateway, and that the gateway works.
last_notices = sa.Table(
    "last_notices",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("word", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
)

# Notices that are still to be sent. A notice is deleted after it is sent.
notices = sa.Table(
    "notices",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    # A pause and its end share a subject, so the newer notice replaces the older one.
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

# Causes: problems that owners must know about, from beginning to end; see `core/causes.py`.
causes = sa.Table(
    "causes",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("about", sa.Text, primary_key=True),
    sa.Column("facts", sa.JSON, nullable=False),
    # The facts at the last alert; null: the cause came back and there was no alert yet.
    sa.Column("said", sa.JSON(none_as_null=True)),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("said_at", sa.Double, nullable=False),
    sa.Column("ended_at", sa.Double),
)

# Reports: the message about a cause, one for each owner. The message is edited as facts change.
reports = sa.Table(
    "reports",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("about", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    # `round` counts new messages of the report, `version` its changes.
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("written_at", sa.Double, nullable=False),
    # Null: the message is up to date.
    sa.Column("due_at", sa.Double),
    sa.Column("claimed_until", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("sending_at", sa.Double),
    sa.Column("message_id", sa.Text),
    sa.Column("channel_id", sa.Text),
    sa.ForeignKeyConstraint(["kind", "about"], ["causes.kind", "causes.about"], ondelete="CASCADE"),
)
partial("ix_reports_due", reports.c.due_at.is_not(None), reports.c.platform, reports.c.due_at)

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

# Places that owners allowed or refused. `place` is a community, or "@" and a person's id for
# private messages with the bot.
places = sa.Table(
    "places",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("allowed", sa.Boolean, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Double, nullable=False),
)

# Communities whose id changed: `new` is the present id, `old` is an earlier id.
moves = sa.Table(
    "moves",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("old", sa.Text, primary_key=True),
    sa.Column("new", sa.Text, nullable=False),
)

# Updates that a platform delivers only once. `source` is the platform and the bot's account.
updates = sa.Table(
    "updates",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    # Emptied after the update was handled, because it holds what people wrote.
    sa.Column("data", sa.JSON(none_as_null=True)),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Column("due_at", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False),
)
_waits = updates.c.due_at.is_not(None)
partial("ix_updates_due", _waits, updates.c.source, updates.c.lane, updates.c.id)
partial("ix_updates_next", _waits, updates.c.source, updates.c.due_at)
# Finds the newest update, and updates that are old enough to be deleted.
sa.Index("ix_updates_received", updates.c.source, updates.c.received_at, updates.c.id)

# Proposals: orders that the person has not confirmed yet.
proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("order_data", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)
sa.Index("ix_proposals_created", proposals.c.created_at)

# A platform's ids of files that the bot uploaded: with the id, a file is sent without an upload.
handles = sa.Table(
    "handles",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("handle", sa.Text, nullable=False),
)

# Acts: the operators' commands. Rows are only added.
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

# Holds: no POST goes to the gateway of this name; the name "*" means every gateway.
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
    # Null: until an operator ends the block.
    sa.Column("until", sa.Double),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

# Grants: extras on top of a day's limits, for a person or a community. A grant that names neither
# is for a purse.
grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Double, nullable=False),
    # The gateway that the purse belongs to, or "" for the general purse.
    sa.Column("purse", sa.Text, nullable=False),
    sa.Column("platform", sa.Text),
    sa.Column("person", sa.Text),
    sa.Column("community", sa.Text),
    sa.Column("videos", sa.Integer, nullable=False),
    # For a person: videos that are or may be paid for, and all tries.
    sa.Column("paid", sa.Integer, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("money", sa.BigInteger, nullable=False),
)
sa.Index("ix_grants_at", grants.c.at)

# People's lasting choices. A null leaves the choice to the model.
preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("family", sa.Text),
    sa.Column("seconds", sa.Integer),
    sa.Column("aspect", sa.Text),
    sa.Column("quality", sa.Text),
    # Whether results go only to this person.
    sa.Column("private", sa.Boolean, nullable=False),
)

# Keys of files that no row needs any more; each stays until the storage has removed the file.
discarded = sa.Table(
    "discarded",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
)

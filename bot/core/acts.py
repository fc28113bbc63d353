"""Acts of operators: each is a row, written in the transaction of what it does."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.core.errors import Broken

Values = Mapping[str, object]
"""Something that JSON can hold."""
UseCase = Callable[..., Awaitable[Values]]
"""An operator's use case: values by name in, values out. One that is an act takes `actor` too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One row of the `acts` table."""

    at: float
    """Seconds since the epoch, UTC."""
    actor: str
    """As `cli:ann` or `telegram:7`."""
    action: str
    """As `jobs.cancel`; a value is for ever."""
    subject: str = ""
    """The id of the job, the name of the gateway, the person."""
    why: str = ""
    details: Values = field(default_factory=dict)


EVERYTHING = "*"
"""The name of a hold on every gateway, under which no order is taken either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One row of the `holds` table: an operator lets no POST leave to this gateway."""

    name: str
    """A gateway's, or `EVERYTHING`."""
    at: float
    actor: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One row of the `blocks` table: a person whose orders and presses are refused."""

    platform: str
    person: str
    at: float
    until: float | None
    """None: until an operator ends it."""
    actor: str
    why: str


async def perform(use_case: UseCase, values: Values, *, actor: str) -> Values:
    """Do it for this actor. Raises `Broken("control_unknown")` for values that it does not take."""
    signature = inspect.signature(use_case)
    given = {**values, "actor": actor} if "actor" in signature.parameters else dict(values)
    try:
        signature.bind(**given)
    except TypeError as error:
        raise Broken("control_unknown") from error
    return await use_case(**given)

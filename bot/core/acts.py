"""Acts of operators. An act is a row, written in the same transaction as its effect."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.core.errors import Broken

Values = Mapping[str, object]
"""An object that JSON can hold."""
UseCase = Callable[..., Awaitable[Values]]
"""An operator's use case: named values in, values out. It takes `actor` if it writes an act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An operator's command as one row of the `acts` table."""

    at: float
    """Seconds since the epoch, UTC."""
    actor: str
    """The operator, such as `cli:ann` or `telegram:7`."""
    action: str
    """The name of the action, such as `jobs.cancel`. Stored names never change."""
    subject: str = ""
    """The id of a job, the name of a gateway, or a person."""
    why: str = ""
    details: Values = field(default_factory=dict)


EVERYTHING = "*"
"""The name of the hold on all gateways. Under this hold no order is accepted either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One row of the `holds` table: an operator's stop of all POSTs to a gateway."""

    name: str
    """The name of the gateway, or `EVERYTHING`."""
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
    """When the block ends; None if only an operator ends it."""
    actor: str
    why: str


async def perform(use_case: UseCase, values: Values, *, actor: str) -> Values:
    """Run a use case for this actor. Raises `Broken("control_unknown")` for unfitting values."""
    signature = inspect.signature(use_case)
    given = {**values, "actor": actor} if "actor" in signature.parameters else dict(values)
    try:
        signature.bind(**given)
    except TypeError as error:
        raise Broken("control_unknown") from error
    return await use_case(**given)

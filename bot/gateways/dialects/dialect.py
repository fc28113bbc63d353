"""The facts about one way of speaking `/v1/videos`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from bot.gateways.offers import ReadList, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way of speaking `/v1/videos`. The catalog writes each model's body by it."""

    name: str
    """The value of `dialect` in a gateway's table."""
    base: Mapping[str, Any] = field(default_factory=dict)
    """A model's table, in the form of `[models.<name>]`, that lies under the table of each model
    at a gateway with this dialect."""
    packaged: bool = False
    """Whether the models of `catalog.toml` exist at gateways with this dialect."""
    extras: tuple[str, ...] = ()
    """The fields of options that a model's table gives no fields; empty: such options are not
    offered."""
    as_file: frozenset[str] | None = None
    """The fields in which a picture arrives as a file; None: any field may be one."""
    as_text: frozenset[str] | None = None
    """The fields in which a picture arrives as text, by the first name of their path; None: any
    field may be one."""
    drops_unknown: bool = False
    """Whether such a server ignores unknown fields without a word. A body in another dialect then
    loses pictures."""
    drops_sounds: bool = False
    """Whether a gateway may drop a sound, so a model's table must say where it arrives."""
    refuses_by_5xx: bool = False
    """Whether a JSON error with HTTP 5xx means by default that an order was not accepted."""
    keyless: bool = False
    """Whether such a server works without an API key."""
    deletes: bool = False
    """Whether such a server deletes a video at `DELETE /v1/videos/{id}`."""
    currency: str = ""
    """The ISO code of the costs that its answers tell; "" if they tell none."""
    lists: str = "/v1/models"
    """The path of such a server's list of models."""
    read_list: ReadList = names.read
    """Returns what the list tells of each model."""
    builds: bool = False
    """Whether the list tells enough to offer models that have no table."""


def base(name: str) -> Mapping[str, Any]:
    """Return the table in the file of this name beside this module."""
    return tomllib.loads(files("bot.gateways.dialects").joinpath(name).read_text("utf-8"))

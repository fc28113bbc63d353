"""The findings about each gateway, kept with their date: `gateways.json` in the data folder.

`init` and `doctor` write it, everything that loads a configuration reads it. It holds for the
address that was asked, fills only what the operator left open, and has no secret in it.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.config.plugins import Generation
from bot.config.problems import Problem
from bot.config.saving import SHARED, save
from bot.config.settings import Settings
from bot.gateways.which import NEW_API, UNKNOWN

FILE = "gateways.json"
DAMAGED = "found_damaged"
"""The code of a file that can't be used."""
LASTING = "C"
"""The generation that no update ends."""


class Found(BaseModel):
    """The findings about one gateway."""

    model_config = ConfigDict(frozen=True)

    base_url: str
    software: str
    generation: Generation | None = None
    version: str = ""
    models: tuple[str, ...] | None = None
    """Names of all that the key has; None where they are not listed."""
    at: AwareDatetime
    """When that was asked last."""
    since: AwareDatetime
    """When software, generation and version were first found to be these."""

    @property
    def kind(self) -> tuple[str, str | None, str]:
        """All that an update of the gateway changes."""
        return self.software, self.generation, self.version


Founds = Mapping[str, Found]
_FOUNDS = TypeAdapter(dict[str, Found])


def read(folder: Path) -> tuple[Founds, list[Problem]]:
    """The kept findings, by the gateway's name; a file that can't be used is told and ignored."""
    file = folder / FILE
    try:
        return _FOUNDS.validate_json(file.read_bytes()), []
    except FileNotFoundError:
        return {}, []
    except (OSError, ValidationError) as error:
        # A folder that can't be looked into is told by whoever needs it.
        is_there = not isinstance(error, OSError) or os.access(file, os.F_OK)
        return {}, [Problem(str(file), DAMAGED)] if is_there else []


def keep(folder: Path, name: str, found: Found) -> Found:
    """Write down what was found, beside what is kept of other gateways; returns it as it is kept.

    Raises `Refused("output_unwritable")`.
    """
    before, _ = read(folder)
    last = before.get(name)
    if last is not None and last.base_url == found.base_url:
        found = _after(last, found)
    text = _FOUNDS.dump_json({**before, name: found}, indent=1).decode()
    with suppress(OSError):
        _make(folder)
    save(folder / FILE, f"{text}\n", mode=SHARED)
    return found


def _after(last: Found, found: Found) -> Found:
    """Facts that are not told this time, say by a busy gateway, stay as they were told before."""
    if found.generation is None and found.software in (last.software, UNKNOWN):
        stays = {"software": last.software, "generation": last.generation}
        found = found.model_copy(update={"version": found.version or last.version, **stays})
    return found.model_copy(update={"since": last.since if found.kind == last.kind else found.at})


def _make(folder: Path) -> None:
    """For whoever owns the folder around it: root may have started us, and the service may not."""
    if not folder.exists():
        owner = next(each for each in folder.absolute().parents if each.exists()).stat()
        folder.mkdir(mode=0o700, parents=True)
        os.chown(folder, owner.st_uid, owner.st_gid)


def valid(settings: Settings, founds: Founds) -> Founds:
    """Without gateways that are gone, or are at another address now."""
    at = {name: gateway.base_url for name, gateway in settings.gateways.items()}
    return {name: found for name, found in founds.items() if found.base_url == at.get(name)}


def filled(settings: Settings, founds: Founds, *, models: bool = True) -> Settings:
    """The settings with what was found where the operator said nothing; `models`: those too.

    A and B are not filled in: an update makes C of them, nobody is told, and what only they read
    would be paid for and lost. C stays C. Any new-api to which the document is spoken counts for C
    too, so that no picture goes where none of its generations reads it.
    """
    gateways = dict(settings.gateways)
    for name, found in founds.items():
        ours = gateways[name]
        open_: dict[str, object] = {}
        is_mistaken = found.software == NEW_API and ours.dialect == "documented"
        if ours.generation is None and (found.generation == LASTING or is_mistaken):
            open_["generation"] = LASTING
        if ours.models is None and models:
            open_["models"] = found.models
        gateways[name] = ours.model_copy(update=open_)
    return settings.model_copy(update={"gateways": gateways})


def now() -> datetime:
    """To the second."""
    return datetime.now(UTC).replace(microsecond=0)

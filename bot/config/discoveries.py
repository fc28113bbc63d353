"""The findings about each gateway, with their date, in `gateways.json` in the data folder.

`init` and `doctor` write the file; loading a configuration reads it. A finding is valid only for
the gateway address that was asked, and fills only settings that the operator left out. The file
holds no secrets.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.config.offered import Offers, building
from bot.config.plugins import Generation
from bot.config.problems import Problem
from bot.config.saving import SHARED, save
from bot.config.settings import Settings
from bot.gateways.offers import Offer
from bot.gateways.which import NEW_API, UNKNOWN

FILE = "gateways.json"
DAMAGED = "found_damaged"
"""The problem code for a file of findings that can't be read."""
LASTING = "C"
"""The generation that a gateway keeps after an update."""


class Changes(BaseModel):
    """The changes of a new list in the models that people could order."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    gone: tuple[dict[str, str], ...] = ()
    """The label and wire name of each model that people can't order any more."""
    prices: tuple[Mapping[str, str | float | bool | None], ...] = ()
    """Each changed price of a second: `label`, `model`, `quality`, `sound`, `before`, `after`, and
    `mine` if the operator's own price counts."""


class Found(BaseModel):
    """The findings about one gateway."""

    model_config = ConfigDict(frozen=True)

    base_url: str
    software: str
    generation: Generation | None = None
    version: str = ""
    models: tuple[str, ...] | None = None
    """Names of the models that our key may use; None if the gateway does not list models."""
    at: AwareDatetime
    """When the gateway was asked last."""
    since: AwareDatetime
    """When this software, generation and version were first found."""
    offers: tuple[Offer, ...] | None = None
    """The models of the gateway's own list; None if it was never read."""
    listed_at: AwareDatetime | None = None
    """When that list was read."""
    doubted: bool = False
    """Whether the last list lacked most models, and is believed only if the next one agrees."""
    changes: tuple[Changes, ...] = ()
    """The latest changes, of which owners are told."""

    @property
    def kind(self) -> tuple[str, str | None, str]:
        """The facts that an update of the gateway can change."""
        return self.software, self.generation, self.version


Founds = Mapping[str, Found]
_FOUNDS = TypeAdapter(dict[str, Found])


def read(folder: Path) -> tuple[Founds, list[Problem]]:
    """Return the stored findings by the gateway's name, and a problem if the file is unusable."""
    file = folder / FILE
    try:
        return _FOUNDS.validate_json(file.read_bytes()), []
    except FileNotFoundError:
        return {}, []
    except (OSError, ValidationError) as error:
        # An unreadable folder is reported by the code that needs the folder.
        is_there = not isinstance(error, OSError) or os.access(file, os.F_OK)
        return {}, [Problem(str(file), DAMAGED)] if is_there else []


def keep(folder: Path, name: str, found: Found) -> Found:
    """Store the findings about a gateway and return them as stored.

    Facts missing in `found` may be kept from the last finding. Raises
    `Refused("output_unwritable")`.
    """
    before, _ = read(folder)
    last = before.get(name)
    if last is not None and last.base_url == found.base_url:
        found = _after(last, found)
    put(folder, name, found, before)
    return found


def put(folder: Path, name: str, found: Found, before: Founds) -> None:
    """Store the findings about a gateway as they are, beside those of the others in `before`.

    Raises `Refused("output_unwritable")`.
    """
    text = _FOUNDS.dump_json({**before, name: found}, indent=1).decode()
    with suppress(OSError):
        _make(folder)
    save(folder / FILE, f"{text}\n", mode=SHARED)


def _after(last: Found, found: Found) -> Found:
    """Return `found`, completed by facts of `last` that a busy gateway did not tell this time."""
    if found.generation is None and found.software in (last.software, UNKNOWN):
        stays = {"software": last.software, "generation": last.generation}
        found = found.model_copy(update={"version": found.version or last.version, **stays})
    if found.offers is None:
        listed = ("offers", "listed_at", "doubted", "changes")
        found = found.model_copy(update={key: getattr(last, key) for key in listed})
    return found.model_copy(update={"since": last.since if found.kind == last.kind else found.at})


def _make(folder: Path) -> None:
    """Create the folder with the owner of its parent folder.

    The command may run as root, and the service as another user.
    """
    if not folder.exists():
        owner = next(each for each in folder.absolute().parents if each.exists()).stat()
        folder.mkdir(mode=0o700, parents=True)
        os.chown(folder, owner.st_uid, owner.st_gid)


def valid(settings: Settings, founds: Founds) -> Founds:
    """Return the findings, without gateways that were removed or have another address now."""
    at = {name: gateway.base_url for name, gateway in settings.gateways.items()}
    return {name: found for name, found in founds.items() if found.base_url == at.get(name)}


def filled(settings: Settings, founds: Founds, *, models: bool = True) -> Settings:
    """Return the settings, completed by findings where the operator set nothing.

    `models`: whether to fill in the lists of models too. Only generation C is filled in. A gateway
    of generation A or B can become C by an update without notice; fields that only A and B read
    would then be lost, in videos that are paid for. A new-api gateway with the dialect
    `documented` counts as C too, so that no picture is sent in a field that no generation reads.
    """
    gateways = dict(settings.gateways)
    for name, found in founds.items():
        ours = gateways[name]
        open_: dict[str, object] = {}
        is_mistaken = found.software == NEW_API and ours.dialect == "documented"
        if ours.generation is None and (found.generation == LASTING or is_mistaken):
            open_["generation"] = LASTING
        if ours.software is None:
            open_["software"] = found.software
        if ours.models is None and models:
            open_["models"] = found.models
        gateways[name] = ours.model_copy(update=open_)
    return settings.model_copy(update={"gateways": gateways})


def offers(settings: Settings, founds: Founds) -> Offers:
    """Return the found models of each gateway whose own list builds the catalog."""
    return building(settings, {name: found.offers or () for name, found in founds.items()})


def now() -> datetime:
    """Return the present time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)

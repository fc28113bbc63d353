"""The data that a Discord client sends: the options of a command, the fields of a modal.

A client offers only what the bot registered or showed. Anything else raises LookupError: no person
could do it.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

from . import payloads
from .interaction import context_of
from .model import Attachment, Channel, Guild, Json, Role, User, walk

ROW, LABEL = 1, 18


OPTION_TYPES: dict[int, type | tuple[type, ...]] = {
    3: str,
    4: int,
    5: bool,
    6: User,
    7: Channel,
    8: Role,
    9: (User, Role),
    10: (int, float),
    11: Attachment,
}


class Field(IntEnum):
    """The types of modal fields that are not filled in like a menu."""

    TEXT = 4
    FILES = 19
    RADIO = 21
    CHECKBOX = 23


class Resolved:
    """The objects that a form names by id, in the form in which the payload carries them."""

    def __init__(self, guild: Guild | None) -> None:
        self._guild = guild
        self._tables: dict[str, Json] = {}

    def wire(self, value: object) -> Any:
        """Return the value as it is sent, and keep its full form for `resolved`."""
        match value:
            case Attachment():
                return self._keep("attachments", value.id, payloads.attachment(value))
            case User():
                if self._guild is not None:
                    self._keep("members", value.id, payloads.acting_member(value, self._guild))
                return self._keep("users", value.id, payloads.user(value))
            case Role():
                return self._keep("roles", value.id, payloads.role(value))
            case Channel():
                partial = {"id": str(value.id), "type": int(value.type), "name": value.name}
                partial["permissions"] = str(int(value.bot_permissions))
                return self._keep("channels", value.id, partial)
            case _:
                return value

    def into(self, data: Json) -> Json:
        """Return the interaction's data, with `resolved` if anything is in it.

        Each table is sorted by id: it is a JSON object, whose order says nothing.
        """
        tables = {name: dict(sorted(table.items())) for name, table in self._tables.items()}
        return data | {"resolved": tables} if tables else data

    def _keep(self, table: str, number: int, shown: Json) -> str:
        self._tables.setdefault(table, {})[str(number)] = shown
        return str(number)


def offered(commands: Sequence[Json], name: str, kind: int, channel: Channel, owners: Json) -> Json:
    """Return the registered command that a person is offered here under this name."""
    for command in commands:
        if command["name"] == name and command["type"] == kind:
            contexts = command.get("contexts")
            installs = command.get("integration_types") or [0]
            here = contexts is None or context_of(channel) in contexts
            if here and any(str(install) in owners for install in installs):
                return command
            raise LookupError(f"{name!r} is not offered in {channel}: {contexts=} {installs=}")
    raise LookupError(f"{name!r} is not registered: {[each['name'] for each in commands]}")


def slash_data(
    command: Json, path: Sequence[str], values: Mapping[str, object], guild: Guild | None
) -> Json:
    """Return the data of a slash command; `path` are the names of a subcommand, if any."""
    resolved = Resolved(guild)
    leaf = _leaf(command, path)
    known = {option["name"]: option for option in leaf.get("options") or ()}
    if values.keys() - known.keys():
        raise LookupError(f"/{command['name']} has no {sorted(values.keys() - known.keys())}")
    missing = {name for name, option in known.items() if option.get("required")} - values.keys()
    if missing:
        raise LookupError(f"/{command['name']} needs {sorted(missing)}")
    filled = [_option(known[name], value, resolved) for name, value in values.items()]
    return resolved.into(_nest(command, path, filled))


def typing_data(
    command: Json, path: Sequence[str], values: Mapping[str, object], focused: str, typed: str
) -> Json:
    """Return the data of an autocomplete request: the options filled in so far and the option being
    typed. Discord sends attachments here by id only, without `resolved`.
    """
    known = {option["name"]: option for option in _leaf(command, path).get("options") or ()}
    if not known[focused].get("autocomplete"):
        raise LookupError(f"{focused!r} of /{command['name']} offers no choices while typing")
    unseen = Resolved(None)
    filled = [_option(known[name], value, unseen) for name, value in values.items()]
    entry = {"name": focused, "type": known[focused]["type"], "value": typed, "focused": True}
    return _nest(command, path, [*filled, entry])


def modal_data(modal: Json, values: Mapping[str | int, object], guild: Guild | None) -> Json:
    """Return the data of a submitted modal.

    Fields are named by label, custom id or position (from 0). A field that is not named keeps what
    the bot filled in.
    """
    resolved = Resolved(guild)
    unused = dict(values)
    filled: list[Json] = []
    for place, (wrapper, label, field) in enumerate(_fields(modal)):
        names = [name for name in (label, field["custom_id"], place) if name in unused]
        given = {"value": unused.pop(names[0])} if names else {}
        entry = _field(field, given, label, resolved)
        if wrapper == LABEL:
            filled.append({"type": LABEL, "component": entry})
        else:
            filled.append({"type": ROW, "components": [entry]})
    if unused:
        labels = [label for _, label, _ in _fields(modal)]
        raise LookupError(f"the modal has no {list(unused)}, only {labels}")
    return resolved.into({"custom_id": modal["custom_id"], "components": filled})


def find_control(components: Sequence[Json], wanted: str) -> Json:
    """Return the button or menu with this custom id, or the button with this label."""
    controls = [each for each in walk(list(components)) if "custom_id" in each]
    for control in controls:
        if wanted in (control["custom_id"], control.get("label")):
            if control.get("disabled"):
                raise LookupError(f"{wanted!r} is disabled")
            return control
    there = [control.get("label") or control["custom_id"] for control in controls]
    raise LookupError(f"nothing to press is called {wanted!r}, only {there}")


def _leaf(command: Json, path: Sequence[str]) -> Json:
    for word in path:
        below = {option["name"]: option for option in command.get("options") or ()}
        if word not in below:
            raise LookupError(f"/{command['name']} has no subcommand {word!r}")
        command = below[word]
    return command


def _nest(command: Json, path: Sequence[str], filled: list[Json]) -> Json:
    for depth in range(len(path), 0, -1):
        kind = _leaf(command, path[:depth])["type"]
        filled = [{"name": path[depth - 1], "type": kind, "options": filled}]
    return {"id": command["id"], "name": command["name"], "type": 1, "options": filled}


def _option(option: Json, value: object, resolved: Resolved) -> Json:
    choices = option.get("choices")
    if not isinstance(value, OPTION_TYPES[option["type"]]):
        raise LookupError(f"{option['name']!r} takes no {type(value).__name__}")
    if choices and value not in [choice["value"] for choice in choices]:
        raise LookupError(f"{value!r} is no choice of {option['name']!r}")
    return {"name": option["name"], "type": option["type"], "value": resolved.wire(value)}


def _fields(modal: Json) -> Iterator[tuple[int, str, Json]]:
    for component in modal["components"]:
        if component["type"] == LABEL:
            yield LABEL, component["label"], component["component"]
        elif component["type"] == ROW:
            yield ROW, component["components"][0]["label"], component["components"][0]


def _field(field: Json, given: Mapping[str, object], label: str, resolved: Resolved) -> Json:
    entry: Json = {"type": field["type"], "custom_id": field["custom_id"]}
    preset = [option["value"] for option in field.get("options", ()) if option.get("default")]
    match field["type"]:
        case Field.TEXT:
            entry["value"] = value = given.get("value", field.get("value") or "")
        case Field.RADIO:
            entry["value"] = value = given.get("value", preset[0] if preset else None)
        case Field.CHECKBOX:
            entry["value"] = given.get("value", field.get("default", False))
            value = True  # An empty field is an answer too.
        case _:
            picked = given.get("value", preset)
            picked = list(picked) if isinstance(picked, list | tuple) else [picked]
            entry["values"] = value = [resolved.wire(item) for item in picked]
            _check_count(field, label, len(picked))
    if field.get("required", True) and not value:
        raise LookupError(f"the modal needs {label!r}")
    return entry


def _check_count(field: Json, label: str, count: int) -> None:
    """Refuse more or fewer values than the field allows; by default it allows one."""
    fewest, most = field.get("min_values"), field.get("max_values") or 1
    if count > most or (count and count < (1 if fewest is None else fewest)):
        raise LookupError(f"{label!r} takes no {count} values")
    if field["type"] == Field.FILES and not 1 <= most <= 10:
        raise LookupError(f"{label!r} can't have {most} files")

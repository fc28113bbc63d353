"""Records the gateway's requests and charges, in order, for tests and people.

Pictures are recorded as size and hash, never as bytes; keys are not recorded.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bot.simulator.bodies import Body
from bot.simulator.faults import OPERATIONS, Operation
from bot.simulator.pictures import bare, data_uri
from bot.simulator.plugins import Translated
from bot.simulator.scenes import Picture

LONGEST_WORD = 64
"""Most characters of an ordinary text. A longer text that is valid base64 counts as a picture."""


@dataclass(frozen=True, slots=True)
class File:
    """One file part of a request."""

    filename: str
    content_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A request body as the journal records it.

    A `data:` URI is recorded as `{"data_uri": {media_type, bytes, sha256}}`. Lists and objects of a
    JSON body stay what they are; all other values are texts. Metadata that is valid JSON is parsed
    into `metadata`, and is not among the fields.
    """

    fields: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fully received request to the API and its result.

    `video` is the video's id if the request was about a known video. `status` is the status of the
    response, or None if the connection was cut; a response to a Range request is recorded with 200.
    A request that the vendor refused is charged and refunded if the gateway charges in advance.
    `built` is what reached the model, at gateways that drop parts of requests.
    """

    at: float
    operation: Operation
    method: str
    path: str
    video: str | None
    model: str | None
    fields: Mapping[str, object]
    files: Mapping[str, File]
    metadata: Mapping[str, object]
    status: int | None
    charged: bool
    refunded: bool = False
    built: Mapping[str, object] | None = None
    authorized: bool = True  # whether there was an Authorization header, right or wrong

    def as_json(self) -> dict[str, object]:
        """Return the entry for the journal page, where the video's id is called `id`."""
        words = asdict(self)
        if self.built is None:
            del words["built"]
        return {"id": words.pop("video"), **words}


def describe(body: Body) -> Contents:
    """Describe a body for the journal. Hashes every picture, so call it in a thread."""
    rest = dict(body.fields)
    extras = _metadata(body)
    if extras:
        del rest["metadata"]
    return Contents(
        fields={name: _without_bytes(_value(body, name)) for name in rest},
        files={
            name: File(part.filename, part.content_type, len(part.data), _sha256(part.data))
            for name, part in body.files.items()
        },
        metadata={name: _without_bytes(value) for name, value in extras.items()},
    )


def _value(body: Body, name: str) -> object:
    """Return a field as text, or the list or object that it is in a JSON body."""
    value = (body.json or {}).get(name)
    return value if isinstance(value, list | dict) else body.fields[name]


def vendors(made: Translated, pictures: Sequence[Picture]) -> Mapping[str, object]:
    """Describe what reached a model, in the same form for all gateways.

    Hashes every picture, so call it in a thread.
    """
    built = made.built
    words = asdict(built)
    words["fields"] = _without_base64(words.pop("body"))
    words["pictures"] = [
        {"role": shot.role, **_seen(picture)}
        for shot, picture in zip(built.pictures, pictures, strict=True)
    ]
    words["videos"] = [{"role": shot.role, **_shown(shot.data)} for shot in built.videos]
    return {"plugin": made.plugin, "version": made.version, **words}


def _seen(picture: Picture) -> Mapping[str, object]:
    return {"url": picture} if isinstance(picture, str) else {"sha256": _sha256(picture)}


def _shown(video: str) -> Mapping[str, object]:
    found = data_uri(video)
    return {"url": video} if found is None else {"sha256": _sha256(found[1])}


def as_json(entries: list[Entry]) -> dict[str, object]:
    """Return the journal page: every entry, and the totals."""
    return {
        "journal": [entry.as_json() for entry in entries],
        "totals": {
            "posts": sum(entry.operation == "create" for entry in entries),
            "charges": sum(entry.charged for entry in entries),
            "refunds": sum(entry.refunded for entry in entries),
        },
    }


class Journal:
    """The entries in order, with a queue of new entries for each operation."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._arrivals: dict[Operation, asyncio.Queue[Entry]] = {
            name: asyncio.Queue() for name in OPERATIONS
        }

    def record(self, entry: Entry) -> None:
        """Record a request that was received and carried out."""
        self.entries.append(entry)
        self._arrivals[entry.operation].put_nowait(entry)

    async def next(self, operation: Operation) -> Entry:
        """Wait for the earliest entry of this operation that `next` has not returned yet."""
        return await self._arrivals[operation].get()


def _metadata(body: Body) -> dict[str, object]:
    try:
        extras = json.loads(body.fields.get("metadata", ""))
    except (ValueError, RecursionError):
        return {}
    return extras if isinstance(extras, dict) else {}


def _without_bytes(value: object) -> object:
    match value:
        case str() if (found := data_uri(value)) is not None:
            media_type, data = found
            kept = {"media_type": media_type, "bytes": len(data), "sha256": _sha256(data)}
            return {"data_uri": kept}
        case dict():
            return {name: _without_bytes(item) for name, item in value.items()}
        case list():
            return [_without_bytes(item) for item in value]
        case _:
            return value


def _without_base64(value: object) -> object:
    """Replace bytes as `_without_bytes`, and bare base64 by `{"base64": {bytes, sha256}}`."""
    match _without_bytes(value):
        case str() as word if len(word) > LONGEST_WORD and (data := bare(word)) is not None:
            return {"base64": {"bytes": len(data), "sha256": _sha256(data)}}
        case dict() as items:
            return {name: _without_base64(item) for name, item in items.items()}
        case list() as items:
            return [_without_base64(item) for item in items]
        case rest:
            return rest


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""Find out which kinds of a model's table can be sent in a gateway's dialect, and its mistakes.

A picture or a video may only travel in fields where it arrives. A field where a server would drop
it is a mistake in the table, or its kind is not offered.
"""

import re
from collections.abc import Iterable

from bot.config.layers import Route, Tables
from bot.config.tables import FieldsTable, ModelTable
from bot.core.models import EACH, Fields, Model
from bot.core.orders import OF_VIDEO, Kind, Transport
from bot.gateways.dialects import Dialect

FILES = {
    Kind.PICTURE: 1,
    Kind.KEY_FRAMES: 2,
    Kind.SOUND: 2,
    Kind.REFERENCES: 1,
    Kind.VIDEO: 1,
    Kind.EXTEND: 1,
}
"""Kind → the number of lists of fields for its files. One list is for all references."""


class Wrong(Exception):
    """A mistake in a model's table, with the key in that table."""

    def __init__(self, key: str, code: str, **values: object) -> None:
        self.key, self.code, self.values = key, code, values


def kinds_of(row: ModelTable, dialect: Dialect, *, linked: bool) -> tuple[Kind, ...]:
    """Return the kinds of the table, without those whose files can't be sent in this dialect.

    `linked`: whether there is a public address. Without one there are no links, and most vendors
    take a video only by link.
    """
    kinds = [kind for kind in row.kinds if kind not in row.lacks]
    unread = [kind for kind in kinds if kind in FILES and not _is_read(row, kind, dialect)]
    if unread and not dialect.packaged:
        read = (dialect.as_file if _is_uploaded(row, unread[0]) else dialect.as_text) or ()
        raise Wrong(f"places.{unread[0]}", "place_unread", can=", ".join(sorted(read)) or "–")
    by_link = [
        kind
        for kind in OF_VIDEO
        if not linked
        and _transport(row, kind) is Transport.URL
        and not (kind is Kind.EXTEND and row.places.extend_id)
    ]
    return tuple(kind for kind in kinds if kind not in (*unread, *by_link))


def fields_of(table: FieldsTable, dialect: Dialect) -> Fields:
    """Return the fields of a table. A dialect has its own fields for options without any."""
    plain = table.model_dump(exclude={kind.value for kind in FILES})
    if table.extras is None:
        plain["extras"] = dialect.extras
    return Fields(**plain, files={kind: getattr(table, kind) for kind in FILES})


def check_fields(row: ModelTable, kinds: Iterable[Kind], places: Fields, dialect: Dialect) -> None:
    """Raise `Wrong` if a file has no field, or a field would make gateways answer 400."""
    is_form, texts = row.body == "form", dialect.as_text or frozenset()
    fields = [*places.size, *places.aspect, *places.length, *places.extras, *places.extend_id]
    for kind in (each for each in kinds if each in FILES):
        key, given = f"places.{kind}", places.files[kind]
        each = [place for several in given for place in several]
        uploads = _is_uploaded(row, kind)
        if kind is Kind.EXTEND and places.extend_id and not given:
            continue
        _check_numbered(kind, each, places)
        if len(given) != FILES[kind]:
            raise Wrong(key, "places_missing", given=len(given), wanted=FILES[kind])
        if uploads and not is_form:
            raise Wrong(key, "file_in_json")
        if uploads and any("." in place for place in each):
            raise Wrong(key, "place_of_file")
        is_one_of_many = [place.partition("[")[0] for place in each].count("images") == 1
        if (is_form and not uploads and is_one_of_many) or len(set(each)) < len(each):
            raise Wrong(key, "place_repeated")
        fields += [place for place in each if _outer(place) not in texts]
    if is_form and any("." in f and not f.startswith("metadata.") for f in fields):
        raise Wrong("places", "table_in_form")


def check_link(own: Tables, *, linked: bool) -> None:
    """Raise `Wrong` if the operator's `own` table sends videos as links, and there are none.

    A packaged model without links only lacks these kinds.
    """
    video = own.get("video", {})
    if not linked and isinstance(video, dict) and video.get("transport") == Transport.URL:
        raise Wrong("video.transport", "link_nowhere")


def check_way(table: Tables, model: Model, dialect: Dialect, *, linked: bool) -> None:
    """Raise `Wrong` if the model's way of sending files would lose people's files."""
    # new-api drops the file that goes up with a sound; its variants may not.
    own = Route.model_validate(table).dialects.get(dialect.name, {}).get("places", {})
    if dialect.drops_sounds and Kind.SOUND in model.kinds and Kind.SOUND not in own:
        raise Wrong(f"dialects.{dialect.name}.places.s2v", "sound_dropped")
    if not linked and any(model.links(kind) for kind in model.kinds if kind not in OF_VIDEO):
        raise Wrong("picture.transport", "link_nowhere")


def _check_numbered(kind: Kind, paths: Iterable[str], places: Fields) -> None:
    """Raise `Wrong` if a field of references lacks `[*]`, or a field of another file has it."""
    for path in paths:
        if (EACH in path) is not (kind is Kind.REFERENCES):
            code = "place_unnumbered" if kind is Kind.REFERENCES else "place_numbered"
            raise Wrong(f"places.{kind}", code, given=path)
    for path in places.fixed.get(kind, {}):
        if EACH in path and kind is not Kind.REFERENCES:
            raise Wrong(f"places.fixed.{kind}", "place_numbered", given=path)


def _is_read(row: ModelTable, kind: Kind, dialect: Dialect) -> bool:
    """Whether servers of this dialect read the fields of this kind's files, sent as they are."""
    if _transport(row, kind) is None:
        return True
    read = dialect.as_file if _is_uploaded(row, kind) else dialect.as_text
    if read is None:
        return True
    paths = (path for each in getattr(row.places, kind) for path in each)
    return bool(read) and set(map(_outer, paths)) <= read


def _is_uploaded(row: ModelTable, kind: Kind) -> bool:
    """Whether the files of this kind are sent as files."""
    return _transport(row, kind) is Transport.UPLOAD


def _transport(row: ModelTable, kind: Kind) -> Transport | None:
    """Return how the files of this kind are sent; None if the table does not say."""
    if kind in OF_VIDEO:
        return row.video.transport if row.video else None
    return row.picture.transports.get(kind, row.picture.transport) if row.picture else None


def _outer(path: str) -> str:
    """Return the first name of a field's path: `image_reference[0].url` → `image_reference`."""
    return re.split(r"[.\[]", path)[0]

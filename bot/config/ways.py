"""How a model's files are sent: the kinds that can be sent at all, their fields, and mistakes."""

from collections.abc import Iterable

from bot.config.layers import Route, Tables
from bot.config.settings import Dialect
from bot.config.tables import FieldsTable, ModelTable
from bot.core.models import EACH, Fields, Model
from bot.core.orders import Kind, Transport

_FILES = {
    Kind.PICTURE: 1,
    Kind.KEY_FRAMES: 2,
    Kind.SOUND: 2,
    Kind.REFERENCES: 1,
    Kind.VIDEO: 1,
    Kind.EXTEND: 1,
}
"""Kind → the number of lists of fields for its files. One list is for all references."""
_OF_VIDEO = (Kind.VIDEO, Kind.EXTEND)


class Wrong(Exception):
    """A mistake in a model's table, with the key in that table."""

    def __init__(self, key: str, code: str, **values: object) -> None:
        self.key, self.code, self.values = key, code, values


def kinds_of(row: ModelTable, dialect: Dialect, *, linked: bool) -> tuple[Kind, ...]:
    """Return the kinds of the table, without those whose files can't be sent.

    OpenAI's own API takes a file only as a file, and knows no metadata. Without a public address
    there are no links, and most vendors take a video only by link.
    """
    lacks = set(row.lacks)
    for kind in _FILES:
        way = _transport(row, kind)
        if dialect == "openai" and way not in (None, Transport.UPLOAD):
            lacks.add(kind)
        by_id = kind is Kind.EXTEND and row.places.extend_id
        if kind in _OF_VIDEO and way is Transport.URL and not linked and not by_id:
            lacks.add(kind)
    return tuple(kind for kind in row.kinds if kind not in lacks)


def _transport(row: ModelTable, kind: Kind) -> Transport | None:
    """Return how the files of this kind are sent; None if the table does not say."""
    way = row.video if kind in _OF_VIDEO else row.picture
    return way.transport if way is not None else None


def fields_of(table: FieldsTable, dialect: Dialect) -> Fields:
    """Return the fields of the body, those of files by kind."""
    plain = table.model_dump(exclude={kind.value for kind in _FILES})
    if table.extras is None:
        plain["extras"] = () if dialect == "openai" else ("metadata.*",)
    return Fields(**plain, files={kind: getattr(table, kind) for kind in _FILES})


# --- its mistakes --------------------------------------------------------------------------------


def check_fields(row: ModelTable, kinds: Iterable[Kind], places: Fields) -> None:
    """Raise `Wrong` if a file has no field, or a field would make gateways answer 400."""
    is_form = row.body == "form"
    fields = [*places.size, *places.aspect, *places.length, *places.extras, *places.extend_id]
    for kind in (each for each in kinds if each in _FILES):
        key, given, wanted = f"places.{kind}", places.files[kind], _FILES[kind]
        each = [place for several in given for place in several]
        uploads = _transport(row, kind) is Transport.UPLOAD
        if kind is Kind.EXTEND and places.extend_id and not given:
            continue
        _check_numbered(kind, each, places)
        if len(given) != wanted:
            raise Wrong(key, "places_missing", given=len(given), wanted=wanted)
        if uploads and not is_form:
            raise Wrong(key, "file_in_json")
        if uploads and any("." in place for place in each):
            raise Wrong(key, "place_of_file")
        is_one_of_many = [place.partition("[")[0] for place in each].count("images") == 1
        if (is_form and not uploads and is_one_of_many) or len(set(each)) < len(each):
            raise Wrong(key, "place_repeated")
        fields += each
    if is_form and any("." in f and not f.startswith("metadata.") for f in fields):
        raise Wrong("places", "table_in_form")


def _check_numbered(kind: Kind, paths: Iterable[str], places: Fields) -> None:
    """Raise `Wrong` if a field of references lacks `[*]`, or a field of another file has it."""
    for path in paths:
        if (EACH in path) is not (kind is Kind.REFERENCES):
            code = "place_unnumbered" if kind is Kind.REFERENCES else "place_numbered"
            raise Wrong(f"places.{kind}", code, given=path)
    for path in places.fixed.get(kind, {}):
        if EACH in path and kind is not Kind.REFERENCES:
            raise Wrong(f"places.fixed.{kind}", "place_numbered", given=path)


def check_link(own: Tables, *, linked: bool) -> None:
    """Raise `Wrong` if the operator's `own` table sends videos as links, and there are none.

    A packaged model without links only lacks these kinds.
    """
    video = own.get("video", {})
    if not linked and isinstance(video, dict) and video.get("transport") == Transport.URL:
        raise Wrong("video.transport", "link_nowhere")


def check_way(table: Tables, model: Model, *, linked: bool) -> None:
    """Raise `Wrong` if the model's way of sending files would lose people's files."""
    # new-api drops the file that goes up with a sound; its variants may not.
    own = Route.model_validate(table).dialects.get("new-api", {}).get("places", {})
    if model.dialect == "new-api" and Kind.SOUND in model.kinds and Kind.SOUND not in own:
        raise Wrong("dialects.new-api.places.s2v", "sound_dropped")
    by_link = model.picture is not None and model.picture.transport is Transport.URL
    if by_link and not linked and not _FILES.keys().isdisjoint({*model.kinds} - {*_OF_VIDEO}):
        raise Wrong("picture.transport", "link_nowhere")

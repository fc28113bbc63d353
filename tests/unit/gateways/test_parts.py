"""No text part of a form is over 1 MiB, for any model, dialect, kind and files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config import load
from bot.core.catalog import Catalog
from bot.core.errors import Broken
from bot.core.models import Model
from bot.core.orders import Kind, Order, Sound, Transport, VideoRequest
from bot.core.parts import TEXT_PART, room, within
from bot.core.wishes import Extra
from bot.gateways.requests import build
from tests.unit.core.orders import changed

from .bodies import DIALECTS, FILES, PICTURE, catalog, gateway, ordered
from .samples import request, with_files

MIB = 1_048_576
LINK = "https://videos.example/i/" + "x" * 200
SONG = Sound(source=None, filename="a.mp3", size=9, seconds=19.0, key="kept")
SINGER = {
    "wan2.2-s2v": {
        "family": "singer",
        "wire": "wan",
        "kinds": ["s2v"],
        "sizes": {"480p": "480P"},
        "places": {"s2v": [["metadata.image_url"], ["metadata.audio_url"]]},
        "takes": [],
        "silent": False,
    }
}
WIDEST = {Extra.SEED: 2**31 - 1, Extra.AUDIO: True}
KINDS = FILES | {Kind.SOUND: 2}


def singing() -> Catalog:
    """Return a catalog with a model that takes sounds."""
    environment = gateway("documented") | {"ZOETROPE_MODELS": json.dumps(SINGER)}
    return load(None, environment=environment).catalog


CATALOGS = {dialect: catalog(dialect) for dialect in DIALECTS} | {"with sounds": singing()}
ROWS = [
    pytest.param(known, model, kind, id=f"{name}-{model.name}-{kind}")
    for name, known in CATALOGS.items()
    for model in known.models
    for kind in model.kinds
    if KINDS.get(kind) and not model.is_json
]


def longest(model: Model, kind: Kind) -> Order:
    """Return an order with the longest texts of the model, in characters of four bytes."""
    order = ordered(model, Kind.PICTURE if kind is Kind.SOUND else kind)
    order = changed(order, prompt="🐈" * model.prompt_limit)
    order = replace(order, sound=SONG if kind is Kind.SOUND else None)
    if Extra.NEGATIVE_PROMPT in model.takes:
        order = changed(order, negative_prompt="🐈" * model.negative_limit)
    return order


def files(folder: Path, size: int, count: int) -> list[Path]:
    file = folder / "kept.jpg"
    with file.open("wb") as opened:
        opened.truncate(size)
    return [file] * count


def largest(wanted: VideoRequest, kind: Kind) -> int:
    """Return the size in bytes of the largest file that fitting can produce."""
    fits = [fit.most_bytes for fit in (wanted.fit, wanted.sound_fit) if fit]
    assert fits
    return min(max(fits), 8_000_000)


def text_parts(wanted: VideoRequest, given: list[Path], links: list[str]) -> list[int]:
    """Return the size of each text part of the built form."""
    return [len(text.encode()) for _, text in build(wanted, given, links).fields]


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(("known", "model", "kind"), ROWS)
def test_the_largest_files_that_are_made_to_fit_keep_each_text_part_within_1_mib(
    tmp_path: Path, known: Catalog, model: Model, kind: Kind, linked: bool
) -> None:
    """Tries sizes at the limit, one byte beyond what fits into the body, and far beyond it."""
    _, wanted = replace(known, linked=linked).choose(longest(model, kind))
    links = [LINK] * KINDS[kind] if linked else []
    fits = {wanted.url_above, largest(wanted, kind)} if linked else {largest(wanted, kind)}
    for size in {each + more for each in fits if each for more in (0, int(linked))}:
        parts = text_parts(wanted, files(tmp_path, size, KINDS[kind]), links)
        assert max(parts) <= MIB


@pytest.mark.parametrize(("known", "model", "kind"), ROWS)
def test_a_file_sent_as_text_may_use_all_the_room_in_the_body(
    tmp_path: Path, known: Catalog, model: Model, kind: Kind
) -> None:
    """Otherwise people would get worse pictures than necessary."""
    _, wanted = known.choose(ordered(model, kind) if kind in FILES else longest(model, kind))
    if wanted.transport is Transport.UPLOAD:
        assert room(wanted) is None
        return
    most = room(wanted)
    assert most is not None
    assert max(text_parts(wanted, files(tmp_path, most, KINDS[kind]), [])) > 0.99 * MIB


_SLOTS = st.sampled_from(["image", "images", "metadata.a", "metadata.b.c", "metadata.größe"])
_VALUES = st.text(st.characters(codec="utf-8"), max_size=3_000) | st.integers() | st.booleans()


@pytest.mark.proof
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    places=st.lists(st.lists(_SLOTS, min_size=1, max_size=4, unique=True), min_size=1, max_size=3),
    values=st.lists(_VALUES, max_size=5),
    transport=st.sampled_from([Transport.DATA_URI, Transport.BASE64]),
)
def test_the_computed_room_is_enough_for_any_fields_and_larger_parts_are_refused(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[list[str]],
    values: list[str | int | bool],
    transport: Transport,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    parameters = tuple((f"metadata.x{number}", value) for number, value in enumerate(values))
    # One field twice would be the same key of the metadata, and the later file would win.
    own = [tuple(f"{each}{number}" for each in at) for number, at in enumerate(places)]
    wanted = with_files(transport, *own, parameters=parameters)
    most = room(wanted)
    assert most is not None

    assert max(text_parts(wanted, files(folder, most, len(own)), [])) <= MIB
    with pytest.raises(Broken, match="text_part_too_large"):
        build(wanted, files(folder, most + 10_000, len(own)))


def test_a_prompt_over_1_mib_is_not_sent() -> None:
    build(request(prompt="x" * MIB), [])
    with pytest.raises(Broken, match="text_part_too_large"):
        build(request(prompt="x" * (MIB + 1)), [])


def test_a_file_sent_by_link_or_as_an_upload_has_no_size_limit_of_its_own() -> None:
    for transport in (Transport.URL, Transport.UPLOAD):
        assert room(with_files(transport, ("image",))) is None
    assert room(request()) is None
    assert TEXT_PART == MIB


# --- limits of a whole body ----------------------------------------------------------------------


@pytest.mark.parametrize("transport", [Transport.UPLOAD, Transport.DATA_URI, Transport.BASE64])
@pytest.mark.parametrize("body", [300_000, 1_000_000, 5_000_000])
def test_a_body_within_a_known_limit_of_its_gateway_uses_that_limit_but_not_more(
    tmp_path: Path, transport: Transport, body: int
) -> None:
    wanted = with_files(transport, ("first", "metadata.first"), ("last",), prompt="🐈" * 9_000)
    most = room(wanted, body)
    assert most is not None
    built = build(wanted, files(tmp_path, most, 2))
    whole = sum(len(text.encode()) + len(name) + 200 for name, text in built.fields)
    whole += sum(part.path.stat().st_size + 300 for part in built.files)
    assert 0.9 * min(body, 3 * MIB if transport is not Transport.UPLOAD else body) < whole + 5_000
    assert whole <= body


def test_a_json_body_has_room_for_the_largest_picture_that_people_may_send(tmp_path: Path) -> None:
    _, wanted = CATALOGS["new-api"].choose(
        replace(ordered(CATALOGS["new-api"].models[1], Kind.PICTURE), pictures=(PICTURE,))
    )
    assert wanted.is_json
    assert room(wanted) is None
    assert len(build(wanted, files(tmp_path, 8_000_000, 1)).json or b"") > 2 * 8_000_000


def test_a_body_that_is_already_full_has_no_room_for_files() -> None:
    assert room(with_files(Transport.UPLOAD, ("image",), prompt="x" * 5_000), 1_000) == 0


def test_limits_on_files_only_become_smaller_and_linkable_files_are_sent_by_link() -> None:
    _, wanted = CATALOGS["new-api"].choose(
        replace(ordered(CATALOGS["new-api"].models[1], Kind.PICTURE), pictures=(PICTURE,))
    )
    assert wanted.fit is not None
    wanted = replace(wanted, fit=replace(wanted.fit, most_bytes=700_000), url_above=500_000)
    small = within(wanted, 90_000, linked=False)
    assert small.fit is not None
    assert (small.fit.most_bytes, small.url_above) == (90_000, 90_000)
    assert within(small, 95_000, linked=False) == small
    assert within(small, None, linked=False) == small
    by_link = within(wanted, 90_000, linked=True)
    assert by_link == replace(wanted, url_above=90_000)

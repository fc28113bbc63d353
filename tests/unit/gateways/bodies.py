"""Every body that the packaged catalog makes, as text to compare with the rules of each vendor.

`python -m tests.unit.gateways.bodies` writes the file again.
"""

import base64
import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bot.config import load
from bot.core.catalog import Catalog
from bot.core.models import Model
from bot.core.orders import Address, Call, Kind, Order, Person, Picture
from bot.core.wishes import Extra, Wish
from bot.gateways.requests import build
from bot.net.sending import Body
from tests.unit.core.orders import changed

FILE = Path(__file__).with_name("bodies.txt")
DIALECTS = ("documented", "new-api", "openai")
PICTURE = Picture(source=None, filename="a.jpg", size=3, width=1280, height=720, key="kept")
FILES = {Kind.TEXT: 0, Kind.PICTURE: 1, Kind.KEY_FRAMES: 2, Kind.REFERENCES: 3}
"""The number of pictures of each order."""
PLAIN = Order(
    call=Call(
        event_id="e",
        address=Address(platform="test", channel="c"),
        person=Person(id="1", name="Ada"),
        locale="en",
    ),
    wish=Wish(prompt="a cat"),
)
WISHES = {
    Extra.AUDIO: True,
    Extra.SEED: 7,
    Extra.NEGATIVE_PROMPT: "rain",
    Extra.PROMPT_EXTEND: True,
}
_BYTES = {"a.jpg": b"one", "b.jpg": b"two", "c.jpg": b"three."}
_GIVEN = ("prompt", "model")
_SHORT = {base64.b64encode(data).decode(): f"<{data.decode()}>" for data in _BYTES.values()}


@cache
def catalog(dialect: str) -> Catalog:
    """Return the packaged catalog at a gateway that speaks `dialect`."""
    return load(None, environment=gateway(dialect)).catalog


def gateway(dialect: str) -> dict[str, str]:
    """Return the environment of a configuration with a gateway that speaks `dialect`."""
    variables = {"BASE_URL": "http://localhost", "API_KEY": "sk", "DIALECT": dialect}
    return {f"ZOETROPE_GATEWAYS__G__{name}": value for name, value in variables.items()}


def pictures(folder: Path, count: int) -> list[Path]:
    """Write that many files to send."""
    for name, data in _BYTES.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in list(_BYTES)[:count]]


def ordered(model: Model, kind: Kind) -> Order:
    """Return an order with every option that the model takes."""
    wishes = {extra.value: WISHES[extra] for extra in model.takes if extra in WISHES}
    given = (PICTURE,) * FILES[kind]
    return changed(PLAIN, family=model.name, pictures=given, **wishes)


def every(folder: Path) -> Iterator[str]:
    """Yield one paragraph per model, kind and dialect."""
    for dialect in DIALECTS:
        known = catalog(dialect)
        for model in known.models:
            for kind in (each for each in model.kinds if each in FILES):
                request = known.choose(ordered(model, kind))[1]
                body = build(request, pictures(folder, FILES[kind]))
                yield f"{dialect} · {model.name} · {kind}\n{drawn(body)}"


def drawn(body: Body) -> str:
    """Return a body as text, without prompt and model and with its pictures as <one>, <two>, …"""
    if body.json is not None:
        said = json.loads(body.json)
        said |= {"metadata": said.pop("metadata", {})}  # last, as in a form
        lines = [f"  {path}: {value}" for path, value in leaves(said) if path not in _GIVEN]
        lines.insert(0, "  JSON")
    else:
        lines = [f"  {name}: {value}" for name, value in body.fields[2:] if name != "metadata"]
        lines += [f"  {part.name}: file {part.filename} {part.media_type}" for part in body.files]
        metadata = json.loads(dict(body.fields).get("metadata", "{}"))
        lines += [f"  metadata.{path}: {value}" for path, value in leaves(metadata)]
    text = "\n".join(lines)
    for encoded, short in _SHORT.items():
        text = text.replace(encoded, short)
    return text + "\n"


def leaves(tree: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the JSON of each value."""
    match tree:
        case dict():
            for key, value in tree.items():
                yield from leaves(value, f"{path}.{key}" if path else key)
        case list():
            for number, value in enumerate(tree):
                yield from leaves(value, f"{path}[{number}]")
        case _:
            yield path, json.dumps(tree)


def whole() -> str:
    """Return the content of the file of bodies."""
    with tempfile.TemporaryDirectory() as folder:
        return "\n".join(every(Path(folder)))


if __name__ == "__main__":
    FILE.write_text(whole(), "utf-8")

"""The plugin for OpenAI's Sora: it passes the fields on, and OpenAI's API checks them."""

from bot.simulator.bodies import Body
from bot.simulator.models import SORA
from bot.simulator.plugins.plugin import (
    LONGEST,
    Built,
    Plugin,
    Sent,
    Shot,
    Unpriced,
    Way,
    fields,
    json_only,
    refused,
    upload,
)
from bot.simulator.plugins.values import Values, number, text
from bot.simulator.refusals import Refused
from bot.simulator.vendors import sora as vendor

SIZES = ("720x1280", "1280x720", "1792x1024", "1024x1792")
"""The sizes for which the plugin has a price."""
ANY = 1 << 40


def decode(sent: Sent) -> Values:
    """Read all fields of a request; a file is passed on as a `data:` URI."""
    said = fields(sent)
    asked = said["seconds"] if said.get("seconds") is not None else said.get("duration")
    if asked is not None and not 0 < number(asked) <= LONGEST:
        raise ValueError(f"seconds must be between 1 and {LONGEST}")
    if file := upload(sent, most=ANY, prefix=True):
        said["input_reference"] = {"image_url": file}
    return said


def build(model: str, said: Values) -> Built:
    """Build the vendor's request. Raises `ValueError` without a prompt or a price for the size."""
    if not text(said.get("prompt")):
        raise ValueError("field prompt is required")
    size = text(said.get("size")) or SIZES[0]
    if size not in SIZES:
        raise Unpriced(f"usage fact size: {size} is not declared")
    seconds = number(said.get("seconds") or said.get("duration") or 4)
    picture = said.get("input_reference")
    link = text(picture.get("image_url")) if isinstance(picture, dict) else ""
    return Built(
        body={**said, "model": model},
        prompt=text(said["prompt"]),
        seconds=int(seconds),
        unit="second",
        held=seconds,
        settled=seconds,
        resolution=size,
        pictures=(Shot("first_frame", link),) if link else (),
    )


def complaint(_model: str, built: Built) -> str | None:
    """Raise OpenAI's refusal of a request, as its own API words it."""
    said = {name: value for name, value in built.body.items() if value is not None}
    if "seconds" in said:
        said["seconds"] = f"{number(said['seconds']):g}"
    texts = {name: value for name, value in said.items() if isinstance(value, str)}
    try:
        vendor.scene(Body(texts, json=said, kind="application/json"), SORA)
    except Refused as refusal:
        raise refused(refusal.message, refusal.code or "invalid_request_error") from refusal
    return None


PLUGIN = Plugin(
    key="sora",
    newest="1.1.0",
    ways={
        "1.0.0": Way(tuple(SORA), json_only, build),
        "1.0.1": Way(tuple(SORA), decode, build),
    },
    check=complaint,
)

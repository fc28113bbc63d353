"""Read the list `/v1/models` of one's own server: it tells the name of the model that it serves.

`served.toml` has the facts that names suggest. All of them are guesses.
"""

import re
import tomllib
from importlib.resources import files

from bot.core.orders import Kind
from bot.gateways.offers.offer import MOST_OFFERS, Offer, family_of, label_of, rows

_SAID = tomllib.loads(files("bot.gateways.offers").joinpath("served.toml").read_text("utf-8"))
_PATTERNS = [(re.compile(row["name"], re.IGNORECASE), row) for row in _SAID["names"]]
_FACTS = ("kinds", "seconds", "sizes")


def read(answer: object) -> tuple[Offer, ...]:
    """Return the served models, with the facts that their names suggest."""
    return tuple(_offer(name) for name, _ in rows(answer))[:MOST_OFFERS]


def _offer(name: str) -> Offer:
    tail = re.sub(r"(?i)-(diffusers|hf)$", "", name.rstrip("/").rpartition("/")[2])
    label = label_of(re.sub(r"[-_]+", " ", tail))
    said = next((row for pattern, row in _PATTERNS if pattern.search(tail)), None)
    if said is None:
        return Offer(model=name, label=label, family=family_of(tail))
    return Offer(
        model=name,
        label=label,
        family=family_of(tail),
        kinds=tuple(map(Kind, said["kinds"])),
        seconds=tuple(said["seconds"]),
        sizes=said["sizes"],
        sound=said.get("sound", False),
        guessed=_FACTS,
    )

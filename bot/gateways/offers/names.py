"""Read a list `/v1/models` that tells names, as new-api's does, and perhaps endpoint types."""

from bot.gateways.offers.offer import MOST_OFFERS, Offer, Row, rows, words

VIDEO = "openai-video"
"""The endpoint type of new-api for models that make videos at `/v1/videos`."""


def read(answer: object) -> tuple[Offer, ...]:
    """Return the models of the list. Those that surely make videos come first."""
    found = [Offer(model=name, endpoint_types=_types(row)) for name, row in rows(answer)]
    return tuple(sorted(found, key=lambda it: VIDEO not in it.endpoint_types)[:MOST_OFFERS])


def _types(row: Row) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words(row.get("supported_endpoint_types"))))

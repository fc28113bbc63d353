"""Ask for prices of many models in few answers, instead of one question per model."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.cli.init.talk import MOST, Talk
from bot.cli.words import tell

_ONE = re.compile(r"(?:([^=]+?)\s*=\s*)?(\d+(?:[.,]\d+)?)(?:[;,\s]+|$)")
"""A price in an answer: `2=0.35`, `kling = 0,35`, or the price alone."""


def ask(talk: Talk, names: Sequence[str], currency: str) -> Iterator[tuple[str, float]]:
    """Yield each name and its price, until all names have one or the person knows no more."""
    left = dict(enumerate(names, 1))
    if left:
        talk.lead(tell("init.prices"))
    while left:
        talk.lead(*(f"{number:3}  {name}" for number, name in left.items()))
        said = talk.ask_or_skip("init.ask_prices", currency=currency)
        if not said:
            return
        try:
            prices = _read(said, left)
        except ValueError as wrong:
            talk.say("init.prices_wanted", given=str(wrong))
            continue
        yield from ((left.pop(number), price) for number, price in prices.items())


def _read(said: str, left: Mapping[int, str]) -> dict[int, float]:
    """Return the prices in the answer `said`, by the numbers in the list of names `left`.

    Raises `ValueError` with the part of the answer that is no price.
    """
    prices: dict[int, float] = {}
    at = 0
    while at < len(said):
        found = _ONE.match(said, at)
        price = float(found[2].replace(",", ".")) if found else -1
        numbers = _meant(found[1], left) if found else []
        if found is None or not numbers or price > MOST:
            raise ValueError(found[0].strip() if found else said[at:])
        prices |= dict.fromkeys(numbers, price)
        at = found.end()
    return prices


def _meant(what: str | None, left: Mapping[int, str]) -> list[int]:
    """Return the numbers of the names that `what` means: a number, a name's beginning, or all."""
    if what is None:
        return list(left)
    exact = [n for n, name in left.items() if what.casefold() in (str(n), name.casefold())]
    begun = [n for n, name in left.items() if name.casefold().startswith(what.casefold())]
    return exact or (begun if len(begun) == 1 else [])

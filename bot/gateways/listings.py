"""Lists of videos, as OpenAI and its likes have them: page by page, the newest first.

A gateway without one answers with an error, or with anything else. Nothing is adopted from a list:
it is shown to an operator.
"""

from datetime import datetime

from bot.core.outcomes import Listed, NoList, Trouble, VideoList
from bot.gateways.envelopes import Spot, Table, parsed
from bot.gateways.places import own_ids
from bot.net.answers import Answer

PAGE = 100
MOST_PAGES = 10
_LONGEST = 4000
"""Characters of a prompt that are read."""
_MILLIS = 1e11
"""Times above this count milliseconds."""
_NONE = frozenset({400, 404, 405, 422, 501})


def read_page(answer: Answer) -> VideoList | NoList | Trouble:
    """One page; `whole` where it says that no other follows."""
    if answer.status != 200:
        return NoList() if answer.status in _NONE else Trouble(f"HTTP {answer.status}")
    match parsed(answer.body):
        case {"data": [*rows], **rest}:
            videos = (_listed(row) for row in rows[:PAGE] if isinstance(row, dict))
            return VideoList(tuple(filter(None, videos)), whole=rest.get("hasmore") is not True)
    return NoList()


def _listed(row: Table) -> Listed | None:
    ids = own_ids(Spot(row))
    if not ids:
        return None
    words = {name: str(row[name]) for name in ("model", "status") if isinstance(row.get(name), str)}
    prompt = row.get("prompt")
    return Listed(
        id=ids[0],
        created_at=_time(row.get("createdat", row.get("created"))),
        prompt=prompt[:_LONGEST] if isinstance(prompt, str) else None,
        **words,
    )


def _time(told: object) -> float | None:
    try:
        if isinstance(told, str) and not told.isdecimal():
            return datetime.fromisoformat(told).timestamp()
        if isinstance(told, int | float | str):
            at = float(told)
            return at / 1000 if at > _MILLIS else at
    except (ValueError, OverflowError, OSError):
        pass
    return None

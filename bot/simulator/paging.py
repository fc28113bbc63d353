"""One page of a list of videos, as servers with OpenAI's cursors answer."""

from collections.abc import Mapping, Sequence

from bot.simulator.refusals import Refused

LONGEST_PAGE = 100


def page(items: Sequence[Mapping[str, object]], query: Mapping[str, str]) -> dict[str, object]:
    """Return one page, the newest first unless `order` is asc. Raises `Refused`."""
    ordered = list(items) if query.get("order") == "asc" else list(reversed(items))
    ids = [item["id"] for item in ordered]
    start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
    limit = query.get("limit", "20")
    if not limit.isdecimal() or not 1 <= int(limit) <= LONGEST_PAGE:
        raise Refused(f"limit must be from 1 to {LONGEST_PAGE}", param="limit")
    return cut(ordered[start:], int(limit))


def cut(items: Sequence[Mapping[str, object]], limit: int) -> dict[str, object]:
    """Return the page of at most `limit` of these items."""
    shown = items[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(shown) < len(items),
    }

"""Briefs: the short message to an owner about a cause, with buttons or commands to type."""

from collections.abc import Iterator, Mapping, Sequence

from bot.core.causes import MOST_SHOWN, Facts, Kind
from bot.core.decisions import EVERYTHING, button, pause, raise_token, rows
from bot.core.jobs import Status
from bot.core.prompts import shortened
from bot.core.replies import Button, Reply, Text, Tone

_TONES = {Kind.LIMIT: Tone.WORKING}
MOST_BUTTONS = 10
"""The most buttons under a digest."""
MOST_WHOSE = 40
"""The most characters of a gateway's or community's name on a button.

A person's name and a model's share them.
"""
MOST_LINES = 10
"""The most lines about a gateway's changed models."""
_SHORT = 6
"""The first letters of a job's id, which identify the job within one message."""
_COUNTED = frozenset({Kind.UNCONFIRMED, Kind.STUCK})


def brief(kind: Kind, facts: Facts, *, is_over: bool = False) -> Reply:
    """Return the message about a cause. `is_over`: the message for its end, which replaces it."""
    if kind is Kind.DIGEST:
        return _digest(facts)
    if kind is Kind.OFFERS:
        return _offers(facts)
    if is_over:
        over = f"{kind}_over"
        return Reply(text=Text(id=f"cause.{over}", values=facts), tone=Tone.DONE)
    return Reply(
        text=_text(kind, facts),
        tone=_TONES.get(kind, Tone.FAILED),
        facts=tuple(_lines(kind, facts)),
        buttons=tuple(_buttons(kind, facts)),
    )


def _text(kind: Kind, facts: Facts) -> Text:
    if kind is Kind.LIMIT:
        figure = _figure(facts)
        return Text(id=f"cause.{figure}", values=facts)
    return Text(id=f"cause.{kind}", values=facts, count=_count(facts) if kind in _COUNTED else None)


def _lines(kind: Kind, facts: Facts) -> list[Text]:
    """Return a line for each of the first few jobs, and a count of the others."""
    jobs = jobs_in(facts)
    lines = [Text(id=f"cause.{_line(kind, job)}", values=job) for job in jobs]
    if (more := _count(facts) - len(jobs)) > 0 and jobs:
        lines.append(Text(id="cause.more", count=more))
    return lines


def _line(kind: Kind, job: Mapping[str, object]) -> str:
    """Return the message id for one job. For a stuck job, the id depends on its state."""
    return f"stuck_{job['status']}" if kind is Kind.STUCK else f"{kind}_job"


def _buttons(kind: Kind, facts: Facts) -> Iterator[Button]:
    match kind:
        case Kind.UNCONFIRMED:
            for job in jobs_in(facts):
                yield _about(job, "open")
        case Kind.STUCK:
            for job in jobs_in(facts):
                yield _about(job, "cancel" if job["status"] == Status.QUEUED else "look")
        case Kind.DISK | Kind.MEDIA:
            yield button(EVERYTHING, "sweep")
        case Kind.BACKUP:
            yield button(EVERYTHING, "backup")
        case Kind.LIMIT:
            yield from _limited(facts)


def _limited(facts: Facts) -> Iterator[Button]:
    """Yield a button that raises the limit, and one that stops its gateway or all orders."""
    yield _raise(facts)
    if facts["figure"] != "community_videos":
        yield pause(str(facts["of"])) if facts["of"] else button(EVERYTHING, "stop")


def _about(job: Mapping[str, object], wish: str) -> Button:
    named = str(job["job"])
    short = named[:_SHORT]
    if wish == "open":
        whose, family = (shortened(str(job[it]), MOST_WHOSE // 2) for it in ("name", "model"))
        return button(named, wish, shown=f"{whose}, {family} ({short})")
    return button(named, wish, shown=short)


def _raise(facts: Facts) -> Button:
    about = f"{facts['figure']} {facts['of']}".strip()
    limit, more = int(str(facts["limit"])), int(str(facts["more"]))
    token = raise_token(about, str(facts["day"]), limit, more)
    shown, whose = str(facts["more_shown"]), shortened(str(facts["of"]), MOST_WHOSE)
    # A digest shows several of these buttons side by side.
    return button(token, "raise", shown=f"{whose}: {shown}" if whose else shown)


def jobs_in(facts: Facts) -> Sequence[Mapping[str, object]]:
    """Return the first few jobs of a cause."""
    return rows(facts, "jobs")[:MOST_SHOWN]


def _count(facts: Facts) -> int:
    count = facts.get("count")
    return count if isinstance(count, int) else 0


def _figure(facts: Facts) -> str:
    """Return the name of the limit as in message ids."""
    figure = str(facts["figure"])
    is_own = bool(facts["of"]) and figure != "community_videos"
    return f"own_{figure}" if is_own else figure


_CHANGES = {
    (True, True, False): "offers_price",
    (True, True, True): "offers_price_mine",
    (False, True, False): "offers_priced",
    (False, True, True): "offers_priced_mine",
    (True, False, False): "offers_unpriced",
    (True, False, True): "offers_unpriced_mine",
}
"""The message id for a changed price: whether there was one, is one, and the operator's counts."""


def _offers(facts: Facts) -> Reply:
    """Return the report on a gateway's new list: models that are gone, and changed prices."""
    gone = [Text(id="cause.offers_gone", values=row) for row in rows(facts, "gone")]
    lines = [*gone, *(_price(row) for row in rows(facts, "prices"))]
    if (more := len(lines) - MOST_LINES) > 0:
        values = {"gateway": facts["gateway"]}
        lines[MOST_LINES:] = [Text(id="cause.offers_more", values=values, count=more)]
    text = Text(id="cause.offers", values={"gateway": facts["gateway"]})
    return Reply(text=text, tone=Tone.WORKING, facts=tuple(lines))


def _price(row: Facts) -> Text:
    """Return the line about one changed price of a second, and which price limits count."""
    what = "offers_quality" if row["sound"] else "offers_silent"
    of = Text(id=f"cause.{what}", values=row)
    change = _CHANGES[bool(row["before"]), bool(row["after"]), bool(row["mine"])]
    return Text(id=f"cause.{change}", values={**row, "of": of})


def _digest(facts: Facts) -> Reply:
    """Return the digest: the figures of a day, and the open causes with their buttons."""
    open_ = [(Kind(str(each["kind"])), _inner(each, "facts")) for each in rows(facts, "open")]
    asked = [Text(id="digest.open", values={"what": _text(*each)}) for each in open_]
    buttons = [button for each in open_ for button in _buttons(*each)]
    return Reply(
        text=Text(id="cause.digest", values=facts),
        facts=(*_figures(facts), *asked),
        buttons=tuple(dict.fromkeys(buttons))[:MOST_BUTTONS],
    )


def _figures(facts: Facts) -> Iterator[Text]:
    reasons = facts.get("reasons")
    for reason, count in reasons if isinstance(reasons, list) else ():
        values = {"why": Text(id=f"reason.{reason}"), "count": count}
        yield Text(id="digest.reason", values=values)
    yield Text(id="digest.now", values=facts)
    yield from _costs(facts)
    for limit in rows(facts, "limits"):
        figure = _figure(limit)
        yield Text(id=f"digest.{figure}", values=limit)
    yield Text(id="digest.room", values=facts)
    made = facts.get("backup")
    yield Text(id="digest.backup" if made else "digest.no_backup", values={"at": made})


def _costs(facts: Facts) -> Iterator[Text]:
    """Yield what gateways told of costs, and the prices that are too low."""
    if costs := _inner(facts, "costs"):
        yield Text(id="digest.costs", values=costs)
    for other in rows(facts, "other_costs"):
        yield Text(id="digest.fees" if other["is_fee"] else "digest.other_costs", values=other)
    for low in rows(facts, "low_prices"):
        where = "low_price_of_quality" if low["quality"] else "low_price"
        yield Text(id=f"digest.{where}", values=low)
    if unrefunded := _inner(facts, "unrefunded"):
        yield Text(id="digest.unrefunded", values=unrefunded)


def _inner(facts: Facts, name: str) -> Facts:
    found = facts.get(name)
    return found if isinstance(found, dict) else {}

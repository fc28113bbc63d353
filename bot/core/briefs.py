"""Briefs: a cause becomes a reply for an owner, short, with what to press or to type."""

from collections.abc import Iterator, Mapping, Sequence

from bot.core.causes import MOST_SHOWN, Facts, Kind
from bot.core.decisions import EVERYTHING, button, raise_token
from bot.core.jobs import Status
from bot.core.replies import Button, Reply, Text, Tone

_TONES = {Kind.LIMIT: Tone.WORKING, Kind.DIGEST: Tone.NEUTRAL}
_SHORT = 6
"""Letters of a job's id that tell it from others in one notice."""
_COUNTED = frozenset({Kind.UNCONFIRMED, Kind.STUCK})


def brief(kind: Kind, facts: Facts, *, is_over: bool = False) -> Reply:
    """The notice of a cause; `is_over`: in the place of the one that stood."""
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
        figure = facts["figure"]
        if facts["of"] and figure != "community_videos":
            figure = f"own_{figure}"
        return Text(id=f"cause.{figure}", values=facts)
    return Text(id=f"cause.{kind}", values=facts, count=_count(facts) if kind in _COUNTED else None)


def _lines(kind: Kind, facts: Facts) -> list[Text]:
    """The first few jobs, and how many more there are."""
    jobs, line = jobs_in(facts), f"{kind}_job"
    lines = [Text(id=f"cause.{line}", values=job) for job in jobs]
    if (more := _count(facts) - len(jobs)) > 0 and jobs:
        lines.append(Text(id="cause.more", count=more))
    return lines


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
            yield _raise(facts)
            yield button(EVERYTHING, "stop")


def _about(job: Mapping[str, object], wish: str) -> Button:
    named = str(job["job"])
    return button(named, wish, shown=named[:_SHORT])


def _raise(facts: Facts) -> Button:
    about = f"{facts['figure']} {facts['of']}".strip()
    limit, more = int(str(facts["limit"])), int(str(facts["more"]))
    token = raise_token(about, str(facts["day"]), limit, more)
    return button(token, "raise", shown=str(facts["more_shown"]))


def jobs_in(facts: Facts) -> Sequence[Mapping[str, object]]:
    """The jobs that a cause names."""
    found = facts.get("jobs")
    named = found if isinstance(found, list) else []
    return [job for job in named if isinstance(job, dict)][:MOST_SHOWN]


def _count(facts: Facts) -> int:
    count = facts.get("count")
    return count if isinstance(count, int) else 0

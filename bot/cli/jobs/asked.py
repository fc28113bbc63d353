"""Read an operator's typed choice of jobs."""

from collections.abc import Sequence
from difflib import get_close_matches

from bot.cli.words import listed
from bot.core.errors import Refused
from bot.core.jobs import Status
from bot.i18n import printable

PLATFORMS = ("discord", "telegram", "playground")
LEAST = 4
"""The fewest characters of an id that are accepted, if they match one id only."""
MOST = 1000
"""The most jobs in one list; all are read at once."""


def most(number: int) -> int:
    """Return the number of jobs to list. Raises `Refused("jobs_limit")`."""
    if not 1 <= number <= MOST:
        raise Refused("jobs_limit", most=MOST)
    return number


def beginning(typed: str) -> str:
    """Return an id or its beginning. Raises `Refused("job_id_missing")`."""
    id_ = printable(typed.strip()).lower()
    if not id_:
        raise Refused("job_id_missing", least=LEAST)
    return id_


def statuses(typed: Sequence[str]) -> frozenset[Status]:
    """Return the states in a list of words, which may hold several, separated by commas."""
    words = [word for each in typed for word in each.split(",")]
    return frozenset(status(word) for word in words if word.strip() or len(words) == 1)


def check(given: str, names: Sequence[str], code: str) -> None:
    """Raise `Refused` with the known names if `given` is not one of them."""
    known = sorted(dict.fromkeys(names))
    if given not in known:
        raise Refused(code if known else f"{code}_none", given=given, can=listed(known))


def status(word: str) -> Status:
    """Return the state of this name. Raises `Refused("status_unknown")`, maybe with a near name."""
    return Status(_known(word, [each.value for each in Status], "status_unknown"))


def place(platform: str | None, community: str | None) -> tuple[str | None, str | None]:
    """Return platform and community. Both may be given together, as `discord:123`."""
    named, separator, id_ = (community or "").partition(":")
    if separator:
        platform, community = named, id_
    if platform is not None:
        platform = _known(platform, list(PLATFORMS), "platform_unknown")
    return platform, community


def whose(platform: str | None, person: str | None) -> tuple[str | None, str | None]:
    """Return platform and person. Both may be given together, as `discord:123`."""
    named, _, id_ = (person or "").partition(":")
    return (named, id_) if named in PLATFORMS else (platform, person)


def _known(word: str, names: list[str], code: str) -> str:
    wanted = word.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted in names:
        return wanted
    near = next(iter(get_close_matches(wanted, names, n=1)), None)
    if near is None:
        raise Refused(code, given=word, can=", ".join(names))
    raise Refused(f"{code}_near", given=word, near=near, can=", ".join(names))

"""What an operator typed to choose jobs, as values."""

import re
from datetime import datetime
from difflib import get_close_matches

from bot.core.errors import Refused
from bot.core.jobs import Status

PLATFORMS = ("discord", "telegram", "playground")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def status(word: str) -> Status:
    """The state of this name. Raises `Refused("status_unknown")`, maybe with the one meant."""
    return Status(_known(word, [each.value for each in Status], "status_unknown"))


def place(platform: str | None, community: str | None) -> tuple[str | None, str | None]:
    """Platform and community; the configuration writes them together, as discord:123."""
    named, separator, id_ = (community or "").partition(":")
    if separator:
        platform, community = named, id_
    if platform is not None:
        platform = _known(platform, list(PLATFORMS), "platform_unknown")
    return platform, community


def moment(text: str, *, now: float) -> float:
    """Seconds since the epoch: so long ago, or that day or minute in this machine's time zone.

    Raises `Refused("since_unreadable")`.
    """
    ago = re.fullmatch(r"(\d{1,6})\s*([smhdw])", text.strip(), re.ASCII)
    if ago:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise Refused("since_unreadable", given=text) from None


def _known(word: str, names: list[str], code: str) -> str:
    wanted = word.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted in names:
        return wanted
    near = next(iter(get_close_matches(wanted, names, n=1)), None)
    if near is None:
        raise Refused(code, given=word, can=", ".join(names))
    raise Refused(f"{code}_near", given=word, near=near, can=", ".join(names))

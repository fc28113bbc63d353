"""The operators' use cases, put together: for the service, and for a command without one."""

from collections.abc import Mapping

from bot.core.acts import UseCase
from bot.core.admin import Admin
from bot.rows import Rows


def use_cases(rows: Rows) -> Mapping[str, UseCase]:
    """All of them, by the name that a command asks for."""
    return {**Admin(acts=rows.acts).use_cases}

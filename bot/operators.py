"""The operators' use cases, put together: for the service, and for a command without one."""

from collections.abc import Mapping

from bot.config import Config
from bot.core.acts import UseCase
from bot.core.admin import Admin
from bot.core.ports import Clock
from bot.core.wake import Wake
from bot.rows import Rows

PLATFORMS = frozenset({"discord", "telegram", "playground"})
"""Those that people may be of, switched on or not."""


def use_cases(config: Config, rows: Rows, clock: Clock, wake: Wake) -> Mapping[str, UseCase]:
    """All of them, by the name that a command asks for. `wake` is rung after each change."""
    admin = Admin(
        acts=rows.acts,
        holds=rows.holds,
        blocks=rows.blocks,
        gateways={name: table.base_url for name, table in config.settings.gateways.items()},
        platforms=PLATFORMS,
        clock=clock,
        wake=wake,
    )
    return {**admin.use_cases}

"""The operators' use cases, put together: for the service, and for a command without one."""

from collections.abc import Callable, Mapping

from bot.config import Config
from bot.core.accounts import Accounts
from bot.core.acts import UseCase
from bot.core.admin import Admin
from bot.core.ports import Clock, Gateway
from bot.core.settling import Makers, Settling
from bot.core.wake import Wake
from bot.rows import Rows

PLATFORMS = frozenset({"discord", "telegram", "playground"})
"""Those that people may be of, switched on or not."""


def use_cases(
    config: Config,
    rows: Rows,
    gateways: Mapping[str, Gateway],
    *,
    clock: Clock,
    wake: Wake,
    new_id: Callable[[], str],
    new_seed: Callable[[], int],
) -> Mapping[str, UseCase]:
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
    makers = Makers(
        new_id=new_id,
        new_seed=new_seed,
        gateways=gateways,
        accounts=Accounts(config.terms, config.communities, rows.communities.ids),
    )
    settling = Settling(ledger=rows.settling, jobs=rows.jobs, makers=makers, clock=clock, wake=wake)
    return {**admin.use_cases, **settling.use_cases}

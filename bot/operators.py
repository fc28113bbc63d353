"""The operators' use cases, put together: for the service, and for a command without one."""

from collections.abc import Callable, Mapping

from bot.config import Config
from bot.core.accounts import Accounts
from bot.core.acts import UseCase
from bot.core.admin import Admin
from bot.core.allowances import Allowances
from bot.core.ports import Clock, Gateway
from bot.core.settling import Makers, Settling
from bot.core.statistics import Statistics
from bot.core.wake import Wake
from bot.keepers import Keepers, media_use_cases
from bot.rows import Rows

PLATFORMS = {"discord": r"\d{1,20}", "telegram": r"-?\d{1,20}", "playground": r"\S+"}
"""Those that people may be of, switched on or not, and the shape of the ids there."""


def use_cases(
    config: Config,
    rows: Rows,
    gateways: Mapping[str, Gateway],
    keepers: Keepers | None,
    clock: Clock,
    wake: Wake,
    new_id: Callable[[], str],
    new_seed: Callable[[], int],
) -> Mapping[str, UseCase]:
    """All of them, by the name that a command asks for.

    `keepers`: those of the service that runs; None without one. `wake` is rung after each change.
    """
    admin = Admin(
        acts=rows.acts,
        holds=rows.holds,
        blocks=rows.blocks,
        gateways=list(config.settings.gateways),
        jobs=rows.jobs,
        platforms=PLATFORMS,
        clock=clock,
        wake=wake,
    )
    accounts = Accounts(config.terms, config.communities, rows.communities.ids)
    makers = Makers(new_id=new_id, new_seed=new_seed, gateways=gateways, accounts=accounts)
    settling = Settling(ledger=rows.settling, jobs=rows.jobs, makers=makers, clock=clock, wake=wake)
    allowances = Allowances(
        grants=rows.grants, jobs=rows.jobs, accounts=accounts, platforms=PLATFORMS, clock=clock
    )
    statistics = Statistics(
        sums=rows.sums,
        time_zone=config.limits.time_zone,
        currency=config.settings.currency,
        clock=clock,
    )
    parts = (admin, settling, allowances, statistics)
    found = {name: each for part in parts for name, each in part.use_cases.items()}
    return {**found, **media_use_cases(config, rows, keepers, clock)}

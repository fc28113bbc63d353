"""Build the operators' use cases, for the service and for a command without a service."""

from collections.abc import Mapping

from bot.core.acts import UseCase
from bot.core.admin import Admin
from bot.core.allowances import Allowances
from bot.core.choosing import new_seed
from bot.core.counting import Counting
from bot.core.settling import Settling
from bot.core.statistics import Statistics
from bot.keepers import Keepers, media_use_cases
from bot.parts import Basis, new_id

PLATFORMS = {"discord": r"\d{1,20}", "telegram": r"-?\d{1,20}", "playground": r"\S+"}
"""All networks, switched on or not, with the pattern of a person's id there."""


def use_cases(basis: Basis, keepers: Keepers | None = None) -> Mapping[str, UseCase]:
    """Return all use cases of operators, by the name that a command sends.

    `keepers`: the running service's keepers, or None if no service runs.
    """
    config, store, clock = basis.config, basis.store, basis.clock
    accounts, wake = basis.accounts, basis.bells.both
    admin = Admin(
        latest=store.acts.latest,
        holds=store.holds,
        blocks=store.blocks,
        configured=list(config.settings.gateways),
        jobs=store.jobs,
        platforms=PLATFORMS,
        clock=clock,
        wake=wake,
    )
    settling = Settling(
        ledger=store.settling,
        jobs=store.jobs,
        new_id=new_id,
        new_seed=new_seed,
        gateways=basis.gateways,
        accounts=accounts,
        clock=clock,
        wake=wake,
    )
    allowances = Allowances(
        grants=store.grants, jobs=store.jobs, accounts=accounts, platforms=PLATFORMS, clock=clock
    )
    counting = Counting(counters=store.counters, clock=clock, decided=basis.bells.watch.ring)
    statistics = Statistics(
        sums=store.sums,
        time_zone=config.limits.time_zone,
        currency=config.settings.currency,
        clock=clock,
    )
    parts = (admin, settling, allowances, counting, statistics)
    found = {name: each for part in parts for name, each in part.use_cases.items()}
    return {**found, **media_use_cases(basis, keepers)}

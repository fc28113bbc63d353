"""Helpers that read the findings of `zoetrope doctor`."""

from bot.cli.doctor import findings
from bot.cli.doctor.findings import Finding, Mark
from tests.e2e.world import World


async def poll(world: World, **changes: str) -> list[Finding]:
    """Return all findings of doctor, with these changes of the configuration."""
    return [finding async for finding in findings(world.config(**changes))]


async def problems(world: World, **changes: str) -> list[str]:
    """Return the sentences of all findings that are problems."""
    found = await poll(world, **changes)
    return [finding.sentence for finding in found if finding.mark is Mark.PROBLEM]


def sentences(found: list[Finding], mark: Mark) -> str:
    """Return the sentences of all findings with this mark."""
    return "\n".join(finding.sentence for finding in found if finding.mark is mark)

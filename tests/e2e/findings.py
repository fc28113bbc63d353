"""Findings of `zoetrope doctor` as tests read them."""

from bot.cli.doctor import findings
from bot.cli.doctor.findings import Finding, Mark
from tests.e2e.world import World


async def poll(world: World, **changes: str) -> list[Finding]:
    """Everything that is found, in a configuration with these changes."""
    return [finding async for finding in findings(world.config(**changes))]


async def problems(world: World, **changes: str) -> list[str]:
    """The sentences of what is to mend."""
    found = await poll(world, **changes)
    return [finding.sentence for finding in found if finding.mark is Mark.PROBLEM]


def sentences(found: list[Finding], mark: Mark) -> str:
    return "\n".join(finding.sentence for finding in found if finding.mark is mark)

"""What becomes of what people write, and of what Telegram tells of chats."""

import pytest

from bot.core.jobs import Job, Reason, Status
from bot.core.orders import Address
from bot.store.jobs import Jobs
from tests.unit.platforms.telegram.conftest import Lobby

# --- sent away ------------------------------------------------------------------------------------


async def ends(lobby: Lobby, *jobs: Job) -> list[tuple[Status, Reason | None]]:
    rows = [await lobby.job(job.id) for job in jobs]
    return [(row.status, row.reason) for row in rows]


WITHDRAWN = (Status.CANCELLED, Reason.BY_ADMIN)
WAITING = (Status.QUEUED, None)


async def test_what_waits_in_a_group_that_threw_us_out_is_cancelled(lobby: Lobby) -> None:
    club, other = (lobby.fake.supergroup(it, lobby.ann) for it in ("club", "other"))
    waits, elsewhere = await lobby.ordered(chat=club), await lobby.ordered(chat=other)
    private = await lobby.ordered()
    await lobby.ann.kicks_bot(club)
    await lobby.hear(club)
    assert await ends(lobby, waits, elsewhere, private) == [WITHDRAWN, WAITING, WAITING]
    assert (await lobby.job(waits.id)).quota_cost == 0


async def test_what_waits_in_private_is_cancelled_by_a_block(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    waits, elsewhere = await lobby.ordered(), await lobby.ordered(chat=club)
    await lobby.ann.blocks_bot()
    await lobby.hear(lobby.ann.private)
    assert await ends(lobby, waits, elsewhere) == [WITHDRAWN, WAITING]


async def test_what_a_gateway_has_goes_on(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    made = await lobby.made(await lobby.ordered(chat=club))
    await lobby.ann.kicks_bot(club)
    await lobby.hear(club)
    assert await lobby.job(made.id) == made


async def test_what_a_gateway_gets_meanwhile_goes_on_too(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway was faster than we, after the rows were asked."""
    await lobby.ordered()
    made: list[Job] = []

    async def waiting(place: Address) -> list[Job]:
        jobs = await Jobs.waiting(lobby.store.jobs, place)
        made.extend([await lobby.made(job) for job in jobs])
        return jobs

    monkeypatch.setattr(lobby.store.jobs, "waiting", waiting)
    await lobby.ann.blocks_bot()
    await lobby.hear(lobby.ann.private)
    assert [await lobby.job(job.id) for job in made] == made != []


async def test_to_be_let_in_changes_nothing(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    waits = await lobby.ordered(chat=club)
    for as_admin in (False, True):
        await lobby.ann.adds_bot(club, as_admin=as_admin)
        await lobby.hear(club)
    assert await ends(lobby, waits) == [WAITING]

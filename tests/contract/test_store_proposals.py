"""Proposals wait for their person. A handle (a file id) belongs to the bot account that got it."""

from bot.store.handles import Handles
from bot.store.proposals import KEPT, Proposals
from tests.contract.rows import NOON, Store, a_job
from tests.unit.core.orders import changed

WISH = a_job().order


async def test_a_proposal_comes_back_as_it_was_last_saved(store: Store) -> None:
    proposals = Proposals(store.database)
    await proposals.put("d1", WISH, now=NOON)
    await proposals.put("d1", changed(WISH, seconds=10), now=NOON)
    assert await proposals.get("d1") == changed(WISH, seconds=10)
    await proposals.drop("d1")
    assert await proposals.get("d1") is None


async def test_a_proposal_that_nobody_confirmed_in_time_is_forgotten(store: Store) -> None:
    proposals = Proposals(store.database)
    await proposals.put("d1", WISH, now=NOON)
    await proposals.put("d2", WISH, now=NOON + KEPT + 1)
    assert await proposals.get("d1") is None
    assert await proposals.get("d2") == WISH


async def test_an_uploaded_file_id_is_known_to_its_own_bot_account_alone(store: Store) -> None:
    ours, theirs = (Handles(store.database, source) for source in ("telegram:7", "telegram:8"))
    await ours.put("videos/a.mp4", "AAA")
    await ours.put("videos/a.mp4", "BBB")
    assert (await ours.get("videos/a.mp4"), await theirs.get("videos/a.mp4")) == ("BBB", None)
    await ours.drop("videos/a.mp4")
    assert await ours.get("videos/a.mp4") is None

"""Acts are rows that are never changed; they are read newest first."""

from sqlalchemy import Connection

from bot.core.acts import Act
from bot.store.acts import Acts, note
from tests.contract.rows import NOON, Store


async def noted(store: Store, *acts: Act) -> None:
    """Write these acts."""

    def work(connection: Connection) -> None:
        for act in acts:
            note(connection, act)

    await store.database.run(work)


def an_act(number: int, subject: str = "job1") -> Act:
    details = {"money": 5, "nested": {"is": [None, True]}}
    return Act(
        at=NOON + number,
        actor="cli:ann",
        action="jobs.cancel",
        subject=subject,
        why=f"é {number}",
        details=details,
    )


async def test_acts_are_read_as_they_were_written_newest_first(store: Store) -> None:
    first, second, other = an_act(1), an_act(2), an_act(3, subject="job2")
    await noted(store, first, second, other)
    acts = Acts(store.database)
    assert await acts.latest(most=9) == [other, second, first]
    assert await acts.latest(most=9, subject="job1") == [second, first]
    assert await acts.latest(most=1) == [other]

"""Owners are told of a refused key or balance, and of its end, without asking."""

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.context import PAUSE
from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.core.jobs import Reason, Status
from bot.core.notices import REMINDER
from bot.core.outcomes import Accepted, Locked, Rejected, Running
from bot.core.replies import Text
from bot.i18n import say
from bot.store.tables import owners
from tests.unit.core.orders import order
from tests.unit.core.workshop import Workshop

HOUR = 3600.0


@pytest.fixture
async def owned(workshop: Workshop) -> Workshop:
    """A workshop with an owner and a locked gateway."""

    def work(connection: Connection) -> None:
        connection.execute(sa.insert(owners).values(platform="chat", person="ann", since=0))

    await workshop.database.run(work)
    workshop.gateway.creations = [Locked(Reason.NO_BALANCE, "HTTP 403: empty"), Accepted("v1")]
    return workshop


def words(told: list[tuple[str, Text]]) -> list[tuple[str, str]]:
    """Return the people and the texts that they got."""
    return [(person, say(text, "en")) for person, text in told]


async def test_the_owner_is_told_when_a_pause_begins_and_when_it_is_over(owned: Workshop) -> None:
    await owned.submit(order())
    await owned.submit(order())
    await owned.work(1)
    await owned.tell(1)
    begun = owned.chat.told[:]
    await owned.work(PAUSE + 1)
    await owned.tell(1)
    (first, over) = words(owned.chat.told)
    assert begun == owned.chat.told[:1], "no notice is sent while the pause lasts"
    assert first[1] == (
        "The balance at “main” is used up, so it makes no more videos. Please top it up. "
        "2 orders wait, and nothing is lost: I check every minute whether the gateway takes "
        "orders again. It says: HTTP 403: empty"
    )
    assert over == ("ann", "“main” works again.")


async def test_a_notice_of_a_bad_key_names_each_setting_that_may_hold_the_key(
    owned: Workshop,
) -> None:
    owned.gateway.creations = [Locked(Reason.BAD_KEY, "HTTP 401: " + "no " * 200)]
    await owned.submit(order())
    await owned.work(1)
    await owned.tell(1)
    ((_, said),) = words(owned.chat.told)
    assert (
        "Please put the right key into gateways.main.api_key (in the environment or the "
        "secrets file) or into the file that gateways.main.api_key_FILE names, then"
        " restart me. 1 order waits" in said
    )
    assert len(said) < 600


async def test_the_owner_is_told_of_a_refused_poll_and_the_next_good_poll_ends_the_pause(
    owned: Workshop,
) -> None:
    owned.gateway.creations = [Accepted("v1")]
    owned.gateway.polls = [Locked(Reason.BAD_KEY, "HTTP 401: no"), Running()]
    await owned.submit(order())
    await owned.work(60)
    await owned.tell(1)
    await owned.work(PAUSE)
    await owned.tell(1)
    assert [text.id for _, text in owned.chat.told] == ["notice.idle_bad_key", "notice.works"]
    ((_, said), _) = words(owned.chat.told)
    assert "No order waits now, and videos that are being made are not lost" in said


@pytest.mark.proof
async def test_answered_polls_do_not_end_a_pause_for_lack_of_balance(owned: Workshop) -> None:
    owned.gateway.creations = [Accepted("v1"), Locked(Reason.NO_BALANCE, "HTTP 403: empty")]
    owned.gateway.polls = [Running()]
    await owned.submit(order())
    await owned.work(10)
    await owned.submit(order())
    for _ in range(30):
        await owned.work(20)
        await owned.tell(1)
    assert [text.id for _, text in owned.chat.told] == ["notice.no_balance"]


@pytest.mark.parametrize("error", [Temporary("away", retry_after=90.0), Broken("token_bad")])
async def test_an_owner_who_cannot_be_reached_for_now_is_told_later(
    owned: Workshop, error: BotError
) -> None:
    owned.chat.tells = [error, error, None]
    await owned.submit(order())
    await owned.work(1)
    await owned.tell(HOUR)
    assert len(owned.chat.told) == 3
    assert await owned.notices.next_due(["chat"]) is None


async def test_an_owner_who_cannot_be_reached_for_a_day_gets_no_further_tries(
    owned: Workshop,
) -> None:
    owned.chat.tells = [Temporary("away")]
    await owned.submit(order())
    await owned.work(1)
    await owned.tell(2 * REMINDER)
    assert 30 < len(owned.chat.told) < 40, "with back-off"
    assert await owned.notices.next_due(["chat"]) is None


async def test_a_notice_to_an_owner_who_refuses_messages_is_dropped_and_logged(
    owned: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    owned.chat.tells = [Refused("person_unreachable")]
    await owned.submit(order())
    await owned.work(1)
    await owned.tell(HOUR)
    assert len(owned.chat.told) == 1
    said = "".join(capsys.readouterr())
    (line,) = [line for line in said.splitlines() if "notice.dropped" in line]
    assert "chat" in line
    assert "person_unreachable" in line
    assert "empty" not in line


@pytest.mark.proof
async def test_an_unknown_status_word_is_told_to_the_owner_once(owned: Workshop) -> None:
    owned.gateway.creations = [Accepted("v1"), Accepted("v2")]
    owned.gateway.polls = [Running(None, None, "marinating")]
    await owned.submit(order())
    await owned.submit(order())
    await owned.work(HOUR / 4)
    await owned.tell(1)
    ((person, said),) = words(owned.chat.told)
    assert person == "ann"
    assert said.startswith("“main” gives a video the state “marinating”, which I don't know.")
    assert '[[gateways.main.answers]] with words = ["marinating"]' in said
    ((button,),) = owned.chat.buttons
    assert (button.value, say(button.label, "en")) == ("pause", "Pause main")


@pytest.mark.proof
async def test_an_answer_without_a_readable_state_is_told_to_the_owner_once_with_its_shape(
    owned: Workshop,
) -> None:
    owned.gateway.creations = [Accepted("v1")]
    owned.gateway.polls = [Running(shape="{id: text, error: {code: text}}")]
    job = await owned.submit(order())
    await owned.work(HOUR / 4)
    await owned.tell(1)
    ((person, said),) = words(owned.chat.told)
    assert person == "ann"
    assert said.startswith("I asked “main” about a video, and its answer has no state")
    assert "{id: text, error: {code: text}}. I treat it as “still running”" in said
    assert (await owned.job(job.id)).status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("reason", "beginning"),
    [
        (Reason.WRONG_ADDRESS, "The base_url of “main” is wrong"),
        (Reason.BLOCKED, "Something in front of “main” (a proxy, a CDN or bot protection)"),
    ],
)
async def test_a_wall_or_redirect_before_the_gateway_is_told_to_the_owner_and_pauses_nothing(
    owned: Workshop, reason: Reason, beginning: str
) -> None:
    owned.gateway.creations = [Rejected(reason, "HTTP 308: redirect to https://b.example")] * 2
    owned.gateway.creations.append(Accepted("v1"))
    for _ in range(3):
        await owned.submit(order())
    await owned.work(1)
    await owned.tell(1)
    ((_, said),) = words(owned.chat.told)
    assert said.startswith(beginning)
    assert said.endswith("Its answer was: HTTP 308: redirect to https://b.example")
    assert owned.gateway.posts == 3

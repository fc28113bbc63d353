"""The effect of messages, and of updates about chats."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from bot.core import moves
from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from bot.core.errors import Temporary
from bot.core.jobs import Job, Reason, Status
from bot.core.orders import Address
from bot.core.wishes import SWITCHES
from bot.platforms.telegram.inbox import MOST_SILENT
from bot.platforms.telegram.intake import ANSWERED, MOST_ANSWERS
from bot.store.jobs import Jobs
from tests.contract.rows import FREE
from tests.e2e.world import png
from tests.fakes.telegram import Chat, Message, Person, flood, internal
from tests.unit.core.orders import SORA, WAN_TEXT
from tests.unit.platforms.telegram.conftest import Lobby, locked

# --- confirmations --------------------------------------------------------------------------------


async def test_a_confirmation_after_a_429_is_sent_once_the_wait_is_over(lobby: Lobby) -> None:
    await lobby.ordered()
    lobby.fake.faults.add("sendMessage", flood(20))
    said = await lobby.ann.says("/cancel")
    async with asyncio.TaskGroup() as group:
        group.create_task(lobby.hear(said))
        await lobby.clock.asleep()
        await lobby.clock.advance(21)
    assert (
        lobby.fake.posts(lobby.ann.private)[-1].text
        == "Cancelled: “a cat”. Nothing was sent, so nothing counts."
    )


# --- limits on answers ----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/help", "/models", "/quota", "/video", "/video --x", "/cancel"])
async def test_one_persons_flood_of_commands_in_a_group_gets_only_a_few_answers(
    lobby: Lobby, text: str
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann, bob := lobby.fake.person("Bob"))
    flood = [f"{text.split()[0]}@zoetrope_bot{text[len(text.split()[0]) :]}"] * (MOST_ANSWERS + 2)
    for each in flood:
        await lobby.hear(await bob.says(each, chat=club))
    assert len(lobby.fake.posts(club)) == MOST_ANSWERS


async def test_a_person_who_got_all_answers_in_a_group_may_still_order_and_cancel(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    for _ in range(MOST_ANSWERS):
        await lobby.hear(await lobby.ann.says("/help@zoetrope_bot", chat=club))
    job = await lobby.ordered(chat=club)
    await lobby.hear(await lobby.ann.says(CANCEL, chat=club))
    assert await ends(lobby, job) == [(Status.CANCELLED, Reason.BY_PERSON)]


async def test_one_persons_flood_in_a_group_costs_others_no_answer_and_ends_after_a_while(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann, bob := lobby.fake.person("Bob"))
    for _ in range(MOST_ANSWERS):
        await lobby.hear(await bob.says("/help@zoetrope_bot", chat=club))
    hers = await lobby.ann.says("/help@zoetrope_bot", chat=club)
    await lobby.hear(hers)
    await lobby.clock.advance(ANSWERED)
    later = await bob.says("/help@zoetrope_bot", chat=club)
    await lobby.hear(later)
    assert [lobby.answer(each).reply_to for each in (hers, later)] == [hers.id, later.id]


async def test_an_answer_that_was_put_off_is_not_counted_twice(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    for _ in range(MOST_ANSWERS - 1):
        await lobby.hear(await lobby.ann.says("/help@zoetrope_bot", chat=club))
    said = await lobby.ann.says("/help@zoetrope_bot", chat=club)
    lobby.fake.faults.add("sendMessage", flood(20))
    with pytest.raises(Temporary):
        await lobby.hear(said)
    await lobby.clock.advance(21)
    await lobby.hear(said)
    assert "/animate" in lobby.answer(said).text


async def test_in_a_private_chat_every_command_is_answered(lobby: Lobby) -> None:
    for _ in range(MOST_ANSWERS + 1):
        await lobby.hear(await lobby.ann.says("/help"))
        await lobby.clock.advance(2)
    assert len(lobby.fake.posts(lobby.ann.private)) == MOST_ANSWERS + 1


async def test_start_in_a_group_does_not_invite_to_write_a_prompt_without_a_command(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    said = await lobby.ann.says("/start@zoetrope_bot true", chat=club)
    await lobby.hear(said)
    assert "Write what you" not in lobby.answer(said).text


# --- the bot is removed or blocked ----------------------------------------------------------------


async def ends(lobby: Lobby, *jobs: Job) -> list[tuple[Status, Reason | None]]:
    """Return the states and reasons of the jobs."""
    rows = [await lobby.job(job.id) for job in jobs]
    return [(row.status, row.reason) for row in rows]


WITHDRAWN = (Status.CANCELLED, Reason.SENT_AWAY)
BY_ADMIN = (Status.CANCELLED, Reason.BY_ADMIN)
WAITING = (Status.QUEUED, None)


async def test_queued_jobs_of_a_group_that_removed_the_bot_are_cancelled(lobby: Lobby) -> None:
    club, other = (lobby.fake.supergroup(it, lobby.ann) for it in ("club", "other"))
    waits, elsewhere = await lobby.ordered(chat=club), await lobby.ordered(chat=other)
    private = await lobby.ordered()
    await lobby.ann.kicks_bot(club)
    await lobby.hear(club)
    assert await ends(lobby, waits, elsewhere, private) == [WITHDRAWN, WAITING, WAITING]
    assert (await lobby.job(waits.id)).quota_cost == 0


async def test_queued_jobs_of_a_private_chat_are_cancelled_when_the_bot_is_blocked(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    waits, elsewhere = await lobby.ordered(), await lobby.ordered(chat=club)
    await lobby.ann.blocks_bot()
    await lobby.hear(lobby.ann.private)
    assert await ends(lobby, waits, elsewhere) == [WITHDRAWN, WAITING]


async def test_a_job_that_a_gateway_has_goes_on_after_the_bot_was_removed(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    made = await lobby.made(await lobby.ordered(chat=club))
    await lobby.ann.kicks_bot(club)
    await lobby.hear(club)
    assert await lobby.job(made.id) == made


async def test_a_job_submitted_while_the_bot_is_blocked_goes_on(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway took the job after its row was read as waiting."""
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


async def test_adding_the_bot_to_a_group_cancels_no_job(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    waits = await lobby.ordered(chat=club)
    for as_admin in (False, True):
        await lobby.ann.adds_bot(club, as_admin=as_admin)
        await lobby.hear(club)
    assert await ends(lobby, waits) == [WAITING]


# --- cancelling -----------------------------------------------------------------------------------

CANCEL = "/cancel@zoetrope_bot"


async def in_club(lobby: Lobby) -> tuple[Job, Message, Person, Chat]:
    """Return Ann's job in a group, its card, the group's owner, and the group."""
    owner = lobby.fake.person("owner")
    club = lobby.fake.supergroup("club", owner, lobby.ann)
    job = await lobby.ordered(chat=club)
    return job, await lobby.card(job), owner, club


@pytest.mark.parametrize("by_reply", [True, False])
async def test_an_admin_cancels_a_members_job_by_reply_or_by_id(
    lobby: Lobby, by_reply: bool
) -> None:
    job, card, owner, club = await in_club(lobby)
    named = CANCEL if by_reply else f"{CANCEL} {job.id}"
    await lobby.hear(await owner.says(named, chat=club, reply_to=card if by_reply else None))
    assert await ends(lobby, job) == [BY_ADMIN]


async def test_an_anonymous_admin_may_cancel_a_members_job(lobby: Lobby) -> None:
    job, card, owner, _ = await in_club(lobby)
    owner.is_anonymous = True
    await lobby.hear(await owner.says(CANCEL, chat=card.chat, reply_to=card))
    assert await ends(lobby, job) == [BY_ADMIN]
    assert lobby.fake.calls_of("getChatMember") == [], "there is no such member"


async def test_a_member_may_not_cancel_somebody_elses_job(lobby: Lobby) -> None:
    job, card, _, club = await in_club(lobby)
    bob = lobby.fake.person("Bob")
    await bob.joins(club)
    said = await bob.says(CANCEL, chat=club, reply_to=card)
    await lobby.hear(said)
    assert await ends(lobby, job) == [WAITING]
    assert "belongs to somebody else" in lobby.answer(said).text


async def test_an_admin_of_one_chat_may_not_cancel_jobs_of_another(lobby: Lobby) -> None:
    job, _, owner, _ = await in_club(lobby)
    other = lobby.fake.supergroup("other", owner)
    await lobby.hear(await owner.says(f"{CANCEL} {job.id}", chat=other))
    assert await ends(lobby, job) == [WAITING]


async def test_cancel_in_reply_to_a_message_of_no_job_cancels_nothing(lobby: Lobby) -> None:
    job, _, _, club = await in_club(lobby)
    hello = await lobby.ann.says("hello", chat=club)
    said = await lobby.ann.says(CANCEL, chat=club, reply_to=hello)
    await lobby.hear(said)
    assert await ends(lobby, job) == [WAITING]
    assert "no order of yours" in lobby.answer(said).text


async def test_cancel_without_a_reply_cancels_the_persons_latest_job(lobby: Lobby) -> None:
    first = await lobby.ordered()
    await lobby.clock.advance(1)
    second = await lobby.ordered()
    await lobby.hear(await lobby.ann.says("/cancel"))
    assert await ends(lobby, first, second) == [WAITING, (Status.CANCELLED, Reason.BY_PERSON)]


@pytest.mark.parametrize("by_owner", [True, False])
async def test_cancel_in_reply_to_the_request_cancels_its_job(lobby: Lobby, by_owner: bool) -> None:
    owner = lobby.fake.person("owner")
    club = lobby.fake.supergroup("club", owner, lobby.ann)
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=club)
    await lobby.hear(asked)
    (job,), other = await lobby.jobs(), await lobby.ordered(chat=club)
    who = owner if by_owner else lobby.ann
    await lobby.hear(await who.says(CANCEL, chat=club, reply_to=asked))
    by = Reason.BY_ADMIN if by_owner else Reason.BY_PERSON
    assert await ends(lobby, job, other) == [(Status.CANCELLED, by), WAITING]


async def test_a_member_may_not_cancel_by_a_reply_to_somebody_elses_request(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann, bob := lobby.fake.person("Bob"))
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=club)
    await lobby.hear(asked)
    await lobby.hear(await bob.says(CANCEL, chat=club, reply_to=asked))
    assert await ends(lobby, *await lobby.jobs()) == [WAITING]


async def test_cancel_in_reply_to_the_same_message_number_in_another_chat_cancels_nothing(
    lobby: Lobby,
) -> None:
    one, other = (lobby.fake.supergroup(it, lobby.ann) for it in ("one", "other"))
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=one)
    await lobby.hear(asked)
    while (said := await lobby.ann.says("hello", chat=other)).id < asked.id:
        pass
    await lobby.hear(await lobby.ann.says(CANCEL, chat=other, reply_to=said))
    assert said.id == asked.id
    assert await ends(lobby, *await lobby.jobs()) == [WAITING]


async def test_a_second_cancel_silences_the_next_job_and_not_the_same_one_again(
    lobby: Lobby,
) -> None:
    first = await lobby.ordered()
    await lobby.clock.advance(1)
    second = await lobby.ordered()
    for job in (first, second):
        row = await lobby.job(job.id)
        await lobby.store.moved(row, moves.submitting(row, now=lobby.clock.now()))
    for _ in range(2):
        await lobby.hear(await lobby.ann.says("/cancel"))
    assert [(await lobby.job(job.id)).silent for job in (first, second)] == [True, True]


async def test_cancel_in_a_group_cancels_only_jobs_of_that_group(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    here = await lobby.ordered(chat=club)
    await lobby.clock.advance(1)
    private = await lobby.ordered()
    for _ in range(2):
        said = await lobby.ann.says(CANCEL, chat=club)
        await lobby.hear(said)
    assert await ends(lobby, here, private) == [(Status.CANCELLED, Reason.BY_PERSON), WAITING]
    assert "no order of yours" in lobby.answer(said).text


# --- senders other than a person ------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/video@zoetrope_bot a cat", "/quota@zoetrope_bot"])
async def test_a_person_who_writes_as_a_channel_is_told_to_write_as_themselves(
    lobby: Lobby, text: str
) -> None:
    """A quota for channels would be new for each channel that a person writes as."""
    club, news = lobby.fake.supergroup("club", lobby.ann), lobby.fake.channel("news", lobby.ann)
    lobby.ann.speaks_as = news
    said = await lobby.ann.says(text, chat=club)
    await lobby.hear(said)
    assert "Please write as yourself" in lobby.answer(said).text
    assert await lobby.store.jobs.recent("telegram", str(news.id), most=9) == []


async def test_help_names_every_flag_and_that_pictures_can_speak(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    alone = await lobby.ann.says("/help")
    among = await lobby.ann.says("/help@zoetrope_bot", chat=club)
    for said in (alone, among):
        await lobby.hear(said)
        value = lobby.answer(said).text
        named = ["--model", "--seconds", "--aspect", "draft", "--preset", "--fit", "voice"]
        named += ["or auto", *(f"--{switch}" for switch in SWITCHES)]
        assert [each for each in named if each not in value] == []


async def test_the_list_of_models_shows_automatic_lengths_and_switches(lobby: Lobby) -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True), SORA))
    lobby.service.accounts = Accounts(Terms(catalog=catalog, limits=FREE))
    said = await lobby.ann.says("/models")
    await lobby.hear(said)
    value = lobby.answer(said).text
    assert "Wan: 5, 10 s, auto · 16:9, 9:16, 1:1 · 480p, 720p · from a prompt" in value
    assert "on or off: sound" in value.casefold()
    assert "Sora: 4, 8 s · 16:9, 9:16 · 720p" in value


async def test_help_answers_a_person_who_writes_as_a_channel(lobby: Lobby) -> None:
    club, news = lobby.fake.supergroup("club", lobby.ann), lobby.fake.channel("news", lobby.ann)
    lobby.ann.speaks_as = news
    said = await lobby.ann.says("/help@zoetrope_bot", chat=club)
    await lobby.hear(said)
    assert "/animate" in lobby.answer(said).text


async def test_all_anonymous_admins_of_a_group_count_as_one_person(lobby: Lobby) -> None:
    owner = lobby.fake.person("owner")
    club = lobby.fake.supergroup("club", owner, lobby.ann)
    for admin in (owner, lobby.ann):
        admin.is_anonymous = True
        await lobby.hear(await admin.says("/video@zoetrope_bot a cat", chat=club))
    assert len(await lobby.store.jobs.recent("telegram", str(club.id), most=9)) == 2


# --- authors of pictures --------------------------------------------------------------------------


async def test_animate_in_reply_to_a_forward_of_somebody_elses_picture_is_refused(
    lobby: Lobby,
) -> None:
    bob = lobby.fake.person("Bob", started=True)
    theirs = await bob.sends_photo(png())
    forwarded = await lobby.ann.forwards(theirs, to=lobby.ann.private)
    said = await lobby.ann.says("/animate", reply_to=forwarded)
    await lobby.hear(said)
    assert "Somebody else posted that picture" in lobby.answer(said).text


async def test_animate_in_reply_to_ones_own_picture_from_another_chat_is_an_order(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    photo = await lobby.ann.sends_photo(png(), chat=club)
    await lobby.hear(await lobby.ann.says("/animate", chat=lobby.ann.private, reply_to=photo))
    (job,) = await lobby.jobs()
    assert [each.author for each in job.order.pictures] == [str(lobby.ann.id)]


# --- unforeseen errors ----------------------------------------------------------------------------


async def test_an_unforeseen_error_is_retried_without_a_message(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await lobby.ann.says("/video a cat")
    with monkeypatch.context() as trouble:
        trouble.setattr(lobby.store.jobs, "admit", locked)
        for attempts in range(MOST_SILENT - 1):
            with pytest.raises(OperationalError):
                await lobby.hear(said, attempts=attempts)
    assert lobby.fake.posts(said.chat) == []
    await lobby.hear(said, attempts=MOST_SILENT - 1)
    assert len(await lobby.jobs()) == 1


@pytest.mark.proof
async def test_an_unforeseen_error_that_stays_is_told_once(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await lobby.ann.says("/video a cat")
    monkeypatch.setattr(lobby.store.jobs, "admit", locked)
    await lobby.hear(said, attempts=MOST_SILENT - 1)
    assert "Something went wrong on my side" in lobby.answer(said).text


# --- unknown outcomes -----------------------------------------------------------------------------


async def test_a_list_with_an_unknown_outcome_is_not_sent_for_ever(lobby: Lobby) -> None:
    said = await lobby.ann.says("/models")
    lobby.fake.faults.add("sendMessage", internal(), times=9)
    await lobby.hear(said)
    assert len(lobby.fake.calls_of("sendMessage")) == 2, "the list, and that it may not have come"


async def test_the_greeting_says_how_many_videos_are_left(lobby: Lobby) -> None:
    lobby.allow(replace(FREE, person_videos=2))
    said = await lobby.ann.says("/start")
    await lobby.hear(said)
    assert "You have 2 videos left today" in lobby.answer(said).text


# --- closed chats ---------------------------------------------------------------------------------


async def test_in_a_closed_chat_start_says_that_the_bot_is_switched_off(lobby: Lobby) -> None:
    place = f"@{lobby.ann.id}"
    await lobby.places.decide("telegram", place, allowed=False, by="owner", now=0.0)
    await lobby.hear(await lobby.ann.says("/start"))
    (answer,) = [each for each in lobby.fake.posts(lobby.ann.private) if each.reply_to]
    assert answer.text.startswith("I'm not switched on here")

"""The effect of what people write, and of what Telegram tells of chats."""

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

# --- confirmed ------------------------------------------------------------------------------------


async def test_a_confirmation_waits_for_its_turn_and_is_not_said_to_have_failed(
    lobby: Lobby,
) -> None:
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


# --- answered -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/help", "/models", "/quota", "/video", "/video --x", "/cancel"])
async def test_a_flood_in_a_group_is_answered_a_few_times(lobby: Lobby, text: str) -> None:
    club = lobby.fake.supergroup("club", lobby.ann, bob := lobby.fake.person("Bob"))
    flood = [f"{text.split()[0]}@zoetrope_bot{text[len(text.split()[0]) :]}"] * (MOST_ANSWERS + 2)
    for each in flood:
        await lobby.hear(await bob.says(each, chat=club))
    assert len(lobby.fake.posts(club)) == MOST_ANSWERS


async def test_whoever_was_answered_enough_is_still_given_what_they_ask_for(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    for _ in range(MOST_ANSWERS):
        await lobby.hear(await lobby.ann.says("/help@zoetrope_bot", chat=club))
    job = await lobby.ordered(chat=club)
    await lobby.hear(await lobby.ann.says(CANCEL, chat=club))
    assert await ends(lobby, job) == [(Status.CANCELLED, Reason.BY_PERSON)]


async def test_a_flood_takes_no_answer_from_others_or_from_later(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann, bob := lobby.fake.person("Bob"))
    for _ in range(MOST_ANSWERS):
        await lobby.hear(await bob.says("/help@zoetrope_bot", chat=club))
    hers = await lobby.ann.says("/help@zoetrope_bot", chat=club)
    await lobby.hear(hers)
    await lobby.clock.advance(ANSWERED)
    later = await bob.says("/help@zoetrope_bot", chat=club)
    await lobby.hear(later)
    assert [lobby.answer(each).reply_to for each in (hers, later)] == [hers.id, later.id]


async def test_what_waited_for_its_turn_is_not_one_answer_more(lobby: Lobby) -> None:
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


async def test_in_private_everything_is_answered(lobby: Lobby) -> None:
    for _ in range(MOST_ANSWERS + 1):
        await lobby.hear(await lobby.ann.says("/help"))
        await lobby.clock.advance(2)
    assert len(lobby.fake.posts(lobby.ann.private)) == MOST_ANSWERS + 1


async def test_a_group_that_we_are_added_to_by_a_link_is_told_what_holds_there(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    said = await lobby.ann.says("/start@zoetrope_bot true", chat=club)
    await lobby.hear(said)
    assert "Write what you" not in lobby.answer(said).text


# --- sent away ------------------------------------------------------------------------------------


async def ends(lobby: Lobby, *jobs: Job) -> list[tuple[Status, Reason | None]]:
    rows = [await lobby.job(job.id) for job in jobs]
    return [(row.status, row.reason) for row in rows]


WITHDRAWN = (Status.CANCELLED, Reason.SENT_AWAY)
BY_ADMIN = (Status.CANCELLED, Reason.BY_ADMIN)
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


# --- cancelling -----------------------------------------------------------------------------------

CANCEL = "/cancel@zoetrope_bot"


async def in_club(lobby: Lobby) -> tuple[Job, Message, Person, Chat]:
    """Ann's job in a group, its card, the group's owner, and the group."""
    owner = lobby.fake.person("owner")
    club = lobby.fake.supergroup("club", owner, lobby.ann)
    job = await lobby.ordered(chat=club)
    return job, await lobby.card(job), owner, club


@pytest.mark.parametrize("by_reply", [True, False])
async def test_an_admin_cancels_what_is_pointed_at(lobby: Lobby, by_reply: bool) -> None:
    job, card, owner, club = await in_club(lobby)
    named = CANCEL if by_reply else f"{CANCEL} {job.id}"
    await lobby.hear(await owner.says(named, chat=club, reply_to=card if by_reply else None))
    assert await ends(lobby, job) == [BY_ADMIN]


async def test_an_anonymous_admin_is_an_admin(lobby: Lobby) -> None:
    job, card, owner, _ = await in_club(lobby)
    owner.is_anonymous = True
    await lobby.hear(await owner.says(CANCEL, chat=card.chat, reply_to=card))
    assert await ends(lobby, job) == [BY_ADMIN]
    assert lobby.fake.calls_of("getChatMember") == [], "there is no such member"


async def test_a_member_cancels_nobody_elses(lobby: Lobby) -> None:
    job, card, _, club = await in_club(lobby)
    bob = lobby.fake.person("Bob")
    await bob.joins(club)
    said = await bob.says(CANCEL, chat=club, reply_to=card)
    await lobby.hear(said)
    assert await ends(lobby, job) == [WAITING]
    assert "belongs to somebody else" in lobby.answer(said).text


async def test_an_admin_of_one_chat_is_none_of_another(lobby: Lobby) -> None:
    job, _, owner, _ = await in_club(lobby)
    other = lobby.fake.supergroup("other", owner)
    await lobby.hear(await owner.says(f"{CANCEL} {job.id}", chat=other))
    assert await ends(lobby, job) == [WAITING]


async def test_a_reply_to_anything_else_cancels_nothing(lobby: Lobby) -> None:
    job, _, _, club = await in_club(lobby)
    hello = await lobby.ann.says("hello", chat=club)
    said = await lobby.ann.says(CANCEL, chat=club, reply_to=hello)
    await lobby.hear(said)
    assert await ends(lobby, job) == [WAITING]
    assert "no order of yours" in lobby.answer(said).text


async def test_alone_it_cancels_ones_own_latest(lobby: Lobby) -> None:
    first = await lobby.ordered()
    await lobby.clock.advance(1)
    second = await lobby.ordered()
    await lobby.hear(await lobby.ann.says("/cancel"))
    assert await ends(lobby, first, second) == [WAITING, (Status.CANCELLED, Reason.BY_PERSON)]


@pytest.mark.parametrize("by_owner", [True, False])
async def test_in_reply_to_its_request_a_job_is_cancelled(lobby: Lobby, by_owner: bool) -> None:
    owner = lobby.fake.person("owner")
    club = lobby.fake.supergroup("club", owner, lobby.ann)
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=club)
    await lobby.hear(asked)
    (job,), other = await lobby.jobs(), await lobby.ordered(chat=club)
    who = owner if by_owner else lobby.ann
    await lobby.hear(await who.says(CANCEL, chat=club, reply_to=asked))
    by = Reason.BY_ADMIN if by_owner else Reason.BY_PERSON
    assert await ends(lobby, job, other) == [(Status.CANCELLED, by), WAITING]


async def test_a_member_cancels_nobody_elses_request(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann, bob := lobby.fake.person("Bob"))
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=club)
    await lobby.hear(asked)
    await lobby.hear(await bob.says(CANCEL, chat=club, reply_to=asked))
    assert await ends(lobby, *await lobby.jobs()) == [WAITING]


async def test_a_request_with_the_same_number_elsewhere_is_another(lobby: Lobby) -> None:
    one, other = (lobby.fake.supergroup(it, lobby.ann) for it in ("one", "other"))
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=one)
    await lobby.hear(asked)
    while (said := await lobby.ann.says("hello", chat=other)).id < asked.id:
        pass
    await lobby.hear(await lobby.ann.says(CANCEL, chat=other, reply_to=said))
    assert said.id == asked.id
    assert await ends(lobby, *await lobby.jobs()) == [WAITING]


async def test_what_is_silenced_already_is_not_what_is_cancelled(lobby: Lobby) -> None:
    first = await lobby.ordered()
    await lobby.clock.advance(1)
    second = await lobby.ordered()
    for job in (first, second):
        row = await lobby.job(job.id)
        await lobby.store.moved(row, moves.submitting(row, now=lobby.clock.now()))
    for _ in range(2):
        await lobby.hear(await lobby.ann.says("/cancel"))
    assert [(await lobby.job(job.id)).silent for job in (first, second)] == [True, True]


async def test_in_a_group_only_what_was_asked_for_there_is_cancelled(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    here = await lobby.ordered(chat=club)
    await lobby.clock.advance(1)
    private = await lobby.ordered()
    for _ in range(2):
        said = await lobby.ann.says(CANCEL, chat=club)
        await lobby.hear(said)
    assert await ends(lobby, here, private) == [(Status.CANCELLED, Reason.BY_PERSON), WAITING]
    assert "no order of yours" in lobby.answer(said).text


# --- in whose name --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/video@zoetrope_bot a cat", "/quota@zoetrope_bot"])
async def test_a_channel_is_nobody_with_a_quota(lobby: Lobby, text: str) -> None:
    """A quota for channels would be fresh for each that a person speaks as."""
    club, news = lobby.fake.supergroup("club", lobby.ann), lobby.fake.channel("news", lobby.ann)
    lobby.ann.speaks_as = news
    said = await lobby.ann.says(text, chat=club)
    await lobby.hear(said)
    assert "Please write as yourself" in lobby.answer(said).text
    assert await lobby.store.jobs.recent("telegram", str(news.id), most=9) == []


async def test_help_names_what_can_be_chosen_and_that_pictures_speak(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    alone = await lobby.ann.says("/help")
    among = await lobby.ann.says("/help@zoetrope_bot", chat=club)
    for said in (alone, among):
        await lobby.hear(said)
        value = lobby.answer(said).text
        named = ["--model", "--seconds", "--aspect", "draft", "--preset", "--fit", "voice"]
        named += ["or auto", *(f"--{switch}" for switch in SWITCHES)]
        assert [each for each in named if each not in value] == []


async def test_models_are_listed_with_what_can_be_left_to_them_and_switched(lobby: Lobby) -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True), SORA))
    lobby.service.accounts = Accounts(Terms(catalog=catalog, limits=FREE))
    said = await lobby.ann.says("/models")
    await lobby.hear(said)
    value = lobby.answer(said).text
    assert "Wan: 5, 10 s, auto · 16:9, 9:16, 1:1 · 480p, 720p · from a prompt" in value
    assert "on or off: sound" in value.casefold()
    assert "Sora: 4, 8 s · 16:9, 9:16 · 720p" in value


async def test_a_channel_is_helped_like_anybody(lobby: Lobby) -> None:
    club, news = lobby.fake.supergroup("club", lobby.ann), lobby.fake.channel("news", lobby.ann)
    lobby.ann.speaks_as = news
    said = await lobby.ann.says("/help@zoetrope_bot", chat=club)
    await lobby.hear(said)
    assert "/animate" in lobby.answer(said).text


async def test_the_anonymous_admins_of_a_group_are_one_person(lobby: Lobby) -> None:
    owner = lobby.fake.person("owner")
    club = lobby.fake.supergroup("club", owner, lobby.ann)
    for admin in (owner, lobby.ann):
        admin.is_anonymous = True
        await lobby.hear(await admin.says("/video@zoetrope_bot a cat", chat=club))
    assert len(await lobby.store.jobs.recent("telegram", str(club.id), most=9)) == 2


# --- whose picture --------------------------------------------------------------------------------


async def test_a_forwarded_picture_is_not_ones_own(lobby: Lobby) -> None:
    bob = lobby.fake.person("Bob", started=True)
    theirs = await bob.sends_photo(png())
    forwarded = await lobby.ann.forwards(theirs, to=lobby.ann.private)
    said = await lobby.ann.says("/animate", reply_to=forwarded)
    await lobby.hear(said)
    assert "Somebody else posted that picture" in lobby.answer(said).text


async def test_ones_own_picture_in_another_chat_is(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    photo = await lobby.ann.sends_photo(png(), chat=club)
    await lobby.hear(await lobby.ann.says("/animate", chat=lobby.ann.private, reply_to=photo))
    (job,) = await lobby.jobs()
    assert [each.author for each in job.order.pictures] == [str(lobby.ann.id)]


# --- what nobody foresaw --------------------------------------------------------------------------


async def test_what_nobody_foresaw_is_tried_again_in_silence(
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
async def test_what_does_not_heal_is_told_once(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await lobby.ann.says("/video a cat")
    monkeypatch.setattr(lobby.store.jobs, "admit", locked)
    await lobby.hear(said, attempts=MOST_SILENT - 1)
    assert "Something went wrong on my side" in lobby.answer(said).text


# --- unknown ends ---------------------------------------------------------------------------------


async def test_a_list_whose_sending_has_an_unknown_end_is_not_sent_for_ever(lobby: Lobby) -> None:
    said = await lobby.ann.says("/models")
    lobby.fake.faults.add("sendMessage", internal(), times=9)
    await lobby.hear(said)
    assert len(lobby.fake.calls_of("sendMessage")) == 2, "the list, and that it may not have come"


async def test_a_greeting_says_how_many_videos_are_left(lobby: Lobby) -> None:
    lobby.allow(replace(FREE, person_videos=2))
    said = await lobby.ann.says("/start")
    await lobby.hear(said)
    assert "You have 2 videos left today" in lobby.answer(said).text


# --- closed ---------------------------------------------------------------------------------------


async def test_where_it_is_closed_nobody_is_greeted_with_promises(lobby: Lobby) -> None:
    place = f"@{lobby.ann.id}"
    await lobby.places.decide("telegram", place, allowed=False, by="owner", now=0.0)
    await lobby.hear(await lobby.ann.says("/start"))
    (answer,) = [each for each in lobby.fake.posts(lobby.ann.private) if each.reply_to]
    assert answer.text.startswith("I'm not switched on here")

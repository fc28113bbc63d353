"""Commands on Discord, seen from people's side and in the rows."""

import asyncio
from dataclasses import replace
from typing import Any

import discord
import pytest
import sqlalchemy as sa

from bot.core import replies
from bot.core.access import Access, Default
from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from bot.core.commands import COMMANDS, Who
from bot.core.errors import Unwritten
from bot.core.jobs import Job, Reason, Status, Video
from bot.core.orders import Address, Kind, Order, Person, Picture, Sound
from bot.core.posts import Form
from bot.core.replies import Reply, Text
from bot.core.service import Actor, AnimateOthers
from bot.core.wishes import AUTO, OPTIONS, Shaping
from bot.store.places import Places
from bot.store.tables import jobs
from tests.fakes.clock import FakeClock
from tests.fakes.discord import (
    MEMBER,
    Answer,
    FakeDiscord,
    Intent,
    Interaction,
    Message,
    Permission,
    accepted,
    error,
)
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import (
    CATALOG,
    SINGER,
    SINGING,
    SORA,
    WAN_PICTURE,
    WAN_TEXT,
    offering,
)
from tests.unit.platforms.discord.conftest import UNLIMITED, Bot

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
ANSWER = "/callback$"
VIDEO = Video(key="videos/a.mp4", size=9, width=16, height=9, seconds=5.0)


@pytest.fixture
def ann(fake: FakeDiscord) -> Member:
    return fake.person("ann")


async def said(interaction: Interaction) -> str:
    """The plain sentence that only this person saw."""
    response = await interaction.answered()
    assert response.message is not None
    assert response.ephemeral, response.message
    return response.message.content


def card(message: Message | None) -> str:
    """The first line of a card."""
    assert message is not None
    (embed,) = message.embeds
    return str(embed["description"].splitlines()[0])


async def only_job(bot: Bot) -> Job:
    (job,) = bot.service.submitted
    return await bot.job(job.id)


async def recorded(bot: Bot, job: Job) -> tuple[str | None, str | None]:
    """Where the row says that the card stands, once it does: people see it a moment before."""
    async with asyncio.timeout(60):
        while (await bot.service.recorded.get()).id != job.id:
            pass
    post = await bot.post(job)
    return post.message_id, post.channel_id


# --- registration --------------------------------------------------------------------------------


async def test_the_commands_are_registered_for_servers_and_direct_messages(
    fake: FakeDiscord, bot: Bot
) -> None:
    shown = {each["name"]: each for each in fake.commands}
    known = [name for name, each in COMMANDS.items() if each.who is not Who.FIRST_OWNER]
    assert list(shown) == [*known, "Animate"]
    for name, command in shown.items():
        contexts = [0] if name in ("allow", "disallow") else [0, 1]
        assert (command["contexts"], command["integration_types"]) == (contexts, [0])
    options = {each["name"]: each for each in shown["video"]["options"]}
    assert list(options) == [
        *("prompt", "image", "last_image"),
        *OPTIONS,
    ]
    assert [name for name, each in options.items() if each.get("required")] == ["prompt"]
    assert [name for name, each in options.items() if each.get("autocomplete")] == [
        "model",
        "seconds",
        "aspect",
        "quality",
        "preset",
        "sound",
        "enhance",
        "watermark",
    ]
    assert (options["prompt"]["min_length"], options["prompt"]["max_length"]) == (1, 2000)
    assert options["prompt"]["description"] == "What the video should show"


@pytest.mark.proof
async def test_they_are_registered_again_only_when_they_changed(
    fake: FakeDiscord, idle: Bot
) -> None:
    for digest in (None, None, "older"):
        if digest is not None:
            await idle.facts.put("discord.commands", digest)
        async with idle.running():
            pass
        await fake.disconnected()
        idle.fresh()
    assert len([each for each in fake.requests if each.method == "PUT"]) == 2


async def test_a_refused_registration_does_not_keep_the_bot_from_working(
    fake: FakeDiscord, idle: Bot
) -> None:
    fake.faults.add("PUT", "/commands$", error(400, 30034))
    async with idle.running():
        assert await idle.facts.get("discord.commands") is None


# --- slash commands ------------------------------------------------------------------------------


async def test_a_prompt_becomes_an_order_and_its_answer_the_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.slash("video", prompt="a cat", model="sora", seconds=8, aspect="9:16")
    answer = await asked.answered()
    job = await only_job(bot)
    assert (answer.type, answer.ephemeral) == (Answer.MESSAGE, False)
    assert card(answer.message) == "Taken. Yours is in the queue."
    assert await recorded(bot, job) == (str(asked.original_id), str(fake.channel.id))
    order = job.order
    assert order.call.event_id == str(asked.id)
    assert order.call.address == Address(
        platform="discord", channel=str(fake.channel.id), community=str(fake.guild.id)
    )
    assert (order.call.person, order.call.locale) == (Person(id=str(ann.id), name="Ann"), "en-US")
    assert (order.wish.prompt, order.wish.family, order.wish.seconds, order.wish.aspect) == (
        "a cat",
        "sora",
        8,
        "9:16",
    )
    assert (await bot.post(job)).due_at is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [("\u202eevil\u2066", "Evil"), ("an\nn", "An N"), ("\u202e\u200b", "somebody")],
)
async def test_a_name_is_only_what_can_be_seen_of_it(
    fake: FakeDiscord, bot: Bot, name: str, shown: str
) -> None:
    await (await fake.person(name).slash("video", prompt="a cat")).answered()
    assert (await only_job(bot)).order.call.person.name == shown


async def test_a_movement_is_asked_for_by_its_name(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    await (await ann.slash("animate", image=image, preset="loop")).answered()
    assert (await only_job(bot)).request.prompt == "Loop."


async def test_whoever_knows_what_they_want_may_say_it(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    asked = await ann.slash("animate", image=image, model="wan", fit="pad", negative="rain", seed=7)
    await asked.answered()
    order = (await only_job(bot)).order
    assert (order.wish.fit, order.wish.negative_prompt, order.wish.seed) == (Shaping.PAD, "rain", 7)


async def test_what_is_switched_is_in_the_order_and_on_the_card(bot: Bot, ann: Member) -> None:
    asked = await ann.slash("video", prompt="a cat", model="wan", sound="off")
    shown = (await asked.answered()).message
    assert (await only_job(bot)).order.wish.audio is False
    assert shown is not None
    assert "Without sound" in str(shown.embeds)


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("filled", "told"),
    [
        ({"sound": "loud"}, "That can be on or off, not “loud”."),
        ({"sound": "off", "model": "sora"}, "Sora always makes videos with sound here."),
        ({"seconds": AUTO}, "Wan can't choose the length by itself. It makes 5, 10 seconds."),
    ],
)
async def test_what_can_not_be_had_so_is_told_to_its_person_alone(
    ann: Member, filled: dict[str, Any], told: str
) -> None:
    assert (await said(await ann.slash("video", prompt="a cat", **filled))).startswith(told)


@pytest.mark.usefixtures("bot")
async def test_a_second_picture_is_what_the_video_ends_on(fake: FakeDiscord, ann: Member) -> None:
    first, last = (fake.attachment(PNG, f"{it}.png", ephemeral=True) for it in ("first", "last"))
    sentence = await said(await ann.slash("animate", image=first, last_image=last))
    assert sentence.startswith("None of the models here goes from one picture to another.")


@pytest.mark.usefixtures("bot")
async def test_a_picture_to_end_on_needs_one_to_begin_with(fake: FakeDiscord, ann: Member) -> None:
    last = fake.attachment(PNG, "last.png", ephemeral=True)
    sentence = await said(await ann.slash("video", prompt="a cat", last_image=last))
    assert sentence.startswith("A picture to end on needs one to begin with")


async def test_a_picture_is_the_persons_own(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    image.width, image.height = 900, 1600
    await (await ann.slash("animate", image=image)).answered()
    job = await only_job(bot)
    assert job.order.pictures == (
        Picture(
            source=image.url,
            filename="cat.png",
            size=len(PNG),
            width=900,
            height=1600,
            author=str(ann.id),
        ),
    )
    assert job.request.kind is Kind.PICTURE
    assert fake.downloads == []


async def test_a_picture_is_made_to_speak(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    bot.service.accounts = offering(SINGING, bot.service.accounts)
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    voice = fake.attachment(b"OggS" * 9, "voice-message.ogg", ephemeral=True)
    await (await ann.slash("animate", image=image, audio=voice)).answered()
    job = await only_job(bot)
    assert job.order.sound == Sound(
        source=voice.url, filename="voice-message.ogg", size=36, author=str(ann.id)
    )
    assert (job.request.kind, job.request.seconds) == (Kind.SOUND, 30)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("song.mp3", "None of the models here makes a picture speak."),
        ("talk.webm", "None of the models here makes a picture speak."),
        ("song.mid", "I see no sound there that I can use."),
    ],
)
async def test_a_sound_that_nobody_takes_is_refused(
    fake: FakeDiscord, bot: Bot, ann: Member, name: str, sentence: str
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    sound = fake.attachment(b"la", name, ephemeral=True)
    assert (await said(await ann.slash("animate", image=image, audio=sound))).startswith(sentence)
    assert bot.service.submitted == []


async def test_direct_messages_work_alike(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    await (await ann.slash("video", prompt="a cat", channel=ann.dm)).answered()
    address = (await only_job(bot)).order.call.address
    assert address == Address(platform="discord", channel=str(ann.dm.id))


@pytest.mark.parametrize(
    ("filename", "size", "sentence"),
    [
        ("cat.pdf", 100, "I can't read PDF. JPEG, PNG,"),
        ("cat.tiff", 100, "I can't read TIFF. JPEG, PNG,"),
        ("cat.mov", 100, "That one moves already,"),
        ("cat.png", 8_500_000, "That picture has 8.5 MB; I take up to 8."),
    ],
)
async def test_what_is_no_picture_is_refused_at_once(
    fake: FakeDiscord, bot: Bot, ann: Member, filename: str, size: int, sentence: str
) -> None:
    image = fake.attachment(PNG, filename)
    image.size = size
    assert (await said(await ann.slash("animate", image=image))).startswith(sentence)
    assert bot.service.submitted == []


async def test_a_limit_that_discord_shows_is_told_before_anything_is_taken(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png")
    image.width, image.height = 9000, 12_000
    told = "That picture has 108 megapixels; I take up to 65. Make it smaller first."
    assert await said(await ann.slash("animate", image=image)) == told
    assert bot.service.submitted == []


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("cat.jpg", "image/jpg"),
        ("cat.jpg", "image/pjpeg"),
        ("IMG_1.HEIC", "application/octet-stream"),
        ("cat.avif", ""),
        ("IMG", "application/octet-stream"),
        ("cat.jpg:large", ""),
        ("cat.jpg", "text/plain"),
    ],
)
async def test_a_picture_is_one_whatever_a_phone_calls_it(
    fake: FakeDiscord, bot: Bot, ann: Member, name: str, media_type: str
) -> None:
    image = fake.attachment(PNG, name)
    image.content_type = media_type
    await (await ann.slash("animate", image=image)).answered()
    (picture,) = (await only_job(bot)).order.pictures
    assert picture.filename == name


async def test_a_refusal_is_a_plain_sentence_for_one_person(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.slash("video", prompt="a cat", model="<@1> *nope*")
    shown = "There is no model “<\u200b@\u200b1> \\*nope\\*” here. You can choose Wan, Sora."
    assert await said(asked) == shown


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        (Permission.SEND_MESSAGES, "Send Messages"),
        (Permission.ATTACH_FILES, "Attach Files"),
        (Permission.EMBED_LINKS, "Embed Links"),
        (Permission.READ_MESSAGE_HISTORY, "Read Message History"),
        (Permission.VIEW_CHANNEL, "View Channel"),
    ],
)
async def test_nothing_is_taken_where_the_result_could_not_be_posted(
    fake: FakeDiscord, bot: Bot, ann: Member, missing: Permission, name: str
) -> None:
    fake.deny(fake.channel, missing)
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith(f"I may not post in this channel ({name} is missing)")
    assert bot.service.submitted == []


async def test_a_database_that_fails_takes_nothing(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await bot.database.finish()
    bot.service.go_on = None  # type: ignore[assignment]
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith("I could not write that down just now, so nothing was taken.")


async def test_a_full_disk_is_told_for_orders_and_buttons(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    card = (await (await ann.slash("video", prompt="a cat")).answered()).message
    assert card is not None

    async def full(*_: object, **__: object) -> Any:
        raise Unwritten("database_full")

    bot.service.submit = full  # type: ignore[method-assign]
    bot.service.cancel = full  # type: ignore[method-assign]
    for asked in (await ann.slash("video", prompt="a dog"), await ann.press(card, "Cancel")):
        assert (await said(asked)).startswith("I can't write anything down right now")


@pytest.mark.proof
async def test_a_mistake_of_ours_is_admitted_and_takes_nothing(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bot.draw = lambda _: Reply(text=Text(id="error.picture_too_large"))
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith("Something went wrong on my side. Nothing was taken")
    assert (await only_job(bot)).status is Status.CANCELLED


async def test_a_card_that_cannot_be_adorned_is_plain(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bot.draw = None  # type: ignore[assignment]
    answer = await (await ann.slash("video", prompt="a cat")).answered()
    assert card(answer.message) == "Taken. Yours is in the queue."


async def test_so_is_one_whose_ornaments_would_keep_its_person_waiting(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    async def never(job: Job) -> Reply:
        return await asyncio.Future()

    bot.door.listings.cards.card = never  # type: ignore[method-assign]
    answer = await (await ann.slash("video", prompt="a cat")).answered()
    assert card(answer.message) == "Taken. Yours is in the queue."


# --- answers that fail ---------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [error(404, 10062), error(400, 40060), error(403, 50001)])
async def test_a_job_nobody_learned_of_is_withdrawn(
    fake: FakeDiscord, bot: Bot, ann: Member, fault: Any
) -> None:
    fake.faults.add("POST", ANSWER, fault)
    await ann.slash("video", prompt="a cat")
    await asyncio.wait_for(bot.service.withdrawals.get(), 60)
    job = await only_job(bot)
    assert job.status is Status.CANCELLED
    assert (job.reason, job.quota_cost, job.spend_cost) == (Reason.UNANSWERED, 0, 0)
    assert fake.posts() == []


async def test_an_answer_whose_end_is_unknown_is_looked_for(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    """discord.py repeats the answer itself, and is told that it was given before."""
    fake.faults.add("POST", ANSWER, accepted(error(400, 40060)))
    asked = await ann.slash("video", prompt="a cat")
    await asked.answered()
    job = await only_job(bot)
    assert job.status is Status.QUEUED
    assert await recorded(bot, job) == (str(asked.original_id), str(fake.channel.id))


async def test_the_same_event_again_does_not_withdraw_what_was_answered(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.slash("video", prompt="a cat")
    await asked.answered()
    job = await only_job(bot)
    place = await recorded(bot, job)
    fake.faults.add("POST", ANSWER, error(404, 10062))
    bot.posts.asked = asyncio.Queue()
    _deliver_again(fake, "INTERACTION_CREATE")
    await asyncio.wait_for(bot.posts.asked.get(), 60)
    await _help(fake, ann)
    assert [each.id for each in bot.service.submitted] == [job.id, job.id]
    assert bot.service.withdrawing == []
    post = await bot.post(job)
    assert (post.message_id, post.channel_id) == place


async def test_an_answer_that_was_another_sentence_is_no_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    """Refused when it was heard first, and taken when it was heard again: nobody saw that."""
    real, refusing = bot.service.accounts, replace(UNLIMITED, person_videos=0)
    bot.service.accounts = Accounts(Terms(catalog=CATALOG, limits=refusing))
    assert (await said(await ann.slash("video", prompt="a cat"))).startswith("No videos")
    bot.service.accounts = real
    _deliver_again(fake, "INTERACTION_CREATE")
    await asyncio.wait_for(bot.service.withdrawals.get(), 60)
    job = await only_job(bot)
    assert (job.status, job.reason) == (Status.CANCELLED, Reason.UNANSWERED)
    assert (await bot.post(job)).message_id is None


def _deliver_again(fake: FakeDiscord, event: str) -> None:
    """The event once more, as after a RESUME."""
    (session,) = fake.gateway.live
    session.frames.append(next(each for each in session.frames if event in each))
    session.more.set()


class TestImpatience:
    """A transaction that takes too long."""

    @pytest.fixture
    async def hasty(self, idle: Bot) -> Any:
        idle.patience = 0.01
        idle.fresh()
        async with idle.running():
            yield idle

    async def test_is_answered_in_time_and_what_has_not_begun_is_not_begun_later(
        self, hasty: Bot, ann: Member
    ) -> None:
        hasty.service.go_on.clear()
        sentence = await said(await ann.slash("video", prompt="a cat"))
        assert sentence.startswith("I could not write that down just now")
        hasty.service.go_on.set()
        await hasty.commands.finish()
        assert hasty.service.submitted == []

    async def test_is_answered_in_time_and_what_it_still_takes_is_withdrawn(
        self, fake: FakeDiscord, idle: Bot, ann: Member
    ) -> None:
        idle.patience = 0.5
        idle.fresh()
        submit, go_on = idle.service.submit, asyncio.Event()

        async def slowly(order: Order) -> Job:
            job = await submit(order)
            await go_on.wait()
            return job

        idle.service.submit = slowly  # type: ignore[method-assign]
        async with idle.running():
            sentence = await said(await ann.slash("video", prompt="a cat"))
            assert sentence.startswith("I could not write that down just now")
            go_on.set()
            await idle.commands.finish()
            assert (await only_job(idle)).status is Status.CANCELLED
            assert fake.posts() == [each for each in fake.posts() if each.ephemeral]


# --- suggestions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "options", "focused", "typed", "names"),
    [
        ("video", {}, "model", "", ["Wan", "Sora"]),
        ("video", {}, "model", "so", ["Sora"]),
        ("video", {"seconds": 8}, "model", "", ["Sora"]),
        ("video", {"seconds": 7}, "model", "", []),
        ("video", {}, "seconds", "", ["4 s", "5 s", "8 s", "10 s"]),
        ("video", {"model": "wan"}, "seconds", "", ["5 s", "10 s"]),
        ("video", {"model": "sora"}, "seconds", "8", ["8 s"]),
        ("video", {"model": "sora", "seconds": 4}, "seconds", "", ["4 s", "8 s"]),
        ("video", {"model": "wan"}, "aspect", "", ["16:9", "9:16"]),
        ("video", {"quality": "480p"}, "aspect", "", ["1:1"]),
        ("video", {"model": "wan"}, "quality", "", ["Draft: small and cheap", "480p", "720p"]),
        ("video", {"aspect": "9:16"}, "quality", "", ["720p"]),
        ("video", {}, "sound", "", ["With sound", "Without sound"]),
        ("video", {}, "sound", "off", ["Without sound"]),
        ("video", {"sound": "on"}, "model", "", ["Wan", "Sora"]),
        ("video", {"sound": "off"}, "model", "", ["Wan"]),
        ("video", {"sound": "of"}, "model", "", ["Wan", "Sora"]),
        ("video", {"model": "sora"}, "sound", "", []),
        ("video", {}, "watermark", "", []),
        ("animate", {"model": "sora"}, "aspect", "", ["16:9", "9:16"]),
        ("animate", {}, "aspect", "", ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"]),
    ],
)
async def test_only_what_the_models_can_do_is_suggested(
    fake: FakeDiscord,
    bot: Bot,
    ann: Member,
    command: str,
    options: dict[str, object],
    focused: str,
    typed: str,
    names: list[str],
) -> None:
    choices = await ann.autocomplete(command, focused=focused, value=typed, options=options)
    assert [choice["name"] for choice in choices] == names


# --- a community with models of its own -----------------------------------------------------------


@pytest.fixture
def club(fake: FakeDiscord, bot: Bot) -> None:
    """The community that everybody here is in has one model."""
    (own,) = (model for model in CATALOG.models if model.family == "sora")
    terms = Terms(catalog=Catalog(models=(own,)), limits=UNLIMITED)
    bot.service.accounts = Accounts(
        bot.service.accounts.general, {("discord", str(fake.guild.id)): terms}
    )


@pytest.mark.proof
@pytest.mark.usefixtures("club")
async def test_a_community_is_suggested_its_own_models_and_others_theirs(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    here = await ann.autocomplete("video", focused="model", value="", options={})
    assert [choice["name"] for choice in here] == ["Sora"]
    other = fake.add_channel(fake.add_guild("pub"), "pub")
    there = await ann.autocomplete("video", focused="model", value="", options={}, channel=other)
    assert [choice["name"] for choice in there] == ["Wan", "Sora"]


async def test_a_length_that_the_model_may_choose_is_suggested_with_what_counts(
    bot: Bot, ann: Member
) -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True), SORA))
    bot.service.accounts = offering(catalog, bot.service.accounts)
    choices = await ann.autocomplete("video", focused="seconds", value="", options={})
    assert choices[0] == {"name": "Auto, up to 10 s", "value": AUTO}
    await (await ann.slash("video", prompt="a cat", seconds=AUTO)).answered()
    request = (await only_job(bot)).request
    assert (request.auto, request.seconds) == (True, 10)


@pytest.mark.parametrize("brought", [True, False])
async def test_of_sound_nothing_is_suggested_where_it_is_brought_to_a_model_that_always_has_it(
    fake: FakeDiscord, bot: Bot, ann: Member, brought: bool
) -> None:
    catalog = Catalog(models=(WAN_PICTURE, replace(SINGER, takes=())))
    bot.service.accounts = offering(catalog, bot.service.accounts)
    options: dict[str, object] = {"image": fake.attachment(PNG, "cat.png", ephemeral=True)}
    if brought:
        options["audio"] = fake.attachment(b"ID3", "song.mp3", ephemeral=True)
    choices = await ann.autocomplete("animate", focused="sound", value="", options=options)
    assert [each["value"] for each in choices] == ([] if brought else ["on", "off"])


@pytest.mark.usefixtures("club")
async def test_the_form_offers_a_community_its_own_models(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    shown = (await (await ann.message_command("Animate", message)).answered()).data
    video = shown["components"][-1]["component"]
    assert [option["value"] for option in video["options"]] == ["4 sora", "8 sora"]


# --- the menu ------------------------------------------------------------------------------------


async def test_a_picture_in_a_message_becomes_an_order_by_a_form(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("look", attachments=[fake.attachment(PNG, "cat.png")])
    opened = await ann.message_command("Animate", message)
    assert (await opened.answered()).type is Answer.MODAL
    sent = await ann.submit_modal(
        opened,
        {"What the video should show": "it purrs", "Which model, and how long": "8 sora"},
    )
    answer = await sent.answered()
    assert card(answer.message) == "Taken. Fetching your picture …"
    order = (await only_job(bot)).order
    assert (order.wish.prompt, order.wish.family, order.wish.seconds) == ("it purrs", "sora", 8)
    assert [(each.filename, each.author) for each in order.pictures] == [("cat.png", str(ann.id))]
    assert order.call.event_id == str(sent.id)


async def test_an_empty_form_leaves_the_choice_to_the_catalog(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    sent = await ann.submit_modal(await _opened(ann, message), {})
    await sent.answered()
    job = await only_job(bot)
    assert (job.order.wish.family, job.order.wish.seconds) == (None, None)
    assert job.request.prompt == "Bring it to life."


async def _opened(person: Member, message: Message) -> Interaction:
    opened = await person.message_command("Animate", message)
    await opened.answered()
    return opened


async def test_of_several_pictures_one_is_chosen(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    files = [fake.attachment(PNG, name) for name in ("a.png", "b.png")]
    opened = await _opened(ann, await ann.say("", attachments=files))
    await (await ann.submit_modal(opened, {"Which picture": "1"})).answered()
    assert [each.filename for each in (await only_job(bot)).order.pictures] == ["b.png"]


async def test_a_message_without_a_picture_opens_no_form(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(b"x", "notes.txt")])
    sentence = await said(await ann.message_command("Animate", message))
    assert sentence.startswith("I see no picture there")


async def test_a_strangers_picture_opens_no_form(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    bob = fake.person("bob")
    message = await bob.say("", attachments=[fake.attachment(PNG, "cat.png")])
    sentence = await said(await ann.message_command("Animate", message))
    assert sentence.startswith("That picture was posted by somebody else")


@pytest.mark.parametrize("closed", [False, True])
async def test_no_form_opens_where_its_order_would_be_refused(
    fake: FakeDiscord, bot: Bot, ann: Member, *, closed: bool
) -> None:
    """No videos left, or a place that is switched off: nobody types for nothing."""
    _, result = await _result(bot, ann)
    sentence = "You have had your one video for today."
    if closed:
        bot.service.access = Access(
            places=Places(bot.database), facts=bot.facts, default=Default.CLOSED, clock=bot.clock
        )
        sentence = "I am not switched on here"
    else:
        limits = replace(UNLIMITED, person_videos=1)
        bot.service.accounts = Accounts(Terms(catalog=CATALOG, limits=limits))
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    refused = [await said(await ann.message_command("Animate", message))]
    refused += [await said(await ann.press(result, button)) for button in ("Remix", "Continue")]
    assert len(set(refused)) == 1, refused
    assert refused[0].startswith(sentence), refused[0]


async def test_one_picture_that_is_too_large_does_not_spoil_the_others(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    huge, small = fake.attachment(PNG, "huge.png"), fake.attachment(PNG, "small.png")
    huge.size = 8_500_000
    opened = await _opened(ann, await ann.say("", attachments=[huge, small]))
    await (await ann.submit_modal(opened, {})).answered()
    assert [each.filename for each in (await only_job(bot)).order.pictures] == ["small.png"]
    alone = await ann.message_command("Animate", await ann.say("", attachments=[huge]))
    assert (await said(alone)).startswith("That picture has 8.5 MB")


async def test_the_form_offers_only_what_a_model_makes_of_a_picture(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    response = await (await ann.message_command("Animate", message)).answered()
    video = response.data["components"][-1]["component"]
    assert [each["label"] for each in video["options"]] == [
        "Wan · 5 s",
        "Wan · 10 s",
        "Sora · 4 s",
        "Sora · 8 s",
    ]


async def test_a_form_from_before_a_restart_is_answered(
    fake: FakeDiscord, idle: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    async with idle.running():
        opened = await _opened(ann, message)
    await fake.disconnected()
    idle.fresh()
    async with idle.running():
        sent = await ann.submit_modal(opened, {})
        assert (await said(sent)).startswith("That form was no longer open")
    assert idle.service.submitted == []


# --- buttons -------------------------------------------------------------------------------------


async def _card(bot: Bot, ann: Member) -> tuple[Job, Message]:
    asked = await ann.slash("video", prompt="a cat")
    answer = await asked.answered()
    assert answer.message is not None
    job = await only_job(bot)
    await recorded(bot, job)
    return await bot.job(job.id), answer.message


async def _result(bot: Bot, ann: Member) -> tuple[Job, Message]:
    """A job that was delivered, and the message with its video."""
    job, _ = await _card(bot, ann)
    bot.media.kept.add(VIDEO.key)
    for after in (
        replace(job, status=Status.SUBMITTING),
        replace(job, status=Status.IN_PROGRESS, gateway_id="v1"),
        replace(job, status=Status.COMPLETED, video=VIDEO),
        replace(job, status=Status.DELIVERED, video=VIDEO),
    ):
        saved = await bot.jobs.save(job, replace(after, version=job.version), now=bot.clock.now())
        assert saved is not None
        job = saved
    post = await bot.post(job, "result")
    said = replies.result(job, ways=await bot.service.accounts.ways(job))
    await bot.platform.send(post, job, said, video=None)
    return job, await bot.fake.next("message", lambda each: each.nonce == post.nonce(Form.TEXT))


async def test_cancel_withdraws_and_changes_the_card_in_its_place(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _card(bot, ann)
    pressed = await ann.press(message, "Cancel")
    answer = await pressed.answered()
    assert (answer.type, card(answer.message)) == (
        Answer.UPDATE,
        "Cancelled. Nothing was sent, nothing counts.",
    )
    assert (await bot.job(job.id)).status is Status.CANCELLED


async def test_buttons_work_after_a_restart(fake: FakeDiscord, idle: Bot, ann: Member) -> None:
    async with idle.running():
        job, message = await _card(idle, ann)
    await fake.disconnected()
    idle.fresh()
    async with idle.running():
        await (await ann.press(message, "Cancel")).answered()
    assert (await idle.job(job.id)).status is Status.CANCELLED


async def test_only_the_owner_and_moderators_press_cancel(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _card(bot, ann)
    bob = fake.person("bob")
    assert await said(await bob.press(message, "Cancel")) == "That one belongs to somebody else."
    moderator = fake.person("mod", permissions=MEMBER | Permission.MANAGE_MESSAGES)
    await (await moderator.press(message, "Cancel")).answered()
    assert (await bot.job(job.id)).reason is Reason.BY_ADMIN


async def test_try_again_is_a_new_job_of_whoever_pressed(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _card(bot, ann)
    await (await ann.press(message, "Cancel")).answered()
    bob = fake.person("bob", locale="de")
    pressed = await bob.press(message, "Try again")
    answer = await pressed.answered()
    assert (answer.type, card(answer.message)) == (Answer.MESSAGE, "Taken. Yours is in the queue.")
    again = bot.service.submitted[-1]
    assert again.id != job.id
    assert (again.order.call.person.name, again.order.call.locale) == ("Bob", "de")
    assert await recorded(bot, again) == (str(pressed.original_id), str(fake.channel.id))


async def test_cancel_of_what_is_over_says_so(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    job, message = await _card(bot, ann)
    over = replace(await bot.job(job.id), status=Status.FAILED, reason=Reason.REFUSED)
    await bot.jobs.save(await bot.job(job.id), over, now=bot.clock.now())
    assert await said(await ann.press(message, "Cancel")) == "That one is over already."


async def test_cancel_of_what_the_video_service_has_is_too_late(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _card(bot, ann)
    taken = replace(await bot.job(job.id), status=Status.SUBMITTING)
    await bot.jobs.save(await bot.job(job.id), taken, now=bot.clock.now())
    sentence = await said(await ann.press(message, "Cancel"))
    assert sentence == "Too late: the video service already has it."


@pytest.mark.parametrize("button", ["Try again", "Remix"])
async def test_no_other_one_is_made_where_its_result_could_not_be_posted(
    fake: FakeDiscord, bot: Bot, ann: Member, button: str
) -> None:
    _, message = await _result(bot, ann)
    taken = list(bot.service.submitted)
    fake.deny(fake.channel, Permission.ATTACH_FILES)
    sentence = await said(await ann.press(message, button))
    assert sentence.startswith("I may not post in this channel (Attach Files is missing)")
    assert bot.service.submitted == taken


@pytest.mark.proof
async def test_remix_opens_a_form_with_the_old_words_and_makes_a_new_job(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _result(bot, ann)
    bob = fake.person("bob", locale="de")
    opened = await bob.press(message, "Remix")
    response = await opened.answered()
    assert response.type is Answer.MODAL
    assert response.data["components"][0]["component"]["value"] == "a cat"
    sent = await bob.submit_modal(opened, {0: "a dog"})
    answer = await sent.answered()
    assert (answer.type, card(answer.message)) == (Answer.MESSAGE, "Taken. Yours is in the queue.")
    again = bot.service.submitted[-1]
    assert (again.order.wish.prompt, again.order.call.person.name) == ("a dog", "Bob")
    assert again.request.model == job.request.model
    assert await recorded(bot, again) == (str(sent.original_id), str(fake.channel.id))


async def test_continue_asks_what_happens_next_and_takes_silence_for_the_same(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _result(bot, ann)
    opened = await ann.press(message, "Continue")
    response = await opened.answered()
    assert response.data["title"] == "What happens next?"
    await (await ann.submit_modal(opened, {0: ""})).answered()
    after = bot.service.submitted[-1]
    assert job.video is not None
    assert [each.last_of for each in after.order.pictures] == [job.video.key]
    assert (after.order.wish.prompt, after.order.call.person.name) == (job.order.wish.prompt, "Ann")


async def test_a_stranger_s_picture_opens_no_form_for_other_words(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    await (await ann.slash("animate", image=image)).answered()
    job = await only_job(bot)
    post = await bot.post(job)
    await bot.platform.send(post, job, replies.result(job), video=None)
    message = await bot.fake.next("message", lambda each: each.nonce == post.nonce(Form.TEXT))
    sentence = await said(await fake.person("bob").press(message, "Remix"))
    assert sentence.startswith("That picture was posted by somebody else")


async def test_delete_asks_once_more_and_then_takes_the_video_away(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _result(bot, ann)
    words = job.order.wish.prompt
    assert words in await _row(bot, job)
    asked = await (await ann.press(message, "Delete")).answered()
    assert asked.message is not None
    assert asked.ephemeral
    assert asked.message.content.startswith("Delete this video for good")
    assert (await bot.job(job.id)).video is not None
    sure = await (await ann.press(asked.message, "Yes, delete it")).answered()
    assert (sure.type, sure.message and sure.message.content) == (Answer.UPDATE, "Deleted.")
    assert (await bot.job(job.id)).video is None
    assert bot.media.kept == set()
    assert words not in await _row(bot, job), "nothing that they wrote is kept either"


async def _row(bot: Bot, job: Job) -> str:
    """All that the database has of this job."""
    query = sa.select(jobs).where(jobs.c.id == job.id)
    return str(await bot.database.run(lambda it: it.execute(query).mappings().one()))


async def test_only_the_owner_and_moderators_delete(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _result(bot, ann)
    bob = fake.person("bob")
    assert await said(await bob.press(message, "Delete")) == "That one belongs to somebody else."
    moderator = fake.person("mod", permissions=MEMBER | Permission.MANAGE_MESSAGES)
    asked = await (await moderator.press(message, "Delete")).answered()
    assert asked.message is not None
    await (await moderator.press(asked.message, "Yes, delete it")).answered()
    assert (await bot.job(job.id)).video is None


async def test_what_is_deleted_already_is_said_to_be(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await _result(bot, ann)
    await bot.service.delete(job.id, Actor(person=job.order.call.person))
    sentence = await said(await ann.press(message, "Delete"))
    assert sentence == "That one was gone already."


async def test_a_button_nobody_knows_is_answered(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    channel = bot.platform.client.get_partial_messageable(fake.channel.id)
    view = discord.ui.View(timeout=None)
    for custom_id in ("old:thing", "v1:fly:job"):
        view.add_item(discord.ui.Button(label=custom_id, custom_id=custom_id))
    view.stop()
    await channel.send("old", view=view)
    (message,) = fake.posts()
    for label in ("old:thing", "v1:fly:job"):
        sentence = await said(await ann.press(message, label))
        assert sentence == "I don't know that button any more."


# --- mentions ------------------------------------------------------------------------------------


async def test_a_mention_with_words_is_answered_with_the_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.say("a cat", mentions_bot=True)
    shown = await fake.next("message")
    job = await only_job(bot)
    assert card(shown) == "Taken. Yours is in the queue."
    assert (shown.reference, shown.pings) == (asked.id, frozenset())
    assert shown.nonce == f"{job.id}-ct"
    assert await recorded(bot, job) == (str(shown.id), str(fake.channel.id))
    order = job.order
    assert (order.call.event_id, order.wish.prompt) == (str(asked.id), "a cat")
    assert order.call.address.message == str(asked.id)


async def test_a_repeated_message_is_answered_once(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await ann.say("a cat", mentions_bot=True)
    await fake.next("message")
    await recorded(bot, await only_job(bot))
    fake.world.nonce_window = 0.0
    _deliver_again(fake, "MESSAGE_CREATE")
    for _ in range(2):
        await asyncio.wait_for(bot.service.submissions.get(), 60)
    await _help(fake, ann)
    assert len([each for each in fake.posts() if each.embeds]) == 1


async def _help(fake: FakeDiscord, person: Member) -> Message:
    """Ask for help and get it: whatever was said before has been dealt with."""
    await person.say("", mentions_bot=True)
    return await fake.next("message", lambda each: each.content.startswith("Mention me"))


async def test_an_empty_mention_gets_help(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    shown = await _help(fake, ann)
    assert shown.content == "Mention me with a prompt, attach a picture if you like, or use /video."


async def test_a_mention_takes_the_picture_of_its_own_message(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await ann.say("", mentions_bot=True, attachments=[fake.attachment(PNG, "cat.png")])
    await fake.next("message")
    order = (await only_job(bot)).order
    assert [(each.filename, each.author) for each in order.pictures] == [("cat.png", str(ann.id))]


async def test_a_mention_takes_the_picture_it_replies_to_where_discord_shows_it(
    fake: FakeDiscord, idle: Bot, ann: Member
) -> None:
    fake.grant(Intent.MESSAGE_CONTENT)
    idle.settings = type(idle.settings)(
        token=fake.token,
        api_url=fake.api_url,
        gateway_url=fake.gateway_url,
        message_content=True,
    )
    idle.fresh()
    async with idle.running():
        picture = await ann.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
        await ann.say("make it purr", mentions_bot=True, reply_to=picture)
        await fake.next("message")
    order = (await only_job(idle)).order
    assert [each.filename for each in order.pictures] == ["cat.png"]


async def test_a_hidden_picture_is_said_to_be_hidden(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bob = fake.person("bob")
    picture = await bob.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
    await ann.say("make it purr", mentions_bot=True, reply_to=picture)
    shown = await fake.next("message")
    assert shown.content.startswith("Discord does not show me what is in messages that don't")
    assert bot.service.submitted == []


async def test_two_pictures_are_refused_in_a_friendly_way(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bob = fake.person("bob")
    for person, count, sentence in (
        (ann, 2, "None of the models here goes from one picture to another. Send me one picture"),
        (bob, 3, "That is 3 pictures, more than fit into one video."),
    ):
        files = [fake.attachment(PNG, "cat.png") for _ in range(count)]
        await person.say("", mentions_bot=True, attachments=files)
        assert (await fake.next("message")).content.startswith(sentence)


async def test_a_picture_of_ours_has_no_known_author(
    fake: FakeDiscord, bot: Bot, ann: Member, tmp_path: Any
) -> None:
    path = tmp_path / "still.png"
    path.write_bytes(PNG)
    channel = bot.platform.client.get_partial_messageable(fake.channel.id)
    await channel.send("here", file=discord.File(path))
    ours = await fake.next("message")
    await ann.say("more", mentions_bot=True, reply_to=ours)
    shown = await fake.next("message")
    assert shown.content.startswith("I can't tell whose picture that is")
    bot.service.animate_others = AnimateOthers.FREE
    await ann.say("more", mentions_bot=True, reply_to=ours)
    await fake.next("message")
    assert [each.author for each in (await only_job(bot)).order.pictures] == [None]


async def test_a_mere_reply_to_a_video_is_no_order(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    channel = bot.platform.client.get_partial_messageable(fake.channel.id)
    await channel.send("your video")
    await ann.say("wow!", reply_to=await fake.next("message"))
    await _help(fake, ann)
    assert bot.service.submitted == []


async def test_in_direct_messages_a_picture_needs_no_mention(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await ann.say("it purrs", channel=ann.dm, attachments=[fake.attachment(PNG, "cat.png")])
    shown = await fake.next("message")
    assert card(shown) == "Taken. Fetching your picture …"
    order = (await only_job(bot)).order
    assert (order.wish.prompt, order.call.address.community) == ("it purrs", None)


async def test_in_direct_messages_words_alone_are_no_order(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    for words in ("thanks!", "a cat"):
        asked = await ann.say(words, channel=ann.dm)
        shown = await fake.next("message")
        assert shown.content.startswith("Send me a picture here and I bring it to life")
    await ann.say("thanks!", channel=ann.dm, reply_to=shown)
    assert (await fake.next("message")).reference != asked.id
    assert bot.service.submitted == []


async def test_the_bot_is_mentioned_again_after_it_spoke(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    for _ in range(3):
        await ann.say("a cat", mentions_bot=True)
        assert card(await fake.next("message")) == "Taken. Yours is in the queue."


async def test_a_channel_that_it_was_told_of_is_not_said_to_be_hidden(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    """The remembered rights may be wrong; then Discord itself decides."""
    gone = {"guild_id": str(fake.guild.id), "role_id": str(fake.guild.bot_role.id)}
    assert fake.world.tell(Intent.GUILDS, "GUILD_ROLE_DELETE", gone)
    await ann.say("a cat", mentions_bot=True)
    assert card(await fake.next("message")) == "Taken. Yours is in the queue."


async def test_how_to_ask_is_told_once_a_minute_to_each_person_in_each_channel(
    fake: FakeDiscord, bot: Bot, ann: Member, clock: FakeClock
) -> None:
    bob = fake.person("bob")
    await _help(fake, ann)
    again = await ann.say("", mentions_bot=True)
    marked = await fake.next("reaction")
    assert (marked.id, marked.reactions) == (again.id, ("❔",))
    await _help(fake, bob)
    await clock.advance(61)
    await _help(fake, ann)
    assert len(fake.posts()) == 3


async def test_where_it_may_not_react_it_stays_silent(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    fake.deny(fake.channel, Permission.ADD_REACTIONS)
    await _help(fake, ann)
    await ann.say("", mentions_bot=True)
    await fake.next("request", lambda each: each.status == 403)
    await _help(fake, fake.person("bob"))
    assert len(fake.posts()) == 2


@pytest.mark.proof
async def test_where_the_bot_may_not_speak_it_says_so_directly(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    fake.deny(fake.channel, Permission.SEND_MESSAGES)
    await ann.say("a cat", mentions_bot=True)
    shown = await fake.next("message")
    assert shown.channel is ann.dm
    assert "(Send Messages is missing)" in shown.content


async def test_a_sentence_without_the_right_to_reply_is_no_reply(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    fake.deny(fake.channel, Permission.READ_MESSAGE_HISTORY)
    await ann.say("a cat", mentions_bot=True)
    shown = await fake.next("message")
    assert (shown.channel, shown.reference) == (fake.channel, None)
    assert "(Read Message History is missing)" in shown.content


async def test_a_card_that_cannot_be_posted_now_is_still_owed(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    fake.faults.add("POST", "/messages$", error(503))
    await ann.say("a cat", mentions_bot=True)
    await fake.next("request", lambda each: each.status == 503)
    await _help(fake, ann)
    job = await only_job(bot)
    assert job.status is Status.QUEUED
    assert (await bot.post(job)).due_at is not None

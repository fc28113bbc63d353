"""The form for files and words on Discord: a character, a changed video, a continued one."""

from dataclasses import replace

import pytest

from bot.core.jobs import Job
from bot.core.models import References
from bot.core.orders import Clip, Kind
from bot.core.wishes import Use
from bot.platforms.discord.uploads import MOST_WORDS
from tests.fakes.discord import Answer, FakeDiscord, Interaction
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import CATALOG, KEEPER, USING, offering
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.orders import PNG, card, job_result, only_job, said

WORDS = "they dance in the rain"
SEVERAL = replace(
    KEEPER, name="several", family="several", label="Several", references=References(least=3)
)
"""A model that takes three references or more."""


@pytest.fixture
def using(bot: Bot) -> Bot:
    bot.service.accounts = offering(USING, bot.service.accounts)
    return bot


async def opened(asked: Interaction) -> Interaction:
    assert (await asked.answered()).type is Answer.MODAL
    return asked


def shown(form: Interaction) -> list[str]:
    """Return the labels of the fields of an open form."""
    assert form.response is not None
    return [each["label"] for each in form.response.data["components"]]


@pytest.mark.parametrize("count", [1, 3, 10])
async def test_a_character_of_up_to_ten_pictures_is_ordered_by_a_form(
    fake: FakeDiscord, using: Bot, ann: Member, count: int
) -> None:
    form = await opened(await ann.slash("character", seconds=10))
    assert shown(form) == ["One to ten pictures of them", "What they do in the video"]
    files = [fake.attachment(PNG, f"{each}.png", ephemeral=True) for each in range(count)]
    sent = await ann.submit_modal(form, {0: files, 1: WORDS})
    assert card((await sent.answered()).message).startswith("Got it!")
    job = await only_job(using)
    assert (job.request.kind, job.request.seconds) == (Kind.REFERENCES, 10)
    assert [each.filename for each in job.order.pictures] == [each.filename for each in files]
    assert job.order.call.event_id == str(sent.id)


async def test_a_model_that_takes_only_several_references_can_be_chosen(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    catalog = replace(USING, models=(*CATALOG.models, SEVERAL))
    bot.service.accounts = offering(catalog, bot.service.accounts)
    offered = await ann.autocomplete("character", focused="model")
    assert [each["value"] for each in offered] == ["several"]
    form = await opened(await ann.slash("character", model="several"))
    files = [fake.attachment(PNG, f"{each}.png", ephemeral=True) for each in range(3)]
    await (await ann.submit_modal(form, {0: files, 1: WORDS})).answered()
    assert (await only_job(bot)).request.model == "several"


async def test_the_form_offers_models_for_any_number_of_references(bot: Bot, ann: Member) -> None:
    catalog = replace(USING, models=(*USING.models, SEVERAL))
    bot.service.accounts = offering(catalog, bot.service.accounts)
    assert "Model" in shown(await opened(await ann.slash("character")))


async def test_the_pictures_of_a_form_keep_the_order_in_which_the_person_added_them(
    fake: FakeDiscord, using: Bot, ann: Member
) -> None:
    """discord.py returns them in the order of Discord's table, here by id: `first` is older."""
    first, second = (fake.attachment(PNG, name, ephemeral=True) for name in ("b.png", "a.png"))
    form = await opened(await ann.slash("character"))
    sent = await ann.submit_modal(form, {0: [second, first], 1: WORDS})
    await sent.answered()
    names = [each.filename for each in (await only_job(using)).order.pictures]
    assert names == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("command", "kind", "use"),
    [("edit", Kind.VIDEO, Use.EDIT), ("extend", Kind.EXTEND, Use.EXTEND)],
)
async def test_a_video_is_changed_or_continued_by_a_form(
    fake: FakeDiscord, using: Bot, ann: Member, command: str, kind: Kind, use: Use
) -> None:
    video = fake.attachment(b"video", "run.mp4", ephemeral=True)
    form = await opened(await ann.slash(command))
    await (await ann.submit_modal(form, {"The video": [video], 1: WORDS})).answered()
    job = await only_job(using)
    assert (job.request.kind, job.order.wish.use, job.order.wish.prompt) == (kind, use, WORDS)
    assert job.order.video == Clip(source=video.url, filename="run.mp4", size=5, author=str(ann.id))


@pytest.mark.parametrize(
    ("command", "name", "told"),
    [
        ("character", "run.mp4", "That picture already moves"),
        ("character", "song.mp3", "I see no picture there"),
        ("edit", "cat.png", "I see no video there"),
        ("extend", "notes.txt", "I see no video there"),
    ],
)
async def test_a_wrong_file_is_refused_and_the_words_are_given_back(
    fake: FakeDiscord, using: Bot, ann: Member, command: str, name: str, told: str
) -> None:
    form = await opened(await ann.slash(command))
    file = fake.attachment(b"?", name, ephemeral=True)
    answer = await said(await ann.submit_modal(form, {0: [file], 1: f"{WORDS} ```"}))
    assert answer.startswith(told)
    assert answer.endswith(f"\n```\n{WORDS} '''\n```")
    assert await jobs(using, ann) == []


async def test_the_longest_words_are_given_back_whole_by_a_refusal_of_the_order(
    fake: FakeDiscord, using: Bot, ann: Member
) -> None:
    form = await opened(await ann.slash("edit"))
    video = fake.attachment(b"video", "run.mp4", ephemeral=True)
    long = "a" * MOST_WORDS
    answer = await said(await ann.submit_modal(form, {0: [video], 1: long}))
    assert answer.endswith(f"\n```\n{long}\n```")
    assert len(answer) <= 2000
    assert await jobs(using, ann) == []


async def test_a_video_above_our_limit_is_refused_before_it_is_downloaded(
    fake: FakeDiscord, using: Bot, ann: Member
) -> None:
    video = fake.attachment(b"video", "run.mp4", ephemeral=True)
    video.size = 100_000_001
    form = await opened(await ann.slash("edit"))
    answer = await said(await ann.submit_modal(form, {0: [video], 1: WORDS}))
    assert "the most I take is 100 MB" in answer
    assert await jobs(using, ann) == []


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("character", "No model here keeps"),
        ("edit", "No model here changes a video"),
        ("extend", "No model here goes on from a video"),
    ],
)
async def test_where_no_model_can_the_command_says_so_instead_of_opening_a_form(
    ann: Member, command: str, told: str
) -> None:
    assert (await said(await ann.slash(command))).startswith(told)


# --- the menus of a message ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("menu", "kind"), [("Change video", Kind.VIDEO), ("Continue video", Kind.EXTEND)]
)
async def test_the_menu_of_a_message_takes_its_video(
    fake: FakeDiscord, using: Bot, ann: Member, menu: str, kind: Kind
) -> None:
    message = await ann.say("look", attachments=[fake.attachment(b"video", "run.mp4")])
    form = await opened(await ann.message_command(menu, message))
    assert len(shown(form)) == 1, "the video is known, so only the words are asked for"
    await (await ann.submit_modal(form, {0: WORDS})).answered()
    job = await only_job(using)
    assert (job.request.kind, job.order.video and job.order.video.filename) == (kind, "run.mp4")


async def test_the_menu_takes_a_video_of_ours_from_our_storage(using: Bot, ann: Member) -> None:
    job, message = await job_result(using, ann)
    form = await opened(await ann.message_command("Change video", message))
    await (await ann.submit_modal(form, {0: WORDS})).answered()
    later = next(each for each in await jobs(using, ann) if each.id != job.id)
    assert job.video is not None
    assert later.order.video is not None
    assert (later.order.video.video_of, later.order.video.source) == (job.video.key, None)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["cat.png"], "I see no video there"),
        (["a.mp4", "b.mp4"], "You sent 2 videos"),
    ],
)
async def test_the_menu_refuses_a_message_without_exactly_one_video(
    fake: FakeDiscord, using: Bot, ann: Member, files: list[str], told: str
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, name) for name in files])
    assert (await said(await ann.message_command("Change video", message))).startswith(told)


async def test_the_menu_refuses_the_video_of_another_person(
    fake: FakeDiscord, using: Bot, ann: Member
) -> None:
    bob = fake.person("bob")
    message = await bob.say("", attachments=[fake.attachment(b"video", "run.mp4")])
    answer = await said(await ann.message_command("Change video", message))
    assert answer.startswith("Somebody else posted that video")


async def jobs(bot: Bot, person: Member) -> list[Job]:
    return list(await bot.jobs.recent("discord", str(person.id), most=9))

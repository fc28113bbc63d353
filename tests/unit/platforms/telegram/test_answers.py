"""The handling of proposals, and of answers to the bot's questions."""

from dataclasses import replace

import pytest

from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from bot.core.jobs import Job
from bot.core.models import Model
from bot.core.wishes import AUTO, Extra
from tests.contract.rows import FREE
from tests.e2e.world import png
from tests.fakes.telegram import Item, Message
from tests.unit.core.orders import SORA, WAN_TEXT
from tests.unit.platforms.telegram.conftest import Lobby

# --- answers --------------------------------------------------------------------------------------


async def remixed(lobby: Lobby) -> tuple[Job, Message]:
    """Return Ann's job with a picture, and the question for a new prompt after "Remix"."""
    photo = await lobby.ann.sends_photo(png("red"), caption="/animate wave --model wan --seed 7")
    await lobby.hear(photo)
    (job,) = await lobby.jobs()
    await lobby.hear(await lobby.ann.presses(await lobby.result(await lobby.made(job)), "Remix"))
    return job, lobby.fake.posts(lobby.ann.private)[-1]


async def test_an_answer_to_remix_keeps_the_former_picture_and_options(lobby: Lobby) -> None:
    job, question = await remixed(lobby)
    await lobby.hear(await lobby.ann.says("jump", reply_to=question))
    *_, again = await lobby.jobs()
    assert (again.order.pictures, again.order.wish.seed) == (job.order.pictures, 7)
    assert again.order.wish.prompt == "jump"


async def test_continue_makes_a_video_from_the_last_frame_with_the_answer_as_its_prompt(
    lobby: Lobby,
) -> None:
    video = await lobby.made(await lobby.ordered())
    await lobby.hear(await lobby.ann.presses(await lobby.result(video), "Continue"))
    question = lobby.fake.posts(lobby.ann.private)[-1]
    assert question.text == "Ann, what happens next? Please reply to this message."
    await lobby.hear(await lobby.ann.says("it wakes up", reply_to=question))
    *_, after = await lobby.jobs()
    assert video.video is not None
    assert [each.last_of for each in after.order.pictures] == [video.video.key]
    assert after.order.wish.prompt == "it wakes up"


async def test_a_picture_in_the_answer_to_remix_replaces_the_former_picture(lobby: Lobby) -> None:
    job, question = await remixed(lobby)
    await lobby.hear(await lobby.ann.sends_photo(png("blue"), caption="jump", reply_to=question))
    *_, again = await lobby.jobs()
    assert again.order.wish.prompt == "jump"
    (before,), (after,) = job.order.pictures, again.order.pictures
    assert after.source not in (None, before.source)


async def test_a_sticker_as_an_answer_to_remix_is_asked_for_again(lobby: Lobby) -> None:
    _, question = await remixed(lobby)
    said = await lobby.ann.sends_sticker(b"moves", kind="animated", reply_to=question)
    await lobby.hear(said)
    again = lobby.answer(said)
    await lobby.hear(await lobby.ann.says("jump", reply_to=again))
    assert [job.order.wish.prompt for job in await lobby.jobs()] == ["wave", "jump"]


async def test_flags_in_the_answer_to_a_question_count(lobby: Lobby) -> None:
    asked = await lobby.ann.says("/video --preset life")
    await lobby.hear(asked)
    await lobby.hear(await lobby.ann.says("a cat --seconds 10", reply_to=lobby.answer(asked)))
    (job,) = await lobby.jobs()
    assert (job.request.seconds, job.request.prompt) == (10, "Bring it to life. a cat")


# --- proposals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("caption", ["", "/animate"])
async def test_an_album_of_three_pictures_is_refused_if_no_model_takes_so_many(
    lobby: Lobby, caption: str
) -> None:
    items = [Item(content=png(), caption=caption), Item(content=png()), Item(content=png())]
    first, *others = await lobby.ann.sends_album(items)
    await lobby.hear_together(first, *others)
    said = "No model here keeps the people and things of several pictures."
    assert said in lobby.answer(first).text
    assert await lobby.jobs() == []


@pytest.mark.parametrize("is_admin", [False, True])
async def test_an_album_of_which_telegram_shows_one_picture_is_no_order(
    lobby: Lobby, *, is_admin: bool
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    if is_admin:
        lobby.fake.promote(club, lobby.fake.bot)
    items = [Item(content=png()), Item(content=png(), caption="/animate@zoetrope_bot")]
    *others, captioned = await lobby.ann.sends_album(items, chat=club)
    await lobby.hear_together(*(others if is_admin else []), captioned)
    value = lobby.answer(others[0] if is_admin else captioned).text
    told_of = "goes from one picture to another" if is_admin else "That is an album"
    assert told_of in value
    assert await lobby.jobs() == []


@pytest.mark.parametrize("caption", ["", "/animate", "/video they meet"])
async def test_in_an_album_the_file_that_is_refused_is_named(lobby: Lobby, caption: str) -> None:
    items = [
        Item(content=png(), caption=caption, document_name="cat.png"),
        Item(content=b"dog", document_name="dog.txt"),
    ]
    first, *others = await lobby.ann.sends_album(items)
    await lobby.hear_together(first, *others)
    assert lobby.answer(first).text.endswith("I mean picture number 2 of 2.")
    assert await lobby.jobs() == []


async def test_flags_in_a_plain_text_count_for_its_proposal(lobby: Lobby) -> None:
    said = await lobby.ann.says("a cat --Seconds 10")
    await lobby.hear(said)
    assert "10 s" in lobby.answer(said).text
    assert "--" not in lobby.answer(said).text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a cat --size big", "no option --size"),
        ("a cat --model Kling 9", "put it in quotation marks"),
        ("/video a cat --model Kling 9 --seconds 5", "Wan or Sora"),
    ],
)
async def test_a_flag_that_makes_no_sense_is_explained(
    lobby: Lobby, text: str, answer: str
) -> None:
    said = await lobby.ann.says(text)
    await lobby.hear(said)
    assert answer in lobby.answer(said).text
    assert await lobby.jobs() == []


# --- proposals: options left to the model, and switches -------------------------------------------


async def pressed(lobby: Lobby, *buttons: str) -> Message:
    """Press these buttons one after another with pauses, and return the proposal as it is then."""
    for button in buttons:
        await lobby.clock.advance(60)
        draft = lobby.fake.posts(lobby.ann.private)[-1]
        await lobby.hear(await lobby.ann.presses(draft, button))
    return lobby.fake.posts(lobby.ann.private)[-1]


async def chosen(lobby: Lobby, *buttons: str) -> Message:
    """Make a new proposal, press these buttons, and return it."""
    await lobby.clock.advance(60)
    await lobby.hear(await lobby.ann.says("a cat"))
    return await pressed(lobby, *buttons)


def offering(lobby: Lobby, *models: Model) -> None:
    """Offer these models alone from now on."""
    lobby.service.accounts = Accounts(Terms(catalog=Catalog(models=models), limits=FREE))


async def test_a_proposal_says_what_is_left_to_the_model_and_the_most_it_costs(
    lobby: Lobby,
) -> None:
    prices, silent = {"720p": 200_000}, {"720p": 50_000}
    model = replace(
        WAN_TEXT, auto=True, sizes={"720p": {"16:9": "x"}}, prices=prices, silent_prices=silent
    )
    offering(lobby, model)
    draft = await chosen(lobby, "Length", "Auto, up to 10 s")
    assert "Wan · up to 10 s · 16:9 · 720p" in draft.text
    assert "Costs up to 2.00 USD" in draft.text
    draft = await pressed(lobby, "Sound", "Without sound")
    assert "Without sound" in draft.text
    assert "Costs up to 0.50 USD" in draft.text
    assert "• Without sound" in str((await pressed(lobby, "Sound")).markup)
    draft = await pressed(lobby, "• Without sound")
    await lobby.hear(await lobby.ann.presses(draft, "Go"))
    (job,) = await lobby.jobs()
    assert (job.order.wish.seconds, job.order.wish.audio, job.spend_cost) == (AUTO, False, 500_000)


async def test_a_proposal_has_buttons_only_for_options_that_a_model_has(lobby: Lobby) -> None:
    words = {"Sound", "Add to prompt", "Watermark"}

    async def shown(*models: Model) -> set[str]:
        offering(lobby, *models)
        return {str(it["text"]) for it in (await chosen(lobby)).buttons} & words

    assert await shown(SORA) == set()
    assert await shown(WAN_TEXT, SORA) == {"Sound"}
    assert await shown(replace(WAN_TEXT, takes=tuple(Extra))) == words


async def test_choosing_another_model_drops_a_switch_that_it_lacks_and_says_so_once(
    lobby: Lobby,
) -> None:
    offering(lobby, WAN_TEXT, SORA)
    draft = await chosen(lobby, "Sound", "Without sound", "Model", "Sora")
    assert "Sora · 4 s" in draft.text
    assert "Sora does not offer this, so I left it out: Without sound" in draft.text
    assert "left out" not in (await pressed(lobby, "Length")).text


async def test_choosing_another_model_keeps_the_options_that_it_has(lobby: Lobby) -> None:
    """The other model lacks the length and the switch for sound, and has the switch for a
    watermark.
    """
    takes = (Extra.AUDIO, Extra.WATERMARK)
    loud = replace(SORA, seconds=(4,), takes=(Extra.WATERMARK,), silent=False)
    offering(lobby, replace(WAN_TEXT, seconds=(5, 10), takes=takes), loud)
    chose = ("Length", "10 s", "Sound", "Without sound", "Watermark", "With a watermark")
    draft = await chosen(lobby, *chose, "Model", "Sora")
    assert "Sora · 4 s" in draft.text
    assert "Sora does not offer this, so I left it out: 10 s, Without sound" in draft.text
    assert draft.text.count("With a watermark") == draft.text.count("Without sound") == 1


async def test_choosing_another_model_says_that_an_automatic_length_is_dropped(
    lobby: Lobby,
) -> None:
    offering(lobby, replace(WAN_TEXT, auto=True), SORA)
    draft = await chosen(lobby, "Length", "Auto, up to 10 s", "Model", "Sora")
    assert "Sora does not offer this, so I left it out: auto" in draft.text


# --- forwarded pictures ---------------------------------------------------------------------------


async def forwarded(lobby: Lobby, picture: Message) -> Message:
    """Forward a message to the bot as Ann, and return the forward."""
    said = await lobby.ann.forwards(picture, to=lobby.ann.private)
    await lobby.hear(said)
    return said


async def test_a_persons_own_forwarded_picture_becomes_a_proposal(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    said = await forwarded(lobby, await lobby.ann.sends_photo(png(), chat=club, caption="it waves"))
    assert "Shall I make this?" in lobby.answer(said).text
    assert "it waves" in lobby.answer(said).text


async def test_a_forwarded_picture_of_somebody_else_is_refused_as_somebody_elses(
    lobby: Lobby,
) -> None:
    bob = lobby.fake.person("Bob", started=True)
    said = await forwarded(lobby, await bob.sends_photo(png()))
    assert "Somebody else posted that picture" in lobby.answer(said).text


@pytest.mark.parametrize("text", ["", "/animate"])
async def test_a_forwarded_picture_with_a_hidden_author_is_refused_as_unknown(
    lobby: Lobby, text: str
) -> None:
    news = lobby.fake.channel("news", lobby.ann)
    photo = await lobby.ann.sends_photo(png(), chat=news)
    said = await lobby.ann.forwards(photo, to=lobby.ann.private)
    if text:
        said = await lobby.ann.says(text, reply_to=said)
    await lobby.hear(said)
    assert "can't tell whose picture" in lobby.answer(said).text


HANDED_ON = "That message was forwarded, or written with another bot, so I don't use it."


async def test_a_forwarded_text_or_command_is_no_order(lobby: Lobby) -> None:
    photo = await lobby.ann.sends_photo(png(), caption="/animate wave")
    for words in (photo, await lobby.ann.says("/video a cat"), await lobby.ann.says("a cat")):
        said = await forwarded(lobby, words)
        assert lobby.answer(said).text.startswith(HANDED_ON)
    assert await lobby.jobs() == []


async def test_a_forwarded_album_with_a_command_is_no_order(lobby: Lobby) -> None:
    items = [Item(content=png()), Item(content=png(), caption="/animate")]
    album = await lobby.ann.sends_album(items)
    for each in album:
        body = lobby.fake.updates.of(each).body
        body["forward_origin"] = {"type": "user", "sender_user": body["from"], "date": 1}
    await lobby.hear_together(*album)
    assert await lobby.updates.due(now=lobby.clock.now(), most=9) == []
    (value,) = lobby.fake.posts(lobby.ann.private)
    assert value.text.startswith(HANDED_ON)
    assert await lobby.jobs() == []


async def test_a_forwarded_picture_in_a_group_is_ignored(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    lobby.fake.promote(club, lobby.fake.bot)
    said = await lobby.ann.forwards(await lobby.ann.sends_photo(png()), to=club)
    await lobby.hear(said)
    assert lobby.fake.posts(club) == []


@pytest.mark.parametrize("words", ["--preset life", '--preset "Bring to LIFE"', "wave"])
async def test_the_menu_of_movements_marks_the_preset_however_it_was_named(
    lobby: Lobby, words: str
) -> None:
    await lobby.hear(await lobby.ann.sends_photo(png(), caption=words))
    draft = lobby.fake.posts(lobby.ann.private)[-1]
    await lobby.hear(await lobby.ann.presses(draft, "Movement"))
    menu = str(lobby.fake.posts(lobby.ann.private)[-1].markup)
    assert "Bring to life" in menu
    assert ("• Bring to life" in menu) == (words != "wave")

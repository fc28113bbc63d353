"""The content of a message besides its text: used where possible, and never ignored in favour of
the text alone.
"""

from dataclasses import replace
from typing import Any

import discord
import pytest

from bot.core.catalog import Catalog
from bot.core.orders import Kind
from bot.core.service import AnimateOthers
from tests.fakes.discord import FakeDiscord, Intent
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import KEY_FRAMES, SINGING, offering
from tests.unit.platforms.discord.bot import Bot

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
NOT_ATTACHED = "I can only use attached pictures"
NO_PICTURE = "I see no picture there that I can animate."
MOVES = "That picture already moves,"


@pytest.fixture
def ann(fake: FakeDiscord) -> Member:
    return fake.person("ann")


@pytest.fixture
async def sighted(fake: FakeDiscord, idle: Bot) -> Any:
    """Yield a bot to which Discord shows the content of every message."""
    fake.grant(Intent.MESSAGE_CONTENT)
    idle.settings = replace(idle.settings, message_content=True)
    idle.fresh()
    async with idle.running():
        yield idle


STICKER = {"id": "7", "name": "wave", "format_type": 1}
PREVIEW = {"type": "rich", "image": {"url": "https://pictures.example/cat.png"}}


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ({"files": ["video.mov"]}, MOVES),
        ({"files": ["clip.mp4"]}, MOVES),
        ({"files": ["page.pdf"]}, "I can't read PDF."),
        ({"files": ["notes.txt"]}, NO_PICTURE),
        ({"files": ["cat.png", "clip.mp4"]}, "One of these files already moves,"),
        ({"files": ["cat.png"], "stickers": [STICKER]}, NOT_ATTACHED),
        ({"stickers": [STICKER]}, NOT_ATTACHED),
        ({"embeds": [PREVIEW]}, NOT_ATTACHED),
        ({"text": "https://pictures.example/cat.png"}, NOT_ATTACHED),
        ({"text": "look: HTTP://tenor.example/view/cat-gif-1"}, NOT_ATTACHED),
        ({"text": "<https://pictures.example/quiet>"}, NOT_ATTACHED),
        ({"text": "<:cat:123456789012345678> <a:dog:123456789012345679>"}, NOT_ATTACHED),
    ],
)
@pytest.mark.parametrize("forwarded", [False, True])
async def test_a_reply_to_a_message_with_no_usable_picture_is_refused(
    fake: FakeDiscord,
    sighted: Bot,
    ann: Member,
    shown: dict[str, Any],
    sentence: str,
    *,
    forwarded: bool,
) -> None:
    files = [fake.attachment(b"x", name) for name in shown.get("files", ())]
    more = {key: shown[key] for key in ("stickers", "embeds") if key in shown}
    target = await ann.say(shown.get("text", ""), attachments=files, **more)
    if forwarded:
        target = await ann.forward(target)
    await ann.say("animate this", mentions_bot=True, reply_to=target)
    assert (await fake.next("message", lambda each: each.author.bot)).content.startswith(sentence)
    assert sighted.service.submitted == []


@pytest.mark.parametrize("text", ["https://videos.example/a", "make it move https://a.example"])
async def test_a_mention_with_a_link_or_a_sticker_is_refused(
    fake: FakeDiscord, bot: Bot, ann: Member, text: str
) -> None:
    await ann.say(text, mentions_bot=True)
    assert (await fake.next("message")).content.startswith(NOT_ATTACHED)
    await ann.say("animate this", mentions_bot=True, stickers=[STICKER])
    assert (await fake.next("message")).content.startswith(NOT_ATTACHED)
    assert bot.service.submitted == []


async def test_a_prompt_with_a_custom_emoji_that_replies_to_a_text_is_an_order(
    fake: FakeDiscord, sighted: Bot, ann: Member
) -> None:
    """A negative control: a message that shows nothing but text is not refused."""
    words = await ann.say("what about cats? <:cat:123456789012345678>")
    await ann.say("a cat <:cat:123456789012345678>", mentions_bot=True, reply_to=words)
    shown = await fake.next("message", lambda each: each.author.bot)
    assert shown.embeds
    assert [each.order.pictures for each in sighted.service.submitted] == [()]


async def test_a_reply_to_a_card_of_ours_is_an_order_of_its_text(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await ann.say("a cat", mentions_bot=True)
    ours = await fake.next("message")
    await ann.say("a dog instead", mentions_bot=True, reply_to=ours)
    assert (await fake.next("message")).embeds
    assert [each.order.wish.prompt for each in bot.service.submitted] == ["a cat", "a dog instead"]


async def test_a_reply_to_a_video_of_ours_is_refused(
    fake: FakeDiscord, bot: Bot, ann: Member, tmp_path: Any
) -> None:
    video = tmp_path / "zoetrope.mp4"
    video.write_bytes(b"video")
    channel = bot.platform.client.get_partial_messageable(fake.channel.id)
    await channel.send("here", file=discord.File(video))
    ours = await fake.next("message")
    await ann.say("slower", mentions_bot=True, reply_to=ours)
    assert (await fake.next("message")).content.startswith(MOVES)
    assert bot.service.submitted == []


async def test_a_reply_to_a_deleted_message_is_refused(
    fake: FakeDiscord, sighted: Bot, ann: Member
) -> None:
    target = await ann.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
    await ann.say("<@1> wait", reply_to=target)
    asked = await ann.say("animate this", mentions_bot=True, reply_to=target)
    await fake.next("message", lambda each: each.author.bot)
    await ann.delete(target)
    fake.world.post(replace(asked, id=fake.world.ids.next()))
    shown = await fake.next("message", lambda each: each.author.bot)
    assert shown.content.startswith("The message that you replied to is gone.")
    assert len(sighted.service.submitted) == 1


@pytest.mark.parametrize("too", ["heavy", "vast", "unread"])
async def test_of_two_pictures_the_one_that_is_refused_is_named(
    fake: FakeDiscord, bot: Bot, ann: Member, too: str
) -> None:
    """Without the refused picture, another video than the one ordered would be made and paid."""
    name = "dog.psd" if too == "unread" else "dog.png"
    good, bad = fake.attachment(PNG, "cat.png"), fake.attachment(PNG, name)
    if too == "heavy":
        bad.size = 8_500_000
    elif too == "vast":
        bad.width, bad.height = 10_000, 10_000
    await ann.say("meet", mentions_bot=True, attachments=[good, bad])
    told = (await fake.next("message", lambda each: each.author.bot)).content
    assert told.startswith("I can't read PSD." if too == "unread" else "That picture ")
    assert told.endswith("I mean picture number 2 of 2.")
    assert bot.service.submitted == []


@pytest.fixture
def singing(bot: Bot) -> Bot:
    bot.service.accounts = offering(SINGING, bot.service.accounts)
    return bot


OTHERS = {
    "clip.mp4": "One of these files already moves,",
    "clip.mkv": "One of these files already moves,",
    "notes.txt": "One of these files is neither a picture nor a sound,",
    "models.zip": "One of these files is neither a picture nor a sound,",
    "page.pdf": "I can't read PDF.",
}


@pytest.mark.parametrize("by", ["mention", "menu", "reply"])
@pytest.mark.parametrize("other", OTHERS)
async def test_an_order_with_a_picture_and_an_unusable_file_is_refused(
    fake: FakeDiscord, sighted: Bot, ann: Member, other: str, by: str
) -> None:
    files = [fake.attachment(PNG, "cat.png"), fake.attachment(b"x", other)]
    if by == "menu":
        said = await ann.say("meet", attachments=files)
        response = await (await ann.message_command("Animate", said)).answered()
        assert response.message is not None
        told = response.message.content
    else:
        target = await ann.say("look", attachments=files[1:]) if by == "reply" else None
        own = files[:1] if by == "reply" else files
        await ann.say("meet", mentions_bot=True, attachments=own, reply_to=target)
        told = (await fake.next("message", lambda each: each.author.bot)).content
    if by == "reply":
        assert told.endswith("send me yours without the reply.")
    else:
        assert told.startswith(OTHERS[other])
        assert told.endswith("I mean picture number 2 of 2.")
    assert sighted.service.submitted == []


@pytest.mark.parametrize("other", ["dog.psd", "huge.png"])
async def test_a_form_that_offers_only_one_of_two_pictures_names_that_picture(
    fake: FakeDiscord, bot: Bot, ann: Member, other: str
) -> None:
    files = [fake.attachment(PNG, "cat.png"), fake.attachment(PNG, other)]
    files[1].size = 8_500_000
    said = await ann.say("", attachments=files)
    response = await (await ann.message_command("Animate", said)).answered()
    picture = response.data["components"][0]
    assert picture["label"] == "Which picture?"
    assert [each["label"] for each in picture["component"]["options"]] == ["cat.png"]


async def test_a_picture_with_a_sticker_or_with_two_sounds_is_refused(
    fake: FakeDiscord, singing: Bot, ann: Member
) -> None:
    cat = fake.attachment(PNG, "cat.png")
    await ann.say("meet", mentions_bot=True, attachments=[cat], stickers=[STICKER])
    assert (await fake.next("message")).content.startswith(NOT_ATTACHED)
    sounds = [fake.attachment(b"OggS", name) for name in ("one.ogg", "two.mp3")]
    await ann.say("sing", mentions_bot=True, attachments=[cat, *sounds])
    told = (await fake.next("message")).content
    assert told.startswith("You sent 2 sounds,")
    assert told.endswith("with its picture."), "no reply is to blame"
    assert singing.service.submitted == []


@pytest.mark.parametrize("by", ["mention", "menu", "reply", "direct"])
@pytest.mark.parametrize("name", ["voice-message.ogg", "song.mp3"])
async def test_a_picture_with_a_sound_on_discord_becomes_an_order_with_sound(
    fake: FakeDiscord, sighted: Bot, ann: Member, name: str, by: str
) -> None:
    sighted.service.accounts = offering(SINGING, sighted.service.accounts)
    files = [fake.attachment(PNG, "cat.png"), fake.attachment(b"OggS", name)]
    if by == "menu":
        opened = await ann.message_command("Animate", await ann.say("", attachments=files))
        await opened.answered()
        await (await ann.submit_modal(opened, {})).answered()
    elif by == "reply":
        target = await ann.say("", attachments=files[1:])
        await ann.say("sing", mentions_bot=True, attachments=files[:1], reply_to=target)
    else:
        channel = ann.dm if by == "direct" else None
        await ann.say("sing", mentions_bot=by != "direct", attachments=files, channel=channel)
    job = await sighted.service.submissions.get()
    assert [each.filename for each in job.order.files] == ["cat.png", name]
    assert job.request.kind is Kind.SOUND


async def test_where_no_model_takes_sounds_a_picture_with_a_sound_is_refused(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    files = [fake.attachment(PNG, "cat.png"), fake.attachment(b"OggS", "voice.ogg")]
    said = await ann.say("sing", mentions_bot=True, attachments=files)
    told = (await fake.next("message", lambda each: each.author.bot)).content
    response = await (await ann.message_command("Animate", said)).answered()
    assert response.message is not None
    for each in (told, response.message.content):
        assert each.startswith("No model here can make a picture speak.")
    assert bot.service.submitted == []


async def test_a_sound_without_a_picture_is_refused_with_what_it_needs(
    fake: FakeDiscord, singing: Bot, ann: Member
) -> None:
    await ann.say("sing", channel=ann.dm, attachments=[fake.attachment(b"OggS", "voice.ogg")])
    assert (await fake.next("message", lambda each: each.author.bot)).content.startswith(
        "A sound needs a picture that can speak or sing to it."
    )
    assert singing.service.submitted == []


async def test_a_picture_that_replies_to_a_picture_becomes_the_last_frame(
    fake: FakeDiscord, sighted: Bot, ann: Member
) -> None:
    sighted.service.accounts = offering(Catalog(models=(KEY_FRAMES,)), sighted.service.accounts)
    target = await ann.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
    dog = [fake.attachment(PNG, "dog.png")]
    await ann.say("meet", mentions_bot=True, attachments=dog, reply_to=target)
    job = await sighted.service.submissions.get()
    assert [each.filename for each in job.order.pictures] == ["cat.png", "dog.png"]
    assert job.request.kind is Kind.KEY_FRAMES


async def test_of_two_pictures_the_one_that_somebody_else_posted_is_named(
    fake: FakeDiscord, sighted: Bot, ann: Member
) -> None:
    sighted.service.accounts = offering(Catalog(models=(KEY_FRAMES,)), sighted.service.accounts)
    bob = fake.person("bob")
    target = await bob.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
    dog = [fake.attachment(PNG, "dog.png")]
    await ann.say("meet", mentions_bot=True, attachments=dog, reply_to=target)
    told = (await fake.next("message", lambda each: each.author.bot)).content
    assert told.startswith("Somebody else posted that picture")
    assert told.endswith("I mean picture number 1 of 2.")
    assert sighted.service.submitted == []


async def test_a_sound_that_replies_to_a_hidden_picture_says_that_the_picture_is_hidden(
    fake: FakeDiscord, singing: Bot, ann: Member
) -> None:
    target = await ann.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
    voice = [fake.attachment(b"OggS", "voice.ogg")]
    await ann.say("sing", mentions_bot=True, attachments=voice, reply_to=target)
    told = (await fake.next("message", lambda each: each.author.bot)).content
    assert told.startswith("Discord shows me only messages")
    assert singing.service.submitted == []


@pytest.mark.parametrize("hidden", [True, False])
async def test_an_order_with_a_picture_ignores_text_and_links_in_the_message_it_replies_to(
    fake: FakeDiscord, bot: Bot, ann: Member, *, hidden: bool
) -> None:
    """A negative control: a message that Discord hides from us is mostly talk."""
    text = "what about cats? https://a.example" if hidden else "<@1> and this?"
    target = await ann.say(text)
    await ann.say(
        "meet", mentions_bot=True, attachments=[fake.attachment(PNG, "cat.png")], reply_to=target
    )
    job = await bot.service.submissions.get()
    assert [each.filename for each in job.order.pictures] == ["cat.png"]


@pytest.mark.parametrize("by", ["mention", "menu", "direct"])
async def test_a_forwarded_picture_is_used_if_anybodys_pictures_may_be_used(
    fake: FakeDiscord, sighted: Bot, ann: Member, by: str
) -> None:
    """A forward does not say who posted the picture."""
    sighted.service.animate_others = AnimateOthers.FREE
    picture = await ann.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
    forward = await ann.forward(picture, channel=ann.dm if by == "direct" else None)
    if by == "mention":
        await ann.say("it purrs", mentions_bot=True, reply_to=forward)
    elif by == "menu":
        opened = await ann.message_command("Animate", forward)
        await opened.answered()
        await (await ann.submit_modal(opened, {})).answered()
    await fake.next("message", lambda each: bool(each.author.bot and each.embeds))
    (order,) = [each.order for each in sighted.service.submitted]
    assert [(each.filename, each.author) for each in order.pictures] == [("cat.png", None)]


async def _said_of_a_forward(fake: FakeDiscord, ann: Member) -> str:
    """Return the answer to a mention that replies to a forward of Ann's own picture."""
    picture = await ann.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
    await ann.say("it purrs", mentions_bot=True, reply_to=await ann.forward(picture))
    return (await fake.next("message", lambda each: each.author.bot)).content


async def test_a_forwarded_picture_is_not_taken_for_the_persons_own(
    fake: FakeDiscord, sighted: Bot, ann: Member
) -> None:
    said = await _said_of_a_forward(fake, ann)
    assert said.startswith("I can't tell whose picture that is")
    assert sighted.service.submitted == []


async def test_a_forward_that_discord_hides_is_said_to_be_hidden(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    said = await _said_of_a_forward(fake, ann)
    assert said.startswith("Discord shows me only messages that mention me.")
    assert bot.service.submitted == []


async def test_animate_on_a_sticker_or_a_link_says_that_no_picture_is_attached(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    for message in (await ann.say("", stickers=[STICKER]), await ann.say("https://a.example/b")):
        answer = await (await ann.message_command("Animate", message)).answered()
        assert answer.message is not None
        assert answer.message.content.startswith(NOT_ATTACHED)


async def test_every_refusal_is_told_although_another_came_just_before(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    """A reaction in place of a sentence would read as "being made"."""
    for _ in range(3):
        await ann.say("https://a.example/b", mentions_bot=True)
        assert (await fake.next("message")).content.startswith(NOT_ATTACHED)
    assert not any(each.reactions for each in fake.channel.messages.values())

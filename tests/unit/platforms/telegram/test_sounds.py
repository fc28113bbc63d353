"""A picture and a sound on Telegram come in two messages, of which one replies to the other."""

from pathlib import Path

import pytest

from bot.core.access import Access, Default
from bot.core.orders import Kind, Sound
from bot.store.settings import StoredValues as Facts
from tests.e2e.world import png
from tests.fakes.telegram import Item, internal
from tests.unit.core.orders import SINGING, offering
from tests.unit.media.samples import write_sound, write_video
from tests.unit.platforms.telegram.conftest import Lobby


@pytest.fixture
def singing(lobby: Lobby) -> Lobby:
    lobby.service.accounts = offering(SINGING, lobby.service.accounts)
    return lobby


async def test_a_picture_in_reply_to_a_voice_message_becomes_an_order_with_that_sound(
    singing: Lobby,
) -> None:
    voice = await singing.ann.sends_sound(duration=7)
    said = await singing.ann.sends_photo(png(), caption="/animate smile", reply_to=voice)
    await singing.hear(said)
    (job,) = await singing.jobs()
    assert voice.media is not None
    assert job.order.sound == Sound(
        source=voice.media.file.id,
        filename="voice.ogg",
        size=4,
        seconds=7,
        author=str(singing.ann.id),
    )
    assert (job.request.kind, job.request.seconds, job.order.wish.prompt) == (
        Kind.SOUND,
        8,
        "smile",
    )


@pytest.mark.parametrize(
    ("kind", "name", "filename"),
    [("voice", "", "voice.ogg"), ("audio", "song.mp3", "song.mp3")],
)
async def test_a_sound_in_reply_to_a_picture_becomes_an_order_with_that_picture(
    singing: Lobby, kind: str, name: str, filename: str
) -> None:
    picture = await singing.ann.sends_photo(png())
    said = await singing.ann.sends_sound(kind=kind, name=name, caption="/animate", reply_to=picture)
    await singing.hear(said)
    (job,) = await singing.jobs()
    assert job.order.sound is not None
    assert job.order.sound.filename == filename
    assert [each.filename for each in job.order.pictures] == ["photo.jpg"]


async def test_a_picture_in_reply_to_a_sound_sent_as_a_file_becomes_an_order_with_sound(
    singing: Lobby,
) -> None:
    song = await singing.ann.sends_document(b"la", "song.mp3", mime_type="audio/mpeg")
    await singing.hear(await singing.ann.sends_photo(png(), caption="/animate", reply_to=song))
    (job,) = await singing.jobs()
    assert job.order.sound is not None
    assert (job.order.sound.filename, job.order.sound.seconds) == ("song.mp3", None)


async def test_a_sound_sent_as_a_file_in_reply_to_a_picture_becomes_an_order_with_sound(
    singing: Lobby,
) -> None:
    picture = await singing.ann.sends_photo(png())
    said = await singing.ann.sends_document(
        b"la", "song.mp3", mime_type="audio/mpeg", caption="/animate", reply_to=picture
    )
    await singing.hear(said)
    (job,) = await singing.jobs()
    assert job.request.kind is Kind.SOUND


async def test_in_private_a_sound_in_reply_to_a_picture_becomes_a_proposal(singing: Lobby) -> None:
    picture = await singing.ann.sends_photo(png())
    said = await singing.ann.sends_sound(reply_to=picture)
    await singing.hear(said)
    draft = singing.answer(said)
    await singing.hear(await singing.ann.presses(draft, "Go"))
    (job,) = await singing.jobs()
    assert job.request.kind is Kind.SOUND


@pytest.mark.parametrize("caption", ["", "/animate"])
async def test_a_sound_without_a_picture_is_told_that_it_needs_a_picture(
    singing: Lobby, caption: str
) -> None:
    said = await singing.ann.sends_sound(caption=caption)
    await singing.hear(said)
    assert singing.answer(said).text.startswith(
        "A sound needs a picture that can speak or sing to it."
    )


async def test_where_no_model_takes_sounds_a_picture_in_reply_to_a_voice_is_refused(
    lobby: Lobby,
) -> None:
    voice = await lobby.ann.sends_sound()
    said = await lobby.ann.sends_photo(png(), caption="/animate", reply_to=voice)
    await lobby.hear(said)
    assert lobby.answer(said).text.startswith("No model here can make a picture speak.")


async def test_a_voice_message_of_somebody_else_is_refused(singing: Lobby) -> None:
    bob = singing.fake.person("Bob")
    club = singing.fake.supergroup("club", singing.ann, bob)
    voice = await bob.sends_sound(chat=club)
    said = await singing.ann.sends_photo(
        png(), caption="/animate@zoetrope_bot", chat=club, reply_to=voice
    )
    await singing.hear(said)
    assert singing.answer(said).text.startswith("Here I use only sounds that you posted yourself.")
    assert await singing.jobs() == []


async def test_an_audio_file_of_an_unsupported_format_is_refused(singing: Lobby) -> None:
    song = await singing.ann.sends_sound(kind="audio", name="song.mid")
    said = await singing.ann.sends_photo(png(), caption="/animate", reply_to=song)
    await singing.hear(said)
    assert singing.answer(said).text.startswith("I see no sound there that I can use.")


@pytest.mark.parametrize("own", ["photo", "voice"])
@pytest.mark.parametrize("command", ["/video", "/animate"])
async def test_video_and_animate_take_picture_and_sound_in_either_order(
    singing: Lobby, own: str, command: str
) -> None:
    ann, caption = singing.ann, f"{command} it sings"
    if own == "photo":
        said = await ann.sends_photo(png(), caption=caption, reply_to=await ann.sends_sound())
    else:
        said = await ann.sends_sound(caption=caption, reply_to=await ann.sends_photo(png()))
    await singing.hear(said)
    (job,) = await singing.jobs()
    assert job.request.kind is Kind.SOUND


async def test_a_video_command_without_a_picture_in_reply_to_a_voice_is_refused(
    singing: Lobby,
) -> None:
    said = await singing.ann.says("/video a cat", reply_to=await singing.ann.sends_sound())
    await singing.hear(said)
    assert singing.answer(said).text.startswith(
        "A sound needs a picture that can speak or sing to it."
    )
    assert await singing.jobs() == []


async def test_an_album_with_one_picture_and_two_songs_is_refused(singing: Lobby) -> None:
    items = [
        Item(content=png(), caption="/animate", document_name="cat.png"),
        Item(content=b"la", document_name="one.mp3"),
    ]
    first, *others = await singing.ann.sends_album(items)
    await singing.hear_together(first, *others)
    (job,) = await singing.jobs()
    assert [each.filename for each in job.order.files] == ["cat.png", "one.mp3"]
    more = [*items, Item(content=b"la", document_name="two.mp3")]
    first, *others = await singing.ann.sends_album(more)
    await singing.hear_together(first, *others)
    value = singing.answer(first).text
    assert value.startswith("You sent 2 sounds,")
    assert value.endswith("with its picture."), "no reply is to blame"
    assert len(await singing.jobs()) == 1


async def test_a_voice_message_that_answers_the_question_for_a_prompt_is_refused(
    singing: Lobby,
) -> None:
    asked = await singing.ann.says("/video")
    await singing.hear(asked)
    answer = await singing.ann.sends_sound(caption="a cat", reply_to=singing.answer(asked))
    await singing.hear(answer)
    assert singing.answer(answer).text.startswith(
        "A sound needs a picture that can speak or sing to it."
    )
    assert await singing.jobs() == []


# --- files sent as videos -------------------------------------------------------------------------

CALLED = {
    "talk.mp4": ("video/mp4", "mp4", "aac"),
    "talk.webm": ("video/webm", "webm", "libopus"),
    "talk.mov": ("video/quicktime", "mov", "aac"),
    "talk.mkv": ("video/x-matroska", "matroska", "aac"),
}


@pytest.mark.parametrize("name", CALLED)
async def test_a_file_sent_as_a_video_that_holds_only_sound_counts_as_a_sound(
    singing: Lobby, tmp_path: Path, name: str
) -> None:
    mime_type, container, codec = CALLED[name]
    content = write_sound(tmp_path / name, container, codec, rate=48_000).read_bytes()
    alone = await singing.ann.sends_document(content, name, mime_type=mime_type)
    await singing.hear(alone)
    assert singing.answer(alone).text.startswith(
        "A sound needs a picture that can speak or sing to it."
    )
    said = await singing.ann.sends_photo(png(), caption="/video it sings", reply_to=alone)
    await singing.hear(said)
    (job,) = await singing.jobs()
    assert job.order.sound is not None
    assert (job.order.sound.filename, job.request.kind) == (name, Kind.SOUND)


@pytest.mark.parametrize("content", ["video", "anything"])
async def test_a_file_sent_as_a_video_with_frames_or_unreadable_counts_as_a_video(
    singing: Lobby, tmp_path: Path, content: str
) -> None:
    video_ = write_video(tmp_path / "video.mp4", seconds=1).read_bytes()
    body = video_ if content == "video" else content.encode()
    video = await singing.ann.sends_document(body, "video.mp4", mime_type="video/mp4")
    said = await singing.ann.sends_photo(png(), caption="/animate", reply_to=video)
    for each, how in ((video, ""), (said, "send me yours without the reply.")):
        await singing.hear(each)
        value = singing.answer(each).text
        assert value.startswith("That picture already moves")
        assert value.endswith(how)
    assert await singing.jobs() == []


async def test_a_file_sent_as_a_video_that_cannot_be_downloaded_counts_as_a_video(
    singing: Lobby,
) -> None:
    """The person gets an answer even while Telegram hands out no files."""
    singing.fake.faults.add("getFile", internal())
    video = await singing.ann.sends_document(b"video", "video.mp4", mime_type="video/mp4")
    await singing.hear(video)
    assert singing.answer(video).text.startswith("That picture already moves")


async def test_in_a_closed_chat_no_file_is_downloaded(singing: Lobby) -> None:
    """Where orders are not taken, files are not examined either."""
    singing.service.access = Access(
        places=singing.places,
        facts=Facts(singing.database),
        default=Default.CLOSED,
        clock=singing.clock,
    )
    await singing.open()
    video = await singing.ann.sends_document(b"video", "video.mp4", mime_type="video/mp4")
    await singing.hear(video)
    assert singing.answer(video).text.startswith("I'm not switched on here")
    assert not singing.fake.calls_of("getFile")


async def test_a_file_too_large_to_examine_is_not_downloaded(singing: Lobby) -> None:
    size = 16_000_000
    video = await singing.ann.sends_document(b"x", "video.mp4", mime_type="video/mp4", size=size)
    await singing.hear(video)
    assert singing.answer(video).text.startswith("That picture already moves")
    assert not singing.fake.calls_of("getFile")

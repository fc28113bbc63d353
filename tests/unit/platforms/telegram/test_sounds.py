"""A picture and a sound on Telegram come in two messages, one in reply to the other."""

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


async def test_a_picture_in_reply_to_a_voice_speaks_with_it(singing: Lobby) -> None:
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
async def test_a_sound_in_reply_to_a_picture_makes_it_speak(
    singing: Lobby, kind: str, name: str, filename: str
) -> None:
    picture = await singing.ann.sends_photo(png())
    said = await singing.ann.sends_sound(kind=kind, name=name, caption="/animate", reply_to=picture)
    await singing.hear(said)
    (job,) = await singing.jobs()
    assert job.order.sound is not None
    assert job.order.sound.filename == filename
    assert [each.filename for each in job.order.pictures] == ["photo.jpg"]


async def test_a_file_that_is_a_sound_is_as_good(singing: Lobby) -> None:
    song = await singing.ann.sends_document(b"la", "song.mp3", mime_type="audio/mpeg")
    await singing.hear(await singing.ann.sends_photo(png(), caption="/animate", reply_to=song))
    (job,) = await singing.jobs()
    assert job.order.sound is not None
    assert (job.order.sound.filename, job.order.sound.seconds) == ("song.mp3", None)


async def test_so_is_one_that_replies_to_the_picture(singing: Lobby) -> None:
    picture = await singing.ann.sends_photo(png())
    said = await singing.ann.sends_document(
        b"la", "song.mp3", mime_type="audio/mpeg", caption="/animate", reply_to=picture
    )
    await singing.hear(said)
    (job,) = await singing.jobs()
    assert job.request.kind is Kind.SOUND


async def test_in_private_both_become_a_draft(singing: Lobby) -> None:
    picture = await singing.ann.sends_photo(png())
    said = await singing.ann.sends_sound(reply_to=picture)
    await singing.hear(said)
    draft = singing.answer(said)
    await singing.hear(await singing.ann.presses(draft, "Go"))
    (job,) = await singing.jobs()
    assert job.request.kind is Kind.SOUND


@pytest.mark.parametrize("caption", ["", "/animate"])
async def test_a_sound_alone_is_told_what_it_needs(singing: Lobby, caption: str) -> None:
    said = await singing.ann.sends_sound(caption=caption)
    await singing.hear(said)
    assert singing.answer(said).text.startswith(
        "A sound needs a picture that can speak or sing to it."
    )


async def test_where_no_model_takes_sounds_that_is_said(lobby: Lobby) -> None:
    voice = await lobby.ann.sends_sound()
    said = await lobby.ann.sends_photo(png(), caption="/animate", reply_to=voice)
    await lobby.hear(said)
    assert lobby.answer(said).text.startswith("No model here can make a picture speak.")


async def test_a_voice_of_somebody_else_is_not_taken(singing: Lobby) -> None:
    bob = singing.fake.person("Bob")
    club = singing.fake.supergroup("club", singing.ann, bob)
    voice = await bob.sends_sound(chat=club)
    said = await singing.ann.sends_photo(
        png(), caption="/animate@zoetrope_bot", chat=club, reply_to=voice
    )
    await singing.hear(said)
    assert singing.answer(said).text.startswith("Here I use only sounds that you posted yourself.")
    assert await singing.jobs() == []


async def test_music_that_nobody_reads_is_refused(singing: Lobby) -> None:
    song = await singing.ann.sends_sound(kind="audio", name="song.mid")
    said = await singing.ann.sends_photo(png(), caption="/animate", reply_to=song)
    await singing.hear(said)
    assert singing.answer(said).text.startswith("I see no sound there that I can use.")


@pytest.mark.parametrize("own", ["photo", "voice"])
@pytest.mark.parametrize("command", ["/video", "/animate"])
async def test_either_command_takes_both_along(singing: Lobby, own: str, command: str) -> None:
    ann, caption = singing.ann, f"{command} it sings"
    if own == "photo":
        said = await ann.sends_photo(png(), caption=caption, reply_to=await ann.sends_sound())
    else:
        said = await ann.sends_sound(caption=caption, reply_to=await ann.sends_photo(png()))
    await singing.hear(said)
    (job,) = await singing.jobs()
    assert job.request.kind is Kind.SOUND


async def test_a_video_of_words_does_not_leave_a_voice_out(singing: Lobby) -> None:
    said = await singing.ann.says("/video a cat", reply_to=await singing.ann.sends_sound())
    await singing.hear(said)
    assert singing.answer(said).text.startswith(
        "A sound needs a picture that can speak or sing to it."
    )
    assert await singing.jobs() == []


async def test_an_album_of_songs_is_more_than_one_video_takes(singing: Lobby) -> None:
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


async def test_a_voice_that_answers_our_question_is_not_left_out(singing: Lobby) -> None:
    asked = await singing.ann.says("/video")
    await singing.hear(asked)
    answer = await singing.ann.sends_sound(caption="a cat", reply_to=singing.answer(asked))
    await singing.hear(answer)
    assert singing.answer(answer).text.startswith(
        "A sound needs a picture that can speak or sing to it."
    )
    assert await singing.jobs() == []


# --- files that are called videos -----------------------------------------------------------------

CALLED = {
    "talk.mp4": ("video/mp4", "mp4", "aac"),
    "talk.webm": ("video/webm", "webm", "libopus"),
    "talk.mov": ("video/quicktime", "mov", "aac"),
    "talk.mkv": ("video/x-matroska", "matroska", "aac"),
}


@pytest.mark.parametrize("name", CALLED)
async def test_a_file_that_is_called_a_video_and_holds_only_sound_is_a_sound(
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
async def test_one_that_holds_pictures_or_can_not_be_read_is_the_video_that_it_is_called(
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


async def test_one_that_does_not_come_is_the_video_that_it_is_called(singing: Lobby) -> None:
    """Not met with silence while Telegram hands nothing out."""
    singing.fake.faults.add("getFile", internal())
    video = await singing.ann.sends_document(b"video", "video.mp4", mime_type="video/mp4")
    await singing.hear(video)
    assert singing.answer(video).text.startswith("That picture already moves")


async def test_a_stranger_has_nothing_fetched(singing: Lobby) -> None:
    """Where orders are not taken, files are not looked into either."""
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


async def test_one_that_is_too_large_to_look_into_is_not_fetched(singing: Lobby) -> None:
    size = 16_000_000
    video = await singing.ann.sends_document(b"x", "video.mp4", mime_type="video/mp4", size=size)
    await singing.hear(video)
    assert singing.answer(video).text.startswith("That picture already moves")
    assert not singing.fake.calls_of("getFile")

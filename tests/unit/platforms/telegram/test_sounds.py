"""A picture and a sound on Telegram come in two messages, one in reply to the other."""

import pytest

from bot.core.orders import Kind, Sound
from tests.e2e.world import png
from tests.unit.core.orders import SINGING, offering
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
    assert (job.request.kind, job.request.seconds, job.order.prompt) == (Kind.SOUND, 8, "smile")


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
    assert singing.answer(said).text.startswith("A sound needs one picture that it can move.")


async def test_where_no_model_takes_sounds_that_is_said(lobby: Lobby) -> None:
    voice = await lobby.ann.sends_sound()
    said = await lobby.ann.sends_photo(png(), caption="/animate", reply_to=voice)
    await lobby.hear(said)
    assert lobby.answer(said).text.startswith("None of the models here makes a picture speak.")


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


async def test_a_video_of_words_takes_no_voice_along(singing: Lobby) -> None:
    """Talk goes on in reply to talk: only /animate means the voice too."""
    voice = await singing.ann.sends_sound()
    await singing.hear(await singing.ann.says("/video a cat", reply_to=voice))
    (job,) = await singing.jobs()
    assert (job.order.sound, job.request.kind) == (None, Kind.TEXT)

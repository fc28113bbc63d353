"""Telegram's answers, and what becomes of them: the real aiogram against the fake Bot API."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.config.settings import Telegram
from bot.core import cards, replies
from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.core.jobs import Job, Original, Reason, Status, Video
from bot.core.orders import Address, Person, Picture, Sound
from bot.core.platforms import DirectMessage
from bot.core.posting import SEND_TIME
from bot.core.posts import Post, PostKind
from bot.core.replies import Reply, Text
from bot.core.sizes import LEARNED_FOR
from bot.i18n import say
from bot.platforms.telegram import messages
from bot.platforms.telegram.client import TelegramOptions, TelegramPlatform
from bot.platforms.telegram.line import SHOWN
from bot.platforms.telegram.videos import MOST_AT_ONCE, patience
from tests.contract.rows import no_still, nowhere
from tests.fakes.clock import FakeClock
from tests.fakes.telegram import (
    Chat,
    FakeTelegram,
    Fault,
    Message,
    accepted,
    bad_gateway,
    bad_request,
    blocked,
    conflict,
    deactivated,
    flood,
    garbled,
    internal,
    kicked,
    reset,
    too_large,
    unauthorized,
)
from tests.fakes.telegram import Person as Somebody
from tests.fakes.telegram.desk import LOCAL_UPLOAD_LIMIT
from tests.unit.core.orders import changed, job, order

WAIT = 10.0
MP4 = b"a video of nine kilobytes" * 400
ORIGINAL = b"as its gateway made it"


class Rows:
    """The rows that the platform asks for: one card, and handles."""

    def __init__(self) -> None:
        self.posts: dict[str, Post] = {}
        self.handles: dict[str, str] = {}
        self.moves: list[tuple[str, str]] = []

    async def get(self, job_id: str, kind: str = "") -> Post | None:
        return self.posts.get(kind)


class Handles:
    def __init__(self, rows: Rows) -> None:
        self._known = rows.handles

    async def get(self, key: str) -> str | None:
        return self._known.get(key)

    async def put(self, key: str, handle: str) -> None:
        self._known[key] = handle

    async def drop(self, key: str) -> None:
        self._known.pop(key, None)


class Communities:
    def __init__(self, rows: Rows) -> None:
        self._moves = rows.moves

    async def move(self, platform: str, old: str, new: str) -> None:
        self._moves.append((old, new))

    async def current(self, platform: str, community: str) -> str:
        return dict(self._moves).get(community, community)

    async def ids(self, platform: str, community: str) -> list[str]:
        return [community, *(old for old, new in self._moves if new == community)]


@dataclass
class House:
    """The platform, and one finished job of Ann's."""

    fake: FakeTelegram
    platform: TelegramPlatform
    rows: Rows
    clock: FakeClock
    ann: Somebody
    folder: Path

    def job(self, chat: Chat | None = None, *, topic: int | None = None) -> Job:
        where = chat or self.ann.private
        channel = f"{where.id}/{topic}" if topic else str(where.id)
        address = Address(
            platform="telegram", channel=channel, community=str(where.id) if chat else None
        )
        wish = changed(order(), address=address, person=Person(id=str(self.ann.id), name="Ann"))
        video = Video(key="videos/a.mp4", size=len(MP4), width=16, height=9, seconds=5.0)
        return job(order=wish, status=Status.COMPLETED, video=video)

    async def send(
        self, about: Job | None = None, *, clip: bool = True, size: int = 0, again: bool = False
    ) -> tuple[str, str]:
        """Send its video, made longer to be of that size."""
        about = about or self.job()
        post = Post(id=1, job_id=about.id, kind=PostKind.RESULT, due_at=None)
        video = self.folder / "video.mp4"
        video.write_bytes(MP4)
        if size:
            os.truncate(video, size)
        send = self.platform.send_again if again else self.platform.send
        return await send(post, about, replies.result(about), video=video if clip else None)

    async def trouble(self, about: Job | None = None, *, size: int = 0) -> BotError:
        with pytest.raises(BotError) as caught:
            await self.send(about, size=size)
        return caught.value

    def posts(self) -> list[Message]:
        return self.fake.posts(self.ann.private)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock, rows = FakeClock(), Rows()

    @asynccontextmanager
    async def stored(key: str) -> AsyncIterator[Path]:
        file = tmp_path / "stored.mp4"
        file.write_bytes(ORIGINAL if key.startswith("originals/") else MP4)
        yield file

    async with FakeTelegram(clock=clock.now) as fake:
        platform = TelegramPlatform(
            TelegramOptions(token=fake.token, api_url=fake.api_url),
            posts=rows,  # type: ignore[arg-type]  # the one method that it asks
            handles=Handles(rows),
            communities=Communities(rows),
            stored=stored,
            small_still=no_still,
            link=lambda _: None,
            ways=nowhere,
            clock=clock,
        )
        ann = fake.person("Ann", started=True)
        async with platform:
            yield House(fake, platform, rows, clock, ann, tmp_path)
        fake.check()


@pytest.mark.parametrize("direct", [True, False])
async def test_in_private_nothing_is_a_reply_to_a_number_of_the_group(
    house: House, *, direct: bool
) -> None:
    club = house.fake.group("club", house.ann)
    chat = house.ann.private if direct else club
    said = await house.ann.says("x", chat=chat)
    about = house.job(club)
    asked = replace(about.order.call.address, message=str(said.id))
    about = replace(about, order=changed(about.order, address=asked))
    post = Post(id=1, job_id=about.id, kind=PostKind.FAILURE, due_at=None, direct=direct)
    await house.platform.send(post, about, replies.failure(about), video=None)
    (stands,) = house.fake.posts(chat)
    assert stands.reply_to == (None if direct else said.id)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (blocked(), "forbidden"),
        (kicked(), "forbidden"),
        (deactivated(), "forbidden"),
        (bad_request("chat not found"), "forbidden"),
        (bad_request("not enough rights to send videos to the chat"), "files_forbidden"),
        (too_large(), "file_too_large"),
        (bad_request("something that nobody foresaw"), "message_refused"),
    ],
)
async def test_a_definite_no_is_told_as_one(house: House, fault: Fault, code: str) -> None:
    house.fake.faults.add("sendVideo", fault)
    trouble = await house.trouble()
    assert isinstance(trouble, Refused)
    assert trouble.code == code
    assert house.posts() == []


@pytest.mark.parametrize(
    "fault",
    [internal(), bad_gateway(), reset(), garbled(), accepted(internal()), accepted(reset())],
)
async def test_silence_has_an_unknown_end(house: House, fault: Fault) -> None:
    house.fake.faults.add("sendVideo", fault)
    trouble = await house.trouble()
    assert isinstance(trouble, Temporary)
    assert not trouble.unsent


@pytest.mark.parametrize(("fault", "wait"), [(flood(7), 8.0), (conflict(), 30.0)])
async def test_a_request_to_wait_is_no_doubt(house: House, fault: Fault, wait: float) -> None:
    house.fake.faults.add("sendVideo", fault)
    trouble = await house.trouble()
    assert isinstance(trouble, Temporary)
    assert (trouble.unsent, trouble.retry_after) == (True, wait)


async def test_a_server_that_is_not_there_took_nothing(house: House) -> None:
    await house.fake.__aexit__(None, None, None)
    trouble = await house.trouble()
    assert isinstance(trouble, Temporary)
    assert trouble.unsent
    assert trouble.away, "no fault of the video's"


async def test_a_token_that_was_withdrawn_is_for_the_operator(house: House) -> None:
    house.fake.faults.add("sendVideo", unauthorized())
    trouble = await house.trouble()
    assert isinstance(trouble, Broken)
    assert trouble.code == "telegram_token_bad"


async def test_an_operator_is_told_rather_twice_than_never(house: House) -> None:
    words = Reply(text=Text(id="notice.works", values={"gateway": "main"}))
    message = DirectMessage(person_id=str(house.ann.id), reply=words, nonce="n1")
    house.fake.faults.add("sendMessage", reset())
    with pytest.raises(Temporary):
        await house.platform.tell(message)
    await house.platform.tell(message)
    assert {each.text for each in house.posts()} == {"“main” works again."}
    house.fake.faults.add("sendMessage", blocked())
    with pytest.raises(Refused, match="forbidden"):
        await house.platform.tell(message)


async def test_no_error_carries_the_token(house: House) -> None:
    for fault in (reset(), internal(), blocked(), garbled()):
        house.fake.faults.add("sendVideo", fault)
        trouble: BaseException | None = await house.trouble()
        assert trouble is not None
        assert not house.fake.leaks(repr(trouble) + str(trouble))
        assert trouble.__cause__ is None, "the foreign one holds it"
        assert trouble.__suppress_context__


@pytest.mark.proof
async def test_after_a_flood_the_chat_is_left_in_peace(house: House) -> None:
    house.fake.faults.add("sendVideo", flood(30))
    await house.trouble()
    with pytest.raises(Temporary):
        house.platform.line.pace.progress(house.ann.id)
    assert house.fake.faults.impatient == []


async def test_a_flood_of_reactions_silences_the_chat(house: House) -> None:
    house.fake.faults.add("setMessageReaction", flood(30))
    await house.platform.line.react(house.ann.id, 1, "👀")
    trouble = await house.trouble()
    assert isinstance(trouble, Temporary)
    assert (trouble.unsent, trouble.retry_after) == (True, 31.0)
    assert house.fake.calls_of("sendVideo") == []


async def test_where_silence_is_wanted_nobody_asks_for_a_reaction(house: House) -> None:
    house.platform.line.pace.pause(house.ann.id, 30.0)
    await house.platform.line.react(house.ann.id, 1, "👀")
    assert house.fake.calls_of("setMessageReaction") == []


async def test_where_silence_is_wanted_an_upload_goes_on_unseen(house: House) -> None:
    line = house.platform.line
    async with line.uploading(house.ann.id, None):
        await house.clock.asleep()
        line.pace.pause(house.ann.id, 30.0)
        await house.clock.advance(SHOWN)
        await line.bot.get_me()
    assert len(house.fake.calls_of("sendChatAction")) == 1


# --- topics and replies ---------------------------------------------------------------------------


async def test_a_topic_that_is_closed_is_left_for_the_general_one(house: House) -> None:
    club = house.fake.supergroup("club", house.ann, is_forum=True)
    topic = house.fake.topic(club, "videos")
    topic.is_closed = True
    await house.send(house.job(club, topic=topic.id))
    (post,) = house.fake.posts(club)
    assert post.topic is None


async def test_a_group_with_another_id_is_known_by_it_from_then_on(house: House) -> None:
    group = house.fake.group("club", house.ann)
    club = house.fake.migrate(group)
    trouble = await house.trouble(house.job(group))
    assert isinstance(trouble, Temporary)
    assert trouble.unsent
    assert house.rows.moves == [(str(group.id), str(club.id))]


# --- videos ---------------------------------------------------------------------------------------


async def test_a_video_is_streamed_with_its_shape(house: House) -> None:
    await house.send()
    (post,) = house.posts()
    assert post.media is not None
    assert (post.media.content, post.media.width, post.media.duration) == (MP4, 16, 5)
    assert house.rows.handles == {"videos/a.mp4": post.media.file.id}


@pytest.mark.filterwarnings("ignore:unread_data")  # as below
async def test_what_was_too_large_makes_the_next_file_a_smaller_one(house: House) -> None:
    """A proxy in front of a server of one's own may take less than that server."""
    house.fake.desk.upload_limit = 11_000_000
    assert (await house.trouble(size=12_000_000)).code == "file_too_large"
    assert await most(house) == await most(house, "videos/other.mp4") == 9_000_000


@pytest.mark.filterwarnings("ignore:unread_data")  # as below
async def test_a_small_file_that_is_too_large_tells_of_itself_alone(house: House) -> None:
    house.fake.desk.upload_limit = 900_000
    assert (await house.trouble(size=1_000_000)).code == "file_too_large"
    assert await most(house) == 750_000
    assert await most(house, "videos/other.mp4") == 50_000_000


@pytest.mark.filterwarnings("ignore:unread_data")  # as below
async def test_a_limit_that_was_met_is_tried_again_after_a_while(house: House) -> None:
    house.fake.desk.upload_limit = 11_000_000
    await house.trouble(size=12_000_000)
    await house.clock.advance(LEARNED_FOR - 1)
    assert await most(house) == 9_000_000
    await house.clock.advance(1)
    assert await most(house) == 50_000_000


async def most(house: House, key: str = "videos/a.mp4") -> int:
    """Bytes that the video under this key may have."""
    about = house.job()
    assert about.video is not None
    about = replace(about, video=replace(about.video, key=key))
    return await house.platform.upload_limit(about)


async def test_an_edit_that_changes_nothing_is_not_sent_and_takes_no_turn(house: House) -> None:
    about = replace(house.job(), status=Status.IN_PROGRESS, video=None)
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    stands = await house.platform.send(card, about, cards.card(about), video=None)
    card = replace(card, message_id=stands[0], channel_id=stands[1])
    for progress in (0, 50, 50, 50, 0):
        await house.clock.advance(60)
        now = replace(about, progress=progress)
        for _ in range(20):
            async with asyncio.timeout(5):  # a turn would be waited for without end
                await house.platform.edit(card, now, cards.card(now))
    assert len(house.fake.calls_of("editMessageText")) == 2


async def test_a_card_that_is_too_old_to_be_deleted_is_a_definite_no(house: House) -> None:
    """It stands, so it is not taken for one that is gone."""
    about = house.job()
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    stands = await house.platform.send(card, about, cards.card(about), video=None)
    await house.clock.advance(48 * 3600 + 1)
    with pytest.raises(Refused) as caught:
        await house.platform.remove(stands)
    assert caught.value.code == "card_stays"


@pytest.mark.parametrize(
    ("channel", "message", "address"),
    [
        ("-1001234567890", "7", "https://t.me/c/1234567890/7"),
        ("-1001234567890/3", "7", "https://t.me/c/1234567890/7"),
        ("-1001234567890", "0", None),
        ("-1234", "7", None),
        ("42", "7", None),
    ],
)
async def test_only_in_supergroups_a_message_has_an_address(
    house: House, channel: str, message: str, address: str | None
) -> None:
    there = Address(platform="telegram", channel=channel, message=message)
    assert house.platform.link_to(there) == address


async def test_after_an_edit_whose_end_is_unknown_nobody_knows_what_stands_there(
    house: House,
) -> None:
    about = replace(house.job(), status=Status.IN_PROGRESS, video=None, progress=1)
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    stands = await house.platform.send(card, about, cards.card(about), video=None)
    card = replace(card, message_id=stands[0], channel_id=stands[1])
    house.fake.faults.add("editMessageText", accepted(reset()))
    half = replace(about, progress=50)
    await house.clock.advance(60)
    with pytest.raises(Temporary):
        await house.platform.edit(card, half, cards.card(half))
    assert "50 %" in house.posts()[-1].text
    await house.clock.advance(60)
    await house.platform.edit(card, about, cards.card(about))
    assert "1 %" in house.posts()[-1].text


async def test_no_page_of_a_stranger_is_previewed(house: House) -> None:
    """Neither by a card nor by its edit; of a link of ours the page is shown, and no other."""
    wish = "a cat like on https://stranger.example/cats"
    about = house.job()
    about = replace(about, request=replace(about.request, prompt=wish))
    waiting = replace(about, status=Status.IN_PROGRESS, video=None)
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    stands = await house.platform.send(card, waiting, cards.card(waiting), video=None)
    assert previews(house) == [{"is_disabled": True}]
    card = replace(card, message_id=stands[0], channel_id=stands[1])
    await house.clock.advance(60)
    done = replace(waiting, progress=50)
    await house.platform.edit(card, done, cards.card(done))
    assert previews(house) == [{"is_disabled": True}]
    ours = "https://videos.example/v/a"
    post = Post(id=2, job_id=about.id, kind=PostKind.RESULT, due_at=None)
    said = replies.result(about, link=ours, link_expires_at=0.0)
    await house.platform.send(post, about, said, video=None)
    assert previews(house)[1:] == [{"is_disabled": False, "url": ours}]


def previews(house: House) -> list[object]:
    return [each.preview for each in house.posts()]


@pytest.mark.parametrize(
    "part",
    [
        {"chat": "here"},
        {"date": None},
        {"paid_media": {"paid_media": [{"type": "hologram"}]}},
        {"reply_markup": {"inline_keyboard": 7}},
        {"video": {"file_id": "f", "file_unique_id": "u", "duration": "long"}},
    ],
)
async def test_what_telegram_took_is_sent_however_it_says_so(
    house: House, part: dict[str, Any]
) -> None:
    video = {"video": {"file_id": "f", "file_unique_id": "u"}}
    result = {"message_id": 77, "date": 1, "chat": {"id": 1}, **video, **part}
    body = json.dumps({"ok": True, "result": result}).encode()
    house.fake.faults.add("sendVideo", accepted(garbled(body)))
    number, _ = await house.send()
    assert (number, len(house.posts())) == ("77", 1)
    assert house.rows.handles == {"videos/a.mp4": "f"}, "and can be sent again by its name"


async def test_a_yes_without_a_number_says_nothing_of_a_message(house: House) -> None:
    body = b'{"ok": true, "result": {"date": 1}}'
    house.fake.faults.add("sendVideo", accepted(garbled(body)))
    problem = await house.trouble()
    assert isinstance(problem, Temporary)
    assert not problem.unsent, "it may stand"


@pytest.mark.proof
@pytest.mark.filterwarnings("ignore:unread_data")  # aiohttp's own multipart reader, on the fake
async def test_a_server_of_ones_own_takes_what_telegrams_own_refuses(house: House) -> None:
    size = 53_000_000
    assert (await house.trouble(size=size)).code == "file_too_large"
    house.fake.desk.upload_limit = LOCAL_UPLOAD_LIMIT
    await house.send(size=size)
    (post,) = house.posts()
    assert post.media is not None
    assert post.media.file.size == size


async def test_a_silent_video_comes_back_as_an_animation_and_is_known(house: House) -> None:
    house.fake.quirks.silent_videos_are_animations = True
    await house.send()
    assert list(house.rows.handles) == ["videos/a.mp4"]


async def test_shown_again_it_costs_no_upload(house: House) -> None:
    await house.send()
    await house.platform.videos.show(str(house.ann.id), house.job())
    first, second = house.fake.calls_of("sendVideo")
    assert (bool(first.files), bool(second.files)) == (True, False)


async def test_as_a_file_it_costs_one_upload_too(house: House) -> None:
    for _ in range(2):
        await house.platform.videos.show_file(str(house.ann.id), house.job())
    first, second = house.fake.calls_of("sendDocument")
    assert (bool(first.files), bool(second.files)) == (True, False)
    assert [each.media and each.media.content for each in house.posts()] == [MP4, MP4]


async def test_the_file_is_what_the_gateway_made(house: House) -> None:
    about = house.job()
    assert about.video is not None
    original = Original(key="originals/a.mkv", size=len(ORIGINAL))
    about = replace(about, video=replace(about.video, converted=original))
    await house.platform.videos.show_file(str(house.ann.id), about)
    await house.platform.videos.show(str(house.ann.id), about)
    file, clip = house.posts()
    assert file.media is not None
    assert (file.media.kind, file.media.content) == ("document", ORIGINAL)
    assert clip.media is not None
    assert (clip.media.kind, clip.media.content) == ("video", MP4)
    assert list(house.rows.handles) == ["originals/a.mkv#file", "videos/a.mp4"]


async def test_a_video_that_does_not_play_everywhere_is_sent_as_a_file(house: House) -> None:
    about = unplayable(house.job())
    await house.send(about)
    await house.platform.videos.show_file(str(house.ann.id), about)
    await house.platform.videos.show(str(house.ann.id), about)
    assert house.fake.calls_of("sendVideo") == []
    assert [bool(each.files) for each in house.fake.calls_of("sendDocument")] == [
        True,
        False,
        False,
    ]


async def test_a_video_that_does_not_play_everywhere_replaces_its_card_as_a_file(
    house: House,
) -> None:
    """Where an earlier send has an unknown end, the status message becomes the result."""
    about = unplayable(await with_card(house))
    await house.send(about, again=True)
    (post,) = house.posts()
    assert post.media is not None
    assert (post.media.kind, post.media.content) == ("document", MP4)
    assert list(house.rows.handles) == ["videos/a.mp4#file"]


def unplayable(job: Job) -> Job:
    assert job.video is not None
    return replace(job, video=replace(job.video, plays=False))


async def test_a_video_and_its_file_have_names_of_their_own(house: House) -> None:
    """Telegram takes no video by the name of a document."""
    await house.send()
    await house.platform.videos.show_file(str(house.ann.id), house.job())
    clip, file = (each.media for each in house.posts())
    assert clip is not None
    assert file is not None
    assert house.rows.handles == {"videos/a.mp4": clip.file.id, "videos/a.mp4#file": file.file.id}


@pytest.mark.parametrize("key", ["videos/a.mp4", "videos/a.mp4#file"])
async def test_a_handle_that_telegram_forgot_is_uploaded_anew(house: House, key: str) -> None:
    house.rows.handles[key] = house.fake.files.foreign_id()
    videos = house.platform.videos
    show = videos.show_file if key.endswith("file") else videos.show
    await show(str(house.ann.id), house.job())
    (post,) = house.posts()
    assert post.media is not None
    assert post.media.content == MP4


async def test_the_name_of_a_smaller_copy_is_not_that_of_the_video(house: House) -> None:
    """Shown again it would be the copy for ever."""
    await house.send(size=len(MP4) - 1)
    assert house.rows.handles == {}
    await house.platform.videos.show(str(house.ann.id), house.job())
    shown = house.posts()[-1].media
    assert shown is not None
    assert (shown.content, house.rows.handles) == (MP4, {"videos/a.mp4": shown.file.id})


async def test_a_few_are_uploaded_at_once_and_the_next_comes_later(house: House) -> None:
    others = [house.fake.person(f"{number}", started=True) for number in range(MOST_AT_ONCE)]
    videos, holds = house.platform.videos, [house.fake.hold("sendDocument") for _ in others]
    tasks = [asyncio.create_task(videos.show_file(str(it.id), house.job())) for it in others]
    for hold in holds:
        await hold.reached()
    for show in (videos.show, videos.show_file):
        with pytest.raises(Temporary) as caught:
            await show(str(house.ann.id), house.job())
        assert (caught.value.unsent, caught.value.retry_after) == (True, 5.0)
    house.platform.line.pace.progress(house.ann.id)  # the chat itself was asked nothing
    for hold in holds:
        hold.release()
    await asyncio.gather(*tasks)
    house.rows.handles.clear()
    await videos.show_file(str(house.ann.id), house.job())


async def test_what_telegram_has_needs_no_place_among_them(house: House) -> None:
    await house.send()
    others = [house.fake.person(f"{number}", started=True) for number in range(MOST_AT_ONCE)]
    videos, holds = house.platform.videos, [house.fake.hold("sendDocument") for _ in others]
    tasks = [asyncio.create_task(videos.show_file(str(it.id), house.job())) for it in others]
    for hold in holds:
        await hold.reached()
    await videos.show(str(house.ann.id), house.job())
    for hold in holds:
        hold.release()
    await asyncio.gather(*tasks)


# --- how long an upload may take ------------------------------------------------------------------

CLOUD = 50
"""Megabytes that Telegram's own server takes."""
MOST = next(it.le for it in Telegram.model_fields["upload_limit_mb"].metadata if hasattr(it, "le"))
"""Megabytes that may be configured."""


@pytest.mark.parametrize(("megabytes", "silence"), [(CLOUD, 120), (MOST, 1333)])
def test_a_server_has_time_to_pass_a_file_on_and_yet_no_upload_outlasts_its_claim(
    tmp_path: Path, megabytes: int, silence: int
) -> None:
    """On a server of one's own, which answers only then, at 1.5 megabytes a second."""
    clip = tmp_path / "video.mp4"
    with clip.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    times = patience(clip)
    assert int(times.sock_read) == silence
    assert times.sock_read < times.total < SEND_TIME


@pytest.mark.parametrize("way", ["sendVideo", "editMessageMedia", "sendDocument"])
async def test_silence_after_an_upload_has_an_end(
    house: House, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = await with_card(house)
    monkeypatch.setattr("bot.platforms.telegram.videos.SILENCE", 0.05)
    house.fake.hold(way)
    if way == "sendDocument":
        sending: Coroutine[Any, Any, object] = house.platform.videos.show_file(
            str(house.ann.id), about
        )
    else:
        sending = house.send(about, again=way == "editMessageMedia")
    with pytest.raises(Temporary):
        await asyncio.wait_for(sending, WAIT)


# --- the unknown end ------------------------------------------------------------------------------


async def with_card(house: House) -> Job:
    about = house.job()
    card = Post(id=2, job_id=about.id, kind=PostKind.CARD, due_at=None)
    message_id, channel = await house.platform.send(card, about, cards.card(about), video=None)
    house.rows.posts["card"] = replace(card, message_id=message_id, channel_id=channel)
    return about


@pytest.mark.parametrize("clip", [True, False])
async def test_what_may_stand_takes_the_place_of_the_status_message(
    house: House, clip: bool
) -> None:
    about = await with_card(house)
    for _ in range(3):
        stands = await house.send(about, clip=clip, again=True)
        await house.clock.advance(10)
    (post,) = house.posts()
    assert stands == (str(post.id), str(house.ann.id))
    assert "here is your video" in post.text
    assert (post.media is not None) is clip


async def test_then_it_is_no_card_any_more(house: House) -> None:
    about = await with_card(house)
    stands = await house.send(about, clip=False, again=True)
    result = Post(id=3, job_id=about.id, kind=PostKind.RESULT, due_at=None, message_id=stands[0])
    house.rows.posts["result"] = result
    with pytest.raises(Refused):
        await house.platform.edit(house.rows.posts["card"], about, cards.card(about))
    assert "here is your video" in house.posts()[0].text


@pytest.mark.parametrize("number", ["0", None])
async def test_without_a_status_message_it_is_sent_once_more(
    house: House, number: str | None
) -> None:
    about = await with_card(house)
    house.rows.posts["card"] = replace(house.rows.posts["card"], message_id=number)
    await house.send(about, again=True)
    assert len(house.posts()) == 2


async def test_a_card_that_may_stand_is_not_sent_for_ever(house: House) -> None:
    about = house.job()
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None, attempts=3)
    with pytest.raises(Refused) as caught:
        await house.platform.send_again(card, about, cards.card(about), video=None)
    assert (caught.value.code, house.posts()) == ("maybe_sent", [])


async def test_a_card_that_becomes_a_link_while_its_edit_waits_stays_one(house: House) -> None:
    about = await with_card(house)
    await house.send(about)  # changes have to wait now
    card = house.rows.posts["card"]
    async with asyncio.TaskGroup() as group:
        over = cards.card(replace(about, status=Status.CANCELLED))
        edit = group.create_task(_gone(house.platform.edit(card, about, over)))
        await house.clock.asleep()
        link = replies.result(about, link="https://bot.test/v/x", link_expires_at=0.0)
        rendered = messages.rendered(link, "en", name="Ann")
        await house.platform.line.edit(house.ann.id, int(card.message_id or 0), rendered)
        house.rows.posts["result"] = replace(card, kind=PostKind.RESULT)
        await house.clock.advance(5)
    assert edit.result()
    assert "https://bot.test/v/x" in house.posts()[0].text


async def _gone(edit: Coroutine[Any, Any, None]) -> bool:
    try:
        await edit
    except Refused as refused:
        return refused.code == "card_gone"
    return False


async def test_a_video_that_could_be_posted_nowhere_is_said_to_be_in_the_history(
    house: House,
) -> None:
    about = replace(house.job(), reason=Reason.UNDELIVERABLE)
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    await house.platform.send(card, about, cards.card(about), video=None)
    assert "/history shows it" in house.posts()[-1].text


# --- pictures -------------------------------------------------------------------------------------


async def test_a_picture_above_what_telegram_hands_out_is_refused(house: House) -> None:
    house.fake.files.download_limit = 100
    sent = await house.ann.sends_document(b"x" * 500, "cat.png")
    assert sent.media is not None
    source = sent.media.file.id
    for given, what in (
        (Picture(source=source, filename="cat.png", size=500_000), "picture"),
        (Sound(source=source, filename="song.mp3", size=500_000), "sound"),
    ):
        with pytest.raises(Refused) as caught:
            await house.platform.fetch(given, house.folder / "into", most=10**6)
        assert caught.value.code == f"{what}_too_large"
        assert f"That {what} has 0.5 MB" in say(replies.error(caught.value).text, "en")


async def test_a_picture_that_telegram_has_no_time_for_is_told_when(house: House) -> None:
    house.fake.faults.add("getFile", flood(7))
    sent = await house.ann.sends_document(b"x" * 500, "cat.png")
    assert sent.media is not None
    picture = Picture(source=sent.media.file.id, filename="cat.png", size=500)
    with pytest.raises(Temporary) as caught:
        await house.platform.fetch(picture, house.folder / "into", most=10_000)
    assert (caught.value.code, caught.value.retry_after) == ("telegram_busy", 8.0)


async def test_a_download_that_breaks_off_may_come_again(house: House) -> None:
    house.fake.faults.add("file", reset(), times=2)  # aiohttp asks once more by itself
    sent = await house.ann.sends_document(b"x" * 500, "cat.png")
    assert sent.media is not None
    picture = Picture(source=sent.media.file.id, filename="cat.png", size=500)
    with pytest.raises(Temporary):
        await house.platform.fetch(picture, house.folder / "into", most=10_000)
    await house.platform.fetch(picture, house.folder / "into", most=10_000)
    assert (house.folder / "into").read_bytes() == b"x" * 500


@pytest.mark.parametrize("is_faceless", [False, True])
async def test_a_card_says_where_a_video_is_that_was_not_posted(
    house: House, is_faceless: bool
) -> None:
    """A group that spoke for itself has no private chat to look in."""
    about = replace(house.job(), status=Status.DELIVERED, silent=True)
    if is_faceless:
        club = Person(id="-1001", name="Club")
        about = replace(about, order=changed(about.order, person=club))
    post = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    said = cards.card(about)
    await house.platform.send(post, about, said, video=None)
    lines = house.posts()[-1].text.splitlines()
    assert lines[0] == "Done. Not posted: /history has the video for whoever asked for it."
    assert ("/history shows it, in a private chat with me." in lines) is not is_faceless

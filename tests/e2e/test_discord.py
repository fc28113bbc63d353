"""The whole path on Discord: what a person types, what the gateway gets, what the channel shows."""

import hashlib
from io import BytesIO

import av
import pytest
from aiohttp import ClientSession
from PIL import Image

from bot.core.preferences import Preferences
from bot.simulator.faults import Fault
from tests.e2e.world import WAIT, World, card_text, is_card, is_result, png
from tests.fakes.discord import accepted, error


def probe(content: bytes) -> tuple[str, int, int, float]:
    """Return codec, width, height and seconds of a video."""
    with av.open(BytesIO(content), "r") as video:
        stream = video.streams.video[0]
        seconds = (video.duration or 0) / av.time_base
        return stream.codec_context.name, stream.width, stream.height, round(seconds)


async def test_a_prompt_on_discord_becomes_a_video_that_pings_only_its_person(world: World) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        asked = await ann.slash("video", prompt="a cat on the moon")
        card = (await asked.answered()).message
        assert card is not None
        assert is_card(card)
        assert "a cat on the moon" in card_text(card)
        result = await world.result()
    assert [probe(file.content) for file in result.attachments] == [("h264", 128, 72, 1)]
    assert result.reference is None, "its card goes, so it replies to nothing"
    assert result.pings == {ann.id}
    assert "AI-generated" in result.content
    assert "Sora 2" in result.content
    assert world.simulator.charges == 1


@pytest.mark.proof
@pytest.mark.parametrize("prompt", ["a cat", "a cat [fail]"])
async def test_a_finished_or_failed_discord_job_leaves_one_message_that_pings_once(
    world: World, prompt: str
) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        asked = await ann.slash("video", prompt=prompt)
        card = (await asked.answered()).message
        result = await world.result()
        gone = await world.discord.next("delete", timeout=WAIT)
    assert card is not None
    assert (gone.id, card.pings) == (card.id, frozenset())
    assert (world.discord.posts(), result.pings) == ([result], frozenset({ann.id}))


@pytest.mark.proof
async def test_a_card_that_discord_does_not_delete_becomes_one_line_with_a_link_to_the_video(
    world: World,
) -> None:
    world.discord.faults.add("DELETE", r"/messages/\d+$", error(403, 50013))
    async with world.app():
        asked = await world.discord.person("ann").slash("video", prompt="a cat")
        card = (await asked.answered()).message
        result = await world.result()
        shown = await world.discord.next(
            "edit", where=lambda m: "Done here" in card_text(m), timeout=WAIT
        )
    assert card is not None
    assert (shown.id, shown.buttons) == (card.id, [])
    address = (
        f"https://discord.com/channels/{world.discord.guild.id}/{shown.channel.id}/{result.id}"
    )
    assert shown.embeds[0]["description"] == f"Done here. See the result: {address}"


async def test_a_picture_for_sora_is_sent_original_file_input_reference_re_encoded_without_metadata(
    world: World,
) -> None:
    picture = world.discord.attachment(png("teal"), "cat.png", ephemeral=True)
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("animate", image=picture, model="Sora 2")
        await world.result()
        stored = {
            hashlib.sha256(file.read_bytes()).hexdigest(): file.read_bytes()
            for file in world.folder.rglob("pictures/**/*.jpg")
        }
    (post,) = [entry for entry in world.simulator.journal if entry.operation == "create"]
    sent = post.files["input_reference"]
    assert sent.sha256 in stored, "the exact bytes of our re-encoded copy reached the gateway"
    with Image.open(BytesIO(stored[sent.sha256])) as image:
        assert image.size == (128, 72)
        assert not image.getexif()
    assert (sent.filename, sent.content_type) == ("picture.jpg", "image/jpeg")
    assert post.metadata is None or "img_url" not in post.metadata


@pytest.mark.proof
async def test_a_picture_for_wan_is_sent_in_img_url_and_not_as_a_file(world: World) -> None:
    picture = world.discord.attachment(png("teal"), "cat.png", ephemeral=True)
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="it waves", image=picture, model="wan-2.5")
        await world.result()
        stored = {
            hashlib.sha256(file.read_bytes()).hexdigest()
            for file in world.folder.rglob("pictures/**/*.jpg")
        }
    (post,) = [entry for entry in world.simulator.journal if entry.operation == "create"]
    assert post.files == {}
    assert post.metadata is not None
    img_url = post.metadata["img_url"]
    assert isinstance(img_url, dict)
    assert img_url["data_uri"]["sha256"] in stored


@pytest.mark.proof
async def test_apps_animate_on_a_message_of_ones_own_makes_a_video_of_its_picture(
    world: World,
) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        message = await ann.say("look", attachments=[world.discord.attachment(png(), "cat.png")])
        menu = await ann.message_command("Animate", message)
        await menu.answered()
        sent = await ann.submit_modal(menu, {0: "it waves"})
        card = (await sent.answered()).message
        assert card is not None
        assert is_card(card)
        result = await world.result()
    assert result.attachments
    (post,) = [entry for entry in world.simulator.journal if entry.operation == "create"]
    assert post.fields["prompt"] == "it waves"
    assert post.files


@pytest.mark.proof
@pytest.mark.parametrize(("policy", "made"), [("ask", False), ("own", False), ("free", True)])
async def test_a_picture_that_somebody_else_posted_is_animated_only_with_animate_others_free(
    world: World, policy: str, made: bool
) -> None:
    async with world.app(ANIMATE_OTHERS=policy):
        ann, bob = world.discord.person("ann"), world.discord.person("bob")
        message = await ann.say("mine", attachments=[world.discord.attachment(png(), "cat.png")])
        menu = await bob.message_command("Animate", message)
        answer = await menu.answered()
        if made:
            await bob.submit_modal(menu, {})
            assert (await world.result()).attachments
        else:
            if answer.message is None:
                sent = await bob.submit_modal(menu, {})
                answer = await sent.answered()
            assert answer.ephemeral
            assert answer.message is not None
            assert "Somebody else" in answer.message.content
    assert world.simulator.charges == int(made)


@pytest.mark.proof
async def test_a_mention_with_a_picture_makes_a_video_that_replies_to_that_message(
    world: World,
) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        picture = world.discord.attachment(png(), "cat.png")
        asked = await ann.say("make it wave", attachments=[picture], mentions_bot=True)
        result = await world.result()
    assert result.reference == asked.id
    (post,) = [entry for entry in world.simulator.journal if entry.operation == "create"]
    assert post.fields["prompt"] == "make it wave"
    assert post.files


async def test_a_reply_to_a_picture_that_discord_hides_is_answered_with_a_hint_to_apps_animate(
    world: World,
) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        shown = await ann.say("look", attachments=[world.discord.attachment(png(), "cat.png")])
        await ann.say("animate this", mentions_bot=True, reply_to=shown)
        answer = await world.discord.next("message", timeout=WAIT)
    assert "Apps › Animate" in answer.content
    assert world.simulator.charges == 0


@pytest.mark.proof
async def test_everyone_in_a_prompt_pings_nobody(world: World) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="@everyone @here <@&1> look")
        result = await world.result()
        cards = [message for message in world.discord.posts() if is_card(message)]
    assert result.pings == {ann.id}
    assert all(not card.pings for card in cards)


@pytest.mark.proof
@pytest.mark.parametrize("trouble", ["made-at-once-video", "made-at-once-list"])
async def test_a_video_sent_in_the_answer_to_the_post_is_posted_without_polling(
    world: World, trouble: str
) -> None:
    """The answer is the video itself, or a list without an id.

    The order is paid for once and never polled.
    """
    async with world.app():
        await world.discord.person("ann").slash("video", prompt=f"a cat [{trouble}]")
        assert (await world.result()).attachments
    assert world.simulator.charges == 1
    assert not {"retrieve", "content"} & {it.operation for it in world.simulator.journal}


async def test_a_video_too_large_for_discord_becomes_a_link_that_plays_and_seeks(
    world: World,
) -> None:
    world.discord.guild.upload_limit = 1_000
    async with world.app(
        WEB__PUBLIC_URL="http://127.0.0.1:9", DISCORD__UPLOAD_LIMIT_MIB="0.001"
    ) as address:
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        result = await world.result()
        assert not result.attachments
        link = next(line for line in result.content.splitlines() if line.startswith("http"))
        path = link.removeprefix("http://127.0.0.1:9")
        async with ClientSession() as session:
            async with session.get(f"{address}{path}") as page:
                assert page.status == 200
                assert f"{link}.mp4" in await page.text()
            async with session.get(f"{address}{path}.mp4") as whole:
                video = await whole.read()
                assert probe(video)[0] == "h264"
                assert whole.headers["Content-Type"] == "video/mp4"
            some = {"Range": "bytes=100-199"}
            async with session.get(f"{address}{path}.mp4", headers=some) as part:
                assert part.status == 206
                assert await part.read() == video[100:200]
            async with session.get(f"{address}{path}0.mp4") as forged:
                assert forged.status == 404


@pytest.mark.proof
async def test_a_video_too_large_for_discord_without_a_public_url_is_kept_and_the_chat_told(
    world: World,
) -> None:
    world.discord.guild.upload_limit = 1_000
    async with world.app(DISCORD__UPLOAD_LIMIT_MIB="0.001"):
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        result = await world.result()
        assert not result.attachments
        assert "too large for this chat" in result.content
        assert list(world.folder.rglob("videos/**/*.mp4"))


@pytest.mark.proof
async def test_cancel_by_its_person_before_the_gateway_has_the_order_costs_nothing(
    world: World,
) -> None:
    world.simulator.faults.add(Fault("create", "answer", 429, "later", retry_after=60), times=9)
    async with world.app():
        ann, bob = world.discord.person("ann"), world.discord.person("bob")
        asked = await ann.slash("video", prompt="a cat")
        card = (await asked.answered()).message
        assert card is not None
        waits = "not answering right now"
        await world.discord.next("edit", where=lambda m: waits in card_text(m), timeout=WAIT)
        foreign = await bob.press(card, "Cancel")
        assert (await foreign.answered()).ephemeral, "only its owner may cancel"
        pressed = await ann.press(card, "Cancel")
        await pressed.answered()
        await world.discord.next("edit", where=lambda m: "Cancelled" in card_text(m), timeout=WAIT)
    assert world.simulator.charges == 0


async def test_a_failed_video_says_why_and_does_not_count_against_the_limit(world: World) -> None:
    async with world.app(LIMITS__PERSON_VIDEOS_PER_DAY="1"):
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat [fail]")
        said = await world.result()
        assert "content rules" in said.content
        assert "does not count" in said.content
        assert said.pings == {ann.id}
        await ann.slash("video", prompt="another cat")
        assert (await world.result()).attachments, "the only video of the day was still free"


@pytest.mark.proof
async def test_a_limit_is_told_only_to_the_person_and_says_when_it_ends(world: World) -> None:
    async with world.app(LIMITS__PERSON_VIDEOS_PER_DAY="1"):
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        await world.result()
        refused = await (await ann.slash("video", prompt="a cat")).answered()
    assert refused.ephemeral
    assert refused.message is not None
    assert "your one video for today" in refused.message.content
    assert "<t:" in refused.message.content


@pytest.mark.proof
async def test_a_gateway_with_errors_for_a_while_still_makes_the_video_once(world: World) -> None:
    world.simulator.faults.add(Fault("create", "cut"), times=0)
    world.simulator.faults.clear()
    world.simulator.faults.add(Fault("create", "answer", 429, "full"), times=2)
    world.simulator.faults.add(Fault("retrieve", "answer", 502, body="<html>"), times=3)
    world.simulator.faults.add(Fault("content", "answer", 502, body="<html>"), times=2)
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        assert (await world.result()).attachments
    assert world.simulator.charges == 1


async def test_an_order_whose_answer_was_lost_is_reported_and_never_sent_again(
    world: World,
) -> None:
    world.simulator.faults.add(Fault("create", "drop"))
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        said = await world.result()
        assert "did not send it again" in said.content
    assert world.simulator.charges == 1


@pytest.mark.proof
async def test_a_result_is_shown_once_although_discord_answered_503(world: World) -> None:
    """Discord shows the message, then answers 503.

    The retry has the same nonce, so Discord adds no message.
    """
    async with world.app():
        ann = world.discord.person("ann")
        asked = await ann.slash("video", prompt="a cat")
        await asked.answered()
        world.discord.faults.add("POST", r"/channels/\d+/messages$", accepted(error(503)))
        await world.result()
        await world.discord.next("delete", timeout=WAIT)
        results = [m for m in world.discord.posts() if is_result(m)]
    assert len(results) == 1


@pytest.mark.proof
async def test_a_discord_reconnect_after_an_order_makes_no_second_job(world: World) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        await world.result()
        await world.discord.drop_gateway()
        await world.discord.connected(timeout=WAIT)
    assert world.simulator.charges == 1


# --- results for one person alone -----------------------------------------------------------------


@pytest.mark.proof
async def test_a_private_result_goes_to_its_person_and_the_channel_is_told(world: World) -> None:
    ann = world.discord.person("ann")
    await world.prefers("discord", str(ann.id), Preferences(seconds=2, private=True))
    async with world.app():
        asked = await ann.slash("video", prompt="a cat")
        card = (await asked.answered()).message
        assert card is not None
        assert "2 s" in card_text(card)
        result = await world.result()
        await world.discord.next("edit", where=lambda m: "in private" in card_text(m), timeout=WAIT)
    assert result.channel == ann.dm
    assert [probe(file.content)[0] for file in result.attachments] == ["h264"]
    assert "I send your results to you alone" in result.content
    assert [is_result(each) for each in world.discord.posts(card.channel)] == [False]


@pytest.mark.proof
async def test_a_private_result_for_a_person_with_closed_messages_is_kept_in_history(
    world: World,
) -> None:
    ann = world.discord.person("ann")
    ann.dms_open = False
    await world.prefers("discord", str(ann.id), Preferences(private=True))
    async with world.app():
        asked = await ann.slash("video", prompt="a cat")
        card = (await asked.answered()).message
        assert card is not None
        kept = await world.discord.next(
            "edit", where=lambda m: "kept it for you alone" in card_text(m), timeout=WAIT
        )
    assert "/history" in card_text(kept)
    assert [is_result(each) for each in world.discord.posts(card.channel)] == [False]
    assert world.simulator.charges == 1

"""The room as people meet it: in a real browser, over the whole real service."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import FilePayload, Page, Route, expect

from bot.app import open_app
from bot.simulator.faults import Fault
from tests.browser.chromium import Watch
from tests.browser.conftest import NewPage
from tests.e2e.house import House
from tests.e2e.world import png
from tests.unit.media.heif import heic

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PHONE = {
    "viewport": {"width": 360, "height": 640},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
SOUND = FilePayload(name="voice.ogg", mimeType="audio/ogg", buffer=b"OggS")
PICTURE = FilePayload(name="sea.png", mimeType="image/png", buffer=png("teal"))


@pytest_asyncio.fixture(loop_scope="session")
async def address(house: House) -> AsyncIterator[str]:
    async with house.open() as address:
        yield address


async def say(page: Page, text: str) -> None:
    await page.locator("#words").fill(text)
    await page.keyboard.press("Enter")


async def become(page: Page, name: str) -> None:
    await page.get_by_role("radio", name=name).check()


def stuck(house: House) -> None:
    """The gateway is too busy to take anything: what is asked for stays in the queue."""
    house.simulator.faults.add(Fault("create", "answer", 429, "later", retry_after=600), times=9)


async def queued(page: Page) -> None:
    """The gateway has said that it is busy, so nothing is on its way to it."""
    await expect(page.locator(".card").last).to_contain_text("not answering right now")


# --- a whole round -------------------------------------------------------------------------------


async def test_words_become_a_video_that_plays_to_its_end_and_seeks(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await expect(
        page.get_by_role("heading", name="Say what you would like to see.")
    ).to_be_visible()
    await say(page, "a cat on the moon")
    video = page.locator("video")
    await expect(video).to_have_attribute("aria-label", "Video: a cat on the moon")
    assert (await video.get_attribute("poster") or "").startswith("files/")
    length = await video.evaluate(
        """async (video) => {
            const ended = new Promise((done) => video.addEventListener("ended", done));
            video.muted = true;
            await video.play();
            await ended;
            return video.currentTime;
        }"""
    )
    assert round(length) == 1
    place = await video.evaluate(
        """async (video) => {
            const seeked = new Promise((done) => video.addEventListener("seeked", done));
            video.currentTime = 0.5;
            await seeked;
            return video.currentTime;
        }"""
    )
    assert place == 0.5
    await expect(page.locator(".card.video")).to_contain_text(
        "AI-generated · Sora 2 · asked by Ann"
    )
    await expect(page.locator("article")).to_have_count(2)


@pytest.mark.proof
async def test_as_file_gives_what_the_gateway_made(address: str, visit: NewPage) -> None:
    """A video in WebM is shown converted, and kept as it came."""
    page = await visit(address)
    await say(page, "a cat on the moon [content-webm]")
    await page.locator("video").wait_for()
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="As file").click()
    file = await coming.value
    assert file.suggested_filename.endswith(".webm")
    assert Path(await file.path()).read_bytes().startswith(b"\x1a\x45\xdf\xa3")


@pytest.mark.proof
async def test_what_strangers_type_is_text(address: str, visit: NewPage) -> None:
    page = await visit(address)
    prompt = "<img src=x onerror=alert(1)> <b>bold</b> {name} \x02person:bob\x03"
    await say(page, prompt)
    await page.locator("video").wait_for()
    assert await page.locator("article img, article b b").count() == 0
    await expect(page.locator(".theirs .text")).to_contain_text("<b>bold</b> {name}")


async def test_the_policy_holds(address: str, visit: NewPage, watch: Watch) -> None:
    """Negative control: inline code and code from elsewhere do not run."""
    page = await visit(address)
    ran = await page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            return window.ran === true;
        }"""
    )
    assert ran is False
    assert any("Content Security Policy" in each for each in watch.complaints)
    watch.complaints.clear()


# --- buttons -------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_cancel_withdraws_what_no_gateway_has(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    await say(page, "a cat")
    await queued(page)
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".card")).to_contain_text("Cancelled. Nothing was sent")
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert house.simulator.charges == 0


@pytest.mark.proof
async def test_remix_makes_another_video_of_other_words(address: str, visit: NewPage) -> None:
    page = await visit(address)
    await say(page, "a cat")
    await page.get_by_role("button", name="Remix").click()
    words = page.locator("dialog textarea")
    await expect(words).to_have_value("a cat")
    await words.fill("a dog")
    await page.locator("dialog").get_by_role("button", name="Remix").click()
    await expect(page.locator("video")).to_have_count(2)
    await expect(page.locator("video").nth(1)).to_have_attribute("aria-label", "Video: a dog")


@pytest.mark.proof
async def test_continue_goes_on_from_the_last_picture(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await say(page, "a cat")
    await page.get_by_role("button", name="Continue").click()
    words = page.locator("dialog textarea")
    await expect(words).to_be_focused()
    await expect(words).to_have_value("")
    await page.locator("dialog").get_by_role("button", name="Continue").click()
    await expect(page.locator("video")).to_have_count(2)
    first, second = (e for e in house.simulator.journal if e.operation == "create")
    assert (len(first.files), len(second.files)) == (0, 1)


@pytest.mark.proof
async def test_delete_asks_once_more_and_takes_the_video_from_every_window(
    address: str, visit: NewPage
) -> None:
    page, other = await visit(address), await visit(address)
    await say(page, "a cat")
    await other.locator("video").wait_for()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator("dialog")).to_contain_text("Delete this video for good")
    await page.keyboard.press("Escape")
    await expect(page.locator("video")).to_have_count(1)
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Yes, delete it").click()
    await expect(page.locator("video")).to_have_count(0)
    await expect(other.locator("video")).to_have_count(0)
    await expect(page.locator(".notice")).to_contain_text("Deleted.")
    await expect(page.locator("#words")).to_be_focused()


# --- people --------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_bob_cannot_cancel_anns_and_only_he_is_told(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    await say(page, "a cat")
    await queued(page)
    await become(page, "Bob")
    await page.get_by_role("button", name="Cancel").click()
    notice = page.get_by_text("That one belongs to somebody else.")
    await expect(notice).to_be_visible()
    await expect(page.get_by_text("Only Bob sees this")).to_be_visible()
    await become(page, "Ann")
    await expect(notice).to_be_hidden()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".card")).to_contain_text("Cancelled.")


@pytest.mark.proof
async def test_ann_moderates(house: House, address: str, visit: NewPage) -> None:
    stuck(house)
    page = await visit(address)
    await become(page, "Bob")
    await say(page, "a cat")
    await queued(page)
    await become(page, "Ann")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".card")).to_contain_text("Cancelled.")


@pytest.mark.proof
async def test_each_has_limits_of_their_own(house: House, address: str, visit: NewPage) -> None:
    stuck(house)
    page = await visit(address)
    for text in ("one", "two", "three"):
        await say(page, text)
    await expect(page.locator(".notice")).to_contain_text("is the most here")
    await become(page, "Bob")
    await say(page, "four")
    await expect(page.locator(".card")).to_have_count(3)


# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_a_picture_by_button_is_animated_even_without_words(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await expect(page.locator(".attached")).to_contain_text("sea.png")
    await expect(page.locator(".chip")).to_contain_text("/animate")
    await page.locator("#words").press("Enter")
    await page.locator("video").wait_for()
    (post,) = [each for each in house.simulator.journal if each.operation == "create"]
    assert post.files


@pytest.mark.proof
async def test_a_sound_is_not_taken_where_no_model_takes_any(address: str, visit: NewPage) -> None:
    page = await visit(address)
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await page.locator("input[type=file]").set_input_files(SOUND)
    await expect(page.locator(".notice")).to_contain_text("That is no picture.")
    await expect(page.locator(".attached")).to_have_count(1)


async def test_a_picture_that_this_browser_does_not_show_is_seen_all_the_same(
    address: str, visit: NewPage
) -> None:
    """The room's copy of it takes its place, also after the composer was drawn again."""
    page = await visit(address)
    content = heic(Image.new("RGB", (64, 48), "teal"))
    given = FilePayload(name="IMG_1.HEIC", mimeType="image/heic", buffer=content)
    await page.locator("input[type=file]").set_input_files(given)
    await expect(page.locator(".attached")).to_contain_text("IMG_1.HEIC")
    for _ in range(2):
        shown = page.locator(".attached img[src^='files/']")
        await expect(shown).to_have_js_property("naturalWidth", 64)
        await page.locator("#words").press("Backspace")
    await say(page, "look")
    await expect(page.locator("article img.picture")).to_have_js_property("naturalWidth", 64)


async def test_one_that_nobody_can_show_is_a_tile_with_its_name(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    damaged = heic(Image.new("RGB", (64, 48), "teal"))[:-20]
    given = FilePayload(name="IMG_2.HEIC", mimeType="image/heic", buffer=damaged)
    async with page.expect_response("**/files/*"):
        await page.locator("input[type=file]").set_input_files(given)
    await expect(page.locator(".attached")).to_contain_text("IMG_2.HEIC")
    await expect(page.locator(".attached use[href='#i-attach']")).to_have_count(1)
    await expect(page.locator(".attached img")).to_have_count(0)


@pytest.mark.parametrize("event", ["paste", "drop"])
async def test_of_several_files_at_once_those_left_out_are_named(
    address: str, visit: NewPage, event: str
) -> None:
    page = await visit(address)
    await _files(page, event, "sea.png", "sky.png", "sand.png")
    await expect(page.locator(".attached")).to_have_text(
        ["Begins with sea.png", "Ends with sky.png"]
    )
    await expect(page.locator(".notice")).to_contain_text("so I leave out sand.png.")


async def _files(page: Page, event: str, *names: str) -> None:
    """Paste or drop pictures, as far as a page can tell."""
    await page.locator("#words").evaluate(
        """(target, [event, data, names]) => {
            const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
            const carried = new DataTransfer();
            const type = "image/png";
            for (const name of names) carried.items.add(new File([bytes], name, { type }));
            const init = { bubbles: true, cancelable: true };
            target.dispatchEvent(event === "paste"
                ? new ClipboardEvent(event, { ...init, clipboardData: carried })
                : new DragEvent(event, { ...init, dataTransfer: carried }));
        }""",
        [event, base64.b64encode(png("teal")).decode(), names or ["sea.png"]],
    )


@pytest.mark.proof
@pytest.mark.parametrize("event", ["paste", "drop"])
async def test_a_picture_by_paste_and_drop(address: str, visit: NewPage, event: str) -> None:
    page = await visit(address)
    await _files(page, event)
    await expect(page.locator(".attached")).to_contain_text("sea.png")
    await say(page, "it waves")
    await expect(page.locator("article img.picture")).to_be_visible()
    await page.locator("video").wait_for()


@pytest.mark.proof
async def test_a_reply_to_a_picture_animates_it(house: House, address: str, visit: NewPage) -> None:
    page = await visit(address)
    await page.locator("#words").press("Backspace")
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await say(page, "look at this")
    await page.locator("article").get_by_role("button", name="Animate").click()
    await say(page, "the waves roll in")
    await page.locator("video").wait_for()
    assert house.simulator.charges == 1
    (post,) = [each for each in house.simulator.journal if each.operation == "create"]
    assert (post.fields["prompt"], bool(post.files)) == ("the waves roll in", True)


@pytest.mark.proof
async def test_somebody_elses_picture_is_not_animated(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await page.locator("#words").press("Backspace")
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await say(page, "mine")
    await become(page, "Bob")
    await page.locator("article").get_by_role("button", name="Animate").click()
    await say(page, "")
    await expect(page.locator(".notice")).to_contain_text("posted by somebody else")
    assert house.simulator.charges == 0


@pytest.mark.proof
async def test_what_is_no_picture_is_said_to_be_none(
    address: str, visit: NewPage, watch: Watch
) -> None:
    page = await visit(address)
    fake = FilePayload(name="cat.png", mimeType="image/png", buffer=b"no picture at all")
    await page.locator("input[type=file]").set_input_files(fake)
    await expect(page.locator(".notice")).to_contain_text("I see no picture there")
    (answered,) = watch.complaints
    assert "415" in answered
    watch.complaints.clear()
    await expect(page.locator(".attached")).to_have_count(0)


@pytest.mark.proof
async def test_words_and_picture_stay_until_the_picture_is_there(
    house: House, address: str, visit: NewPage, watch: Watch
) -> None:
    page = await visit(address)
    await page.route("**/pictures*", lambda route: route.abort())
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await expect(page.locator(".notice")).to_contain_text("did not reach the room")
    await say(page, "it waves")
    await expect(page.locator(".notice")).to_have_count(2)
    await expect(page.locator("#words")).to_have_value("it waves")
    await expect(page.locator(".attached")).to_contain_text("sea.png")
    watch.complaints.clear()
    await page.unroute("**/pictures*")
    await page.locator("#words").press("Enter")
    await page.locator("video").wait_for()
    await expect(page.locator("#words")).to_have_value("")
    (post,) = [each for each in house.simulator.journal if each.operation == "create"]
    assert (post.fields["prompt"], bool(post.files)) == ("it waves", True)


@pytest.mark.proof
async def test_words_stay_where_the_picture_is_refused(
    address: str, visit: NewPage, watch: Watch
) -> None:
    page = await visit(address)
    fake = FilePayload(name="cat.png", mimeType="image/png", buffer=b"no picture at all")
    arriving = asyncio.Event()

    async def held(route: Route) -> None:
        await arriving.wait()
        await route.continue_()

    await page.route("**/pictures*", held)
    await page.locator("input[type=file]").set_input_files(fake)
    await say(page, "it waves")
    arriving.set()
    await expect(page.locator(".notice")).to_contain_text("I see no picture there")
    await expect(page.locator("#words")).to_have_value("it waves")
    await expect(page.locator("#words")).to_be_editable()
    await expect(page.locator(".attached")).to_have_count(0)
    await expect(page.locator("article")).to_have_count(0)
    watch.complaints.clear()


# --- the palette and the keyboard ----------------------------------------------------------------


async def test_whatever_is_typed_anywhere_is_on_its_way_to_the_composer(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await page.keyboard.type("a cat ")
    await become(page, "Bob")
    await page.keyboard.type("on ")
    await page.locator(".log").click(force=True, position={"x": 1, "y": 1})
    await page.keyboard.type("the moon")
    await expect(page.locator("#words")).to_have_value("a cat on the moon")


@pytest.mark.proof
async def test_the_palette_is_a_list_that_arrows_walk_and_escape_closes(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    words = page.locator("#words")
    await words.press_sequentially("/")
    options = page.get_by_role("option")
    await expect(options.first).to_contain_text("/video")
    assert await options.count() >= 7
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[aria-selected=true]")).to_contain_text("/animate")
    active = await words.get_attribute("aria-activedescendant")
    assert active == await page.locator("[aria-selected=true]").get_attribute("id")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("[aria-selected=true]")).to_contain_text("write to the room")
    await page.keyboard.press("Escape")
    await expect(page.locator("#palette")).to_be_hidden()
    await expect(words).to_have_value("")


@pytest.mark.proof
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("jobs", "Nothing of yours"),
        ("history", "Nothing yet"),
        ("quota", "0 of 10 videos today"),
        ("models", "Sora 2"),
        ("help", "/animate"),
    ],
)
async def test_what_one_asks_only_oneself_is_told(
    address: str, visit: NewPage, command: str, said: str
) -> None:
    page, other = await visit(address), await visit(address)
    await say(page, f"/{command}")
    await expect(page.locator(".notice")).to_contain_text(said)
    await expect(other.locator(".notice")).to_have_count(0)


@pytest.mark.proof
async def test_the_menus_offer_what_any_model_of_a_family_makes(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await page.locator("input[type=file]").set_input_files(PICTURE)
    menu = page.locator("select[name=quality] option")
    await page.locator("select[name=model]").select_option(label="Wan 2.2")
    await expect(menu).to_have_text(["Quality", "Draft: small and cheap", "480p", "720p", "1080p"])
    await page.locator("select[name=quality]").select_option("draft")
    await page.locator("select[name=preset]").select_option(label="Orbit")
    await page.keyboard.press("Enter")
    await page.locator("#words").press("Enter")
    await page.locator("video").wait_for()
    (post,) = [each for each in house.simulator.journal if each.operation == "create"]
    assert (post.fields["size"], "orbits" in str(post.fields["prompt"])) == ("480P", True)
    await expect(page.get_by_role("button", name="Make it 1080p")).to_be_visible()


async def test_the_menus_offer_no_shape_and_no_length_that_would_be_refused(
    house: House, visit: NewPage
) -> None:
    """And a family that is gone at its maker says so, as it does in every other list."""
    gateway = {
        "GATEWAYS__MAIN__DIALECT": "new-api",
        "GATEWAYS__MAIN__MODELS": json.dumps(
            ["doubao-seedance-1-5-pro-251215", "veo-3.1-generate-preview", "sora-2"]
        ),
    }
    async with house.open(**gateway) as address:
        page = await visit(address)
        model, shape, length, quality = (
            page.locator(f"select[name={each}]")
            for each in ("model", "aspect", "seconds", "quality")
        )
        await expect(model).to_contain_text("Sora 2 (ended 2026-09-24)")
        await model.select_option(label="Seedance 1.5")
        await expect(shape).to_contain_text("21:9")
        await expect(shape).not_to_contain_text("3:2")
        await page.locator("input[type=file]").set_input_files(PICTURE)
        await expect(shape).to_contain_text("3:2")
        await model.select_option(label="Veo 3.1")
        await expect(length.locator("option")).to_have_text(["Length", "4 s", "6 s", "8 s"])
        await quality.select_option("1080p")
        await expect(length.locator("option")).to_have_text(["Length", "8 s"])


@pytest.mark.proof
async def test_what_a_model_leaves_open_is_asked_and_nothing_else(
    house: House, visit: NewPage
) -> None:
    seedance = {
        "DEFAULT_MODEL": "seedance-1.5",
        "GATEWAYS__MAIN__DIALECT": "new-api",
        "GATEWAYS__MAIN__MODELS": '["doubao-seedance-1-5-pro-251215"]',
        "MODELS": '{"doubao-seedance-1-5-pro-251215": {"price": 0.5, "silent_price": 0.25}}',
    }
    async with house.open(**seedance) as address:
        page = await visit(address)
        sound, length = page.locator("select[name=sound]"), page.locator("select[name=seconds]")
        await expect(sound.locator("option")).to_have_text(["Sound", "With sound", "Without sound"])
        await expect(page.locator(".rest select[name=watermark]")).to_have_count(1)
        await expect(page.locator("select[name=enhance]")).to_have_count(0)
        await sound.select_option(label="Without sound")
        await length.select_option(label="Auto")
        await page.locator("select[name=model]").select_option(label="Sora 2 (ended 2026-09-24)")
        await expect(sound).to_have_count(0)
        await page.locator("select[name=model]").select_option(label="Seedance 1.5")
        await sound.select_option(label="Without sound")
        await length.select_option(label="Auto")
        quote = page.locator(".quote")
        await expect(quote).to_have_text(
            "Seedance 1.5 · up to 12 s · 16:9 · 720p · Costs up to 3.00 USD"
        )
        await say(page, "a cat")
        post = await house.simulator.next("create")
        card = page.locator(".card", has_text="up to 12 s")
        await expect(card).to_contain_text("Without sound")
    assert (post.fields["seconds"], post.metadata["generate_audio"]) == ("-1", False)


@pytest.mark.proof
async def test_a_whole_round_by_keyboard_alone(house: House, address: str, visit: NewPage) -> None:
    page = await visit(address)
    await page.keyboard.press("/")
    await expect(page.locator("#words")).to_be_focused()
    await page.keyboard.type("vi")
    await page.keyboard.press("Enter")
    await page.keyboard.type("a cat")
    for name in ("attach", "send"):
        await page.keyboard.press("Tab")
        await expect(page.locator(f".{name}")).to_be_focused()
    for name in ("model", "seconds", "aspect", "quality"):
        await page.keyboard.press("Tab")
        await expect(page.locator(f"select[name={name}]")).to_be_focused()
        if name == "seconds":
            await page.keyboard.press("ArrowDown")
            await page.keyboard.press("ArrowDown")
    await expect(page.locator("select[name=seconds]")).to_have_value("2")
    await page.locator("#words").focus()
    await page.keyboard.press("Enter")
    await page.locator("video").wait_for()
    remix = page.get_by_role("button", name="Remix")
    await page.keyboard.press("Shift+Tab")
    for _ in range(12):
        if await remix.evaluate("(button) => button === document.activeElement"):
            break
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog textarea")).to_be_focused()
    await page.keyboard.type("a dog")
    await page.keyboard.press("Enter")
    await expect(page.locator("video")).to_have_count(2)
    prompts = [e.fields for e in house.simulator.journal if e.operation == "create"]
    assert [(each["prompt"], each["seconds"]) for each in prompts] == [
        ("a cat", "2"),
        ("a dog", "2"),
    ]


# --- lists and menus -----------------------------------------------------------------------------


async def test_a_menu_turns_in_its_place_and_is_walked_by_keyboard(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    quote = page.locator(".quote")
    await expect(quote).to_contain_text("Sora 2")
    await say(page, "/settings")
    await page.get_by_role("button", name="Model: no default").focus()
    await page.keyboard.press("Enter")
    none = page.get_by_role("button", name="no default", exact=True)
    await expect(none).to_have_attribute("aria-pressed", "true")
    await expect(none).to_be_focused()
    wan = page.get_by_role("button", name="Wan 2.5")
    await expect(wan).to_have_attribute("aria-pressed", "false")
    await wan.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Model: Wan 2.5")).to_be_focused()
    await expect(page.locator(".notice")).to_have_count(1)
    await expect(quote).to_contain_text("Wan 2.5")
    await become(page, "Bob")
    await expect(quote).to_contain_text("Sora 2")


@pytest.mark.proof
async def test_history_leads_to_a_video_posts_it_again_and_deletes_both(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await say(page, "a cat")
    await page.locator("video").wait_for()
    await say(page, "/history")
    await page.get_by_role("button", name="a cat").click()
    await page.get_by_role("link", name="Go to it").click()
    await expect(page.locator("article.found video")).to_have_count(1)
    await expect(page.locator("article.found")).to_be_focused()
    await page.get_by_role("button", name="Post it again").click()
    await expect(page.locator("video")).to_have_count(2)
    await page.locator(".notice").get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Yes, delete it").click()
    await expect(page.locator("video")).to_have_count(0)
    await expect(page.locator(".notice")).to_have_count(1)
    await expect(page.locator(".notice")).to_contain_text("Deleted.")


@pytest.mark.proof
async def test_a_result_that_is_private_is_shown_to_its_person_alone(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await say(page, "/settings")
    await page.get_by_role("button", name="Private results: off").click()
    await page.locator(".notice .value", has_text="on").click()
    await say(page, "a cat")
    await expect(page.locator("video")).to_be_visible()
    await become(page, "Bob")
    await expect(page.locator("video")).to_be_hidden()


@pytest.mark.proof
async def test_a_job_is_stopped_from_the_list(house: House, address: str, visit: NewPage) -> None:
    stuck(house)
    page = await visit(address)
    await say(page, "a cat")
    await queued(page)
    await say(page, "/jobs")
    await page.get_by_role("button", name="Stop 1").click()
    await expect(page.locator(".notice")).to_contain_text("Nothing of yours is under way")
    await expect(page.locator(".notice")).to_have_count(1)
    await expect(page.locator(".card")).to_contain_text("Cancelled.")


@pytest.mark.proof
async def test_a_question_that_was_not_answered_is_not_asked_again(
    house: House, address: str, visit: NewPage
) -> None:
    """/cancel would stop another video than the one that was meant."""
    stuck(house)
    page = await visit(address)
    for text in ("one", "two"):
        await say(page, text)
    await expect(page.locator(".card")).to_have_count(2)
    await page.evaluate(
        """() => {
            const { prototype } = WebSocket;
            const { send } = prototype;
            prototype.send = function () { prototype.send = send; this.close(); };
        }"""
    )
    await say(page, "/cancel")
    await expect(page.locator("body.offline")).to_have_count(1)
    await expect(page.locator("body.offline")).to_have_count(0)
    await say(page, "/help")
    await expect(page.locator(".notice")).to_contain_text("I make videos")
    await expect(page.locator(".card", has_text="Cancelled.")).to_have_count(0)


async def test_two_pictures_are_the_first_and_the_last(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    sky = FilePayload(name="sky.png", mimeType="image/png", buffer=png("orange"))
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await page.locator("input[type=file]").set_input_files(sky)
    await expect(page.locator(".attached")).to_have_text(
        ["Begins with sea.png", "Ends with sky.png"]
    )
    await expect(page.locator(".quote")).to_contain_text("Wan 2.2")
    await page.get_by_role("button", name="More").click()
    await page.locator("select[name=fit]").select_option(label="Whole, between bars")
    await page.locator("input[name=seed]").fill("7")
    await say(page, "the sun sets")
    post = await house.simulator.next("create")
    await expect(page.locator(".pictures img")).to_have_count(2)
    assert post.metadata["seed"] == 7


@pytest.mark.proof
async def test_what_is_chosen_out_of_sight_shows_on_the_button_that_hides_it(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    more = page.get_by_role("button", name="More")
    await page.locator("select[name=model]").select_option(label="Wan 2.5")
    await expect(more).to_have_attribute("aria-expanded", "false")
    await more.focus()
    await page.keyboard.press("Enter")
    await expect(more).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Tab")
    await page.locator("input[name=seed]").fill("7")
    await more.click()
    await expect(page.locator("input[name=seed]")).to_be_hidden()
    await expect(more).to_have_class("more picked")
    await page.locator("select[name=model]").select_option(label="Sora 2 (ended 2026-09-24)")
    await expect(more).to_be_hidden()


# --- coming back ---------------------------------------------------------------------------------


async def test_a_reload_in_the_middle_loses_nothing(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    async with house.simulator.holding("retrieve"):
        await say(page, "a cat")
        await page.locator(".card.working").wait_for()
        await page.reload()
        await page.locator("body.ready").wait_for()
        await expect(page.locator(".card")).to_contain_text("Your video is being made.")
        await expect(page.get_by_role("progressbar")).to_be_visible()
    await page.locator("video").wait_for()
    await expect(page.locator("article")).to_have_count(2)


@pytest.mark.proof
async def test_a_restart_of_the_server_in_the_middle_loses_nothing(
    house: House, visit: NewPage
) -> None:
    house.simulator.faults.add(Fault("retrieve", "answer", 502, body="<html>"), times=9999)
    async with house.open() as address:
        page = await visit(address)
        await say(page, "a cat")
        await page.locator(".card.working").wait_for()
    await expect(page.locator(".banner")).to_contain_text("The room is closed.")
    await say(page, "a dog")
    house.simulator.faults.clear()
    async with house.open() as again:
        assert again == address
        await expect(page.locator("video")).to_have_count(2)
        await expect(page.locator("article")).to_have_count(4)
        await expect(page.locator(".banner")).not_to_contain_text("closed")
    assert house.simulator.charges == 2


@pytest.mark.proof
async def test_what_the_room_cannot_read_is_told_and_not_said_again(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    words = page.locator("#words")
    await words.evaluate("(field) => { field.value = 'half a \\ud83d cat'; }")
    await words.press("Enter")
    await expect(page.locator(".notice")).to_contain_text("could not read this")
    await expect(page.locator(".notice")).to_contain_text("half a")
    await say(page, "a dog")
    await page.locator("video").wait_for()
    await expect(page.locator(".notice")).to_have_count(1)
    assert house.simulator.charges == 1


@pytest.mark.proof
async def test_refused_words_are_back_in_the_composer_and_not_in_the_room(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    await say(page, "one")
    await say(page, "two")
    await expect(page.locator(".card")).to_have_count(2)
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await say(page, "three")
    await expect(page.locator(".notice")).to_contain_text("is the most here")
    await expect(page.locator("#words")).to_have_value("three")
    await expect(page.locator(".attached")).to_contain_text("sea.png")
    await expect(page.locator(".chip")).to_contain_text("/animate")
    await expect(page.locator(".theirs")).to_have_count(2)


@pytest.mark.proof
async def test_refused_words_stand_in_the_notice_where_others_are_typed_by_now(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    for text in ("one", "two"):
        await say(page, text)
    await expect(page.locator(".card")).to_have_count(2)
    words = page.locator("#words")
    await words.fill("three")
    await words.evaluate("(field) => { field.form.requestSubmit(); field.value = 'four'; }")
    await expect(page.locator(".notice")).to_contain_text("three")
    await expect(words).to_have_value("four")


@pytest.mark.proof
async def test_what_is_said_to_a_room_that_is_away_is_seen_and_outlasts_a_reload(
    house: House, visit: NewPage
) -> None:
    async with house.open() as address:
        page = await visit(address)
    await expect(page.locator(".banner")).to_contain_text("The room is closed.")
    await say(page, "a dog")
    await expect(page.locator(".pending")).to_contain_text("a dog")
    await expect(page.locator(".pending")).to_contain_text("waits for the room")
    await page.evaluate("() => { WebSocket.prototype.send = () => {}; }")  # until the reload
    async with house.open():
        await page.reload()
        await expect(page.locator("video")).to_have_count(1)
        await expect(page.locator(".pending")).to_have_count(0)
        await expect(page.locator(".theirs")).to_have_count(1)
    assert house.simulator.charges == 1


@pytest.mark.proof
async def test_nothing_is_guessed_while_the_room_is_away(house: House, visit: NewPage) -> None:
    house.simulator.faults.add(Fault("retrieve", "answer", 502, body="<html>"), times=9999)
    async with house.open() as address:
        page = await visit(address)
        await say(page, "a cat")
        await page.locator(".card.working").wait_for()
    await expect(page.locator(".banner")).to_contain_text("The room is closed.")
    guess, soon = page.locator(".guess"), page.locator("time[data-kind=soon]")
    before = [await guess.evaluate("(bar) => bar.style.width"), await soon.text_content()]
    await asyncio.sleep(2.2)
    after = [await guess.evaluate("(bar) => bar.style.width"), await soon.text_content()]
    assert after == before


# --- for everybody -------------------------------------------------------------------------------


@pytest.mark.proof
async def test_nothing_overflows_a_phone(address: str, visit: NewPage) -> None:
    page = await visit(address, **PHONE)
    await say(page, "a very long prompt without end " * 8 + "x" * 200)
    await page.locator("video").wait_for()
    await page.locator("#words").press_sequentially("/")
    await page.get_by_role("option").first.wait_for()
    wide = await page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
            .filter((each) => !each.closest(".options, .symbols, .fill, .unseen"))
            .map((each) => each.className || each.tagName)"""
    )
    assert wide == []
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("phone", "scheme"),
    [
        (False, "light"),
        (True, "dark"),
        pytest.param(False, "dark", marks=pytest.mark.proof),
        pytest.param(True, "light", marks=pytest.mark.proof),
    ],
)
async def test_axe_finds_nothing(
    house: House, address: str, visit: NewPage, scheme: str, phone: bool
) -> None:
    page = await visit(
        address, color_scheme=scheme, reduced_motion="reduce", **(PHONE if phone else {})
    )
    axe = Axe()
    assert _violations(await axe.run(page)) == []
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await say(page, "it waves")
    await page.locator("video").wait_for()
    await say(page, "/history")
    await page.locator(".notice").wait_for()
    await say(page, "a cat [fail]")
    await page.locator(".card.failed .button").first.wait_for()
    async with house.simulator.holding("retrieve"):
        await say(page, "a dog")
        await page.locator(".card.working").wait_for()
        await page.locator("#words").press_sequentially("/")
        assert _violations(await axe.run(page)) == []
        await page.keyboard.press("Escape")
    await say(page, "/settings")
    await page.locator(".notice .setting").first.click()
    await page.locator(".notice .value").first.wait_for()
    await page.locator("select[name=model]").select_option(label="Wan 2.5")
    await page.locator(".more").click()
    assert _violations(await axe.run(page)) == []
    await page.locator("button.delete").first.click()
    await page.locator("dialog[open]").wait_for()
    assert _violations(await axe.run(page)) == []


def _violations(results: object) -> list[object]:
    found = results.response["violations"]  # type: ignore[attr-defined]
    return [
        (each["id"], [(node["html"], node["failureSummary"]) for node in each["nodes"]])
        for each in found
    ]


@pytest.mark.proof
async def test_on_a_flat_screen_a_long_prompt_leaves_room_for_the_conversation(
    address: str, visit: NewPage
) -> None:
    page = await visit(address, viewport={"width": 390, "height": 300})
    await page.locator("#words").fill("a long prompt " * 60)
    box = await page.locator(".scroll").bounding_box()
    assert box is not None
    assert box["height"] > 80


@pytest.mark.proof
async def test_on_a_phone_each_placeholder_fits_and_the_options_hint_that_they_go_on(
    address: str, visit: NewPage
) -> None:
    page = await visit(address, **PHONE)
    words, options = page.locator("#words"), page.locator(".options")
    await expect(options).to_have_class("options further")
    await options.evaluate("(row) => { row.scrollLeft = 9999; }")
    await expect(options).to_have_class("options")
    fits = """(field) => {
        const style = getComputedStyle(field);
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        const sides = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
        return pen.measureText(field.placeholder).width <= field.clientWidth - sides;
    }"""
    assert await words.evaluate(fits)
    await page.locator("input[type=file]").set_input_files(PICTURE)
    assert await words.evaluate(fits)
    await page.locator(".chip").click()
    assert await words.evaluate(fits)


@pytest.mark.proof
async def test_notices_do_not_pile_up(address: str, visit: NewPage) -> None:
    page = await visit(address)
    for command, said in {
        "help": "I make videos",
        "jobs": "Nothing of yours",
        "history": "Nothing yet",
        "quota": "What you may have",
        "models": "These models",
    }.items():
        await say(page, f"/{command}")
        await expect(page.locator(".notice", has_text=said)).to_have_count(1)
    await expect(page.locator(".notice")).to_have_count(3)


@pytest.mark.proof
async def test_a_room_with_a_note_shows_it_also_on_a_phone(house: House, visit: NewPage) -> None:
    async with open_app(house.config(), note="Videos here are real.") as address:
        page = await visit(address, **PHONE)
        await expect(page.get_by_text("Videos here are real.")).to_be_visible()


@pytest.mark.proof
async def test_motion_rests_for_those_who_ask(address: str, visit: NewPage) -> None:
    page = await visit(address, reduced_motion="reduce")
    running = await page.evaluate("() => document.getAnimations().length")
    assert running == 0


@pytest.mark.proof
async def test_the_room_is_told_of_as_a_log_with_names(address: str, visit: NewPage) -> None:
    page = await visit(address)
    log = page.get_by_role("log", name="Conversation")
    await expect(log).to_have_count(1)
    await say(page, "a cat")
    await page.locator("video").wait_for()
    await expect(log.get_by_role("article", name="Ann said: a cat")).to_have_count(1)
    await expect(log.get_by_role("article", name="Zoetrope said")).to_have_count(1)

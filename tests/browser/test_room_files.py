"""Pictures and sounds that people add in the room's page."""

import asyncio
import base64

import pytest
from PIL import Image
from playwright.async_api import FilePayload, Page, Route, expect

from tests.browser.chromium import Watch
from tests.browser.conftest import NewPage
from tests.browser.room import PICTURE, become, say
from tests.e2e.house import House
from tests.e2e.world import png
from tests.unit.media.heif import heic

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SOUND = FilePayload(name="voice.ogg", mimeType="audio/ogg", buffer=b"OggS")


@pytest.mark.proof
async def test_a_picture_added_by_button_is_animated_without_a_prompt(
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
async def test_a_sound_is_refused_where_no_model_takes_sounds(address: str, visit: NewPage) -> None:
    page = await visit(address)
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await page.locator("input[type=file]").set_input_files(SOUND)
    await expect(page.locator(".notice")).to_contain_text("I can't use that file as a picture.")
    await expect(page.locator(".attached")).to_have_count(1)


async def test_a_heic_picture_that_the_browser_cannot_show_is_shown_as_the_rooms_copy(
    address: str, visit: NewPage
) -> None:
    """The copy is shown instead, and still after the composer is drawn again."""
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


async def test_a_damaged_picture_is_shown_as_a_tile_with_its_name(
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
async def test_of_three_files_added_at_once_two_are_taken_and_the_third_is_named_as_left_out(
    address: str, visit: NewPage, event: str
) -> None:
    page = await visit(address)
    await _files(page, event, "sea.png", "sky.png", "sand.png")
    await expect(page.locator(".attached")).to_have_text(
        ["Begins with sea.png", "Ends with sky.png"]
    )
    await expect(page.locator(".notice")).to_contain_text("so I left out sand.png.")


async def _files(page: Page, event: str, *names: str) -> None:
    """Paste or drop pictures on the composer. `event` is the name of the DOM event."""
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
async def test_a_pasted_or_dropped_picture_is_animated(
    address: str, visit: NewPage, event: str
) -> None:
    page = await visit(address)
    await _files(page, event)
    await expect(page.locator(".attached")).to_contain_text("sea.png")
    await say(page, "it waves")
    await expect(page.locator("article img.picture")).to_be_visible()
    await page.locator("video").wait_for()


@pytest.mark.proof
async def test_a_reply_to_a_picture_animates_that_picture(
    house: House, address: str, visit: NewPage
) -> None:
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
async def test_a_picture_that_somebody_else_posted_is_not_animated(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await page.locator("#words").press("Backspace")
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await say(page, "mine")
    await become(page, "Bob")
    await page.locator("article").get_by_role("button", name="Animate").click()
    await say(page, "")
    await expect(page.locator(".notice")).to_contain_text("Somebody else posted that picture")
    assert house.simulator.charges == 0


@pytest.mark.proof
async def test_a_file_that_is_no_picture_is_refused_with_a_notice(
    address: str, visit: NewPage, watch: Watch
) -> None:
    page = await visit(address)
    fake = FilePayload(name="cat.png", mimeType="image/png", buffer=b"no picture at all")
    await page.locator("input[type=file]").set_input_files(fake)
    await expect(page.locator(".notice")).to_contain_text("That file is not a picture")
    (answered,) = watch.complaints
    assert "415" in answered
    watch.complaints.clear()
    await expect(page.locator(".attached")).to_have_count(0)


@pytest.mark.proof
async def test_prompt_and_picture_stay_in_the_composer_until_the_upload_succeeds(
    house: House, address: str, visit: NewPage, watch: Watch
) -> None:
    page = await visit(address)
    await page.route("**/pictures*", lambda route: route.abort())
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await expect(page.locator(".notice")).to_contain_text("did not arrive")
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
async def test_the_prompt_stays_in_the_composer_if_the_picture_is_refused(
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
    await expect(page.locator(".notice")).to_contain_text("That file is not a picture")
    await expect(page.locator("#words")).to_have_value("it waves")
    await expect(page.locator("#words")).to_be_editable()
    await expect(page.locator(".attached")).to_have_count(0)
    await expect(page.locator("article")).to_have_count(0)
    watch.complaints.clear()

"""The room in a real browser: an order from prompt to video, buttons, and several people."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.chromium import Watch
from tests.browser.conftest import NewPage
from tests.browser.room import become, queued, say, stuck
from tests.e2e.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


# --- an order from prompt to video ---------------------------------------------------------------


async def test_a_typed_prompt_becomes_a_video_that_plays_to_its_end_and_seeks(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await expect(page.get_by_role("heading", name="What would you like to see?")).to_be_visible()
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
    await expect(page.locator(".card.video")).to_contain_text("AI-generated · Sora 2 · for Ann")
    await expect(page.locator("article")).to_have_count(2)


@pytest.mark.proof
async def test_original_file_downloads_the_original_from_the_gateway(
    address: str, visit: NewPage
) -> None:
    """The room shows a conversion of a WebM video. "Original file" gives the WebM file."""
    page = await visit(address)
    await say(page, "a cat on the moon [content-webm]")
    await page.locator("video").wait_for()
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Download").click()
    file = await coming.value
    assert file.suggested_filename.endswith(".webm")
    assert Path(await file.path()).read_bytes().startswith(b"\x1a\x45\xdf\xa3")


@pytest.mark.proof
async def test_html_in_a_typed_prompt_is_shown_as_text(address: str, visit: NewPage) -> None:
    page = await visit(address)
    prompt = "<img src=x onerror=alert(1)> <b>bold</b> {name} \x02person:bob\x03"
    await say(page, prompt)
    await page.locator("video").wait_for()
    assert await page.locator("article img, article b b").count() == 0
    await expect(page.locator(".theirs .text")).to_contain_text("<b>bold</b> {name}")


async def test_the_rooms_content_security_policy_blocks_inline_script(
    address: str, visit: NewPage, watch: Watch
) -> None:
    """A negative control for HTML in a prompt: inline code in the page does not run."""
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
async def test_cancel_before_the_gateway_has_the_order_costs_nothing(
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
async def test_remix_makes_a_second_video_from_an_edited_prompt(
    address: str, visit: NewPage
) -> None:
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
async def test_continue_makes_a_second_video_from_the_last_frame(
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
async def test_delete_asks_for_confirmation_and_removes_the_video_in_every_window(
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
async def test_bob_cannot_cancel_anns_job_and_only_bob_sees_the_refusal(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    await say(page, "a cat")
    await queued(page)
    await become(page, "Bob")
    await page.get_by_role("button", name="Cancel").click()
    notice = page.get_by_text("That order belongs to somebody else.")
    await expect(notice).to_be_visible()
    await expect(page.get_by_text("Only Bob sees this")).to_be_visible()
    await become(page, "Ann")
    await expect(notice).to_be_hidden()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".card")).to_contain_text("Cancelled.")


@pytest.mark.proof
async def test_ann_as_moderator_cancels_bobs_job(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    await become(page, "Bob")
    await say(page, "a cat")
    await queued(page)
    await become(page, "Ann")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".card")).to_contain_text(
        "An admin or the operator cancelled this order."
    )


@pytest.mark.proof
async def test_each_person_in_the_room_has_separate_limits(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    for text in ("one", "two", "three"):
        await say(page, text)
    await expect(page.locator(".notice")).to_contain_text("at once for you")
    await become(page, "Bob")
    await say(page, "four")
    await expect(page.locator(".card")).to_have_count(3)

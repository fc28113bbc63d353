"""The room's page after a reload, a restart or an outage."""

import asyncio

import pytest
from playwright.async_api import expect

from bot.simulator.faults import Fault
from tests.browser.conftest import NewPage
from tests.browser.room import PICTURE, say, stuck
from tests.e2e.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def test_a_reload_while_a_video_is_made_loses_nothing(
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
async def test_a_restart_of_the_server_while_a_video_is_made_loses_nothing(
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
async def test_a_text_that_the_server_cannot_read_gets_a_notice_and_is_not_sent_again(
    house: House, address: str, visit: NewPage
) -> None:
    page = await visit(address)
    words = page.locator("#words")
    await words.evaluate("(field) => { field.value = 'half a \\ud83d cat'; }")
    await words.press("Enter")
    await expect(page.locator(".notice")).to_contain_text("could not read what you sent")
    await expect(page.locator(".notice")).to_contain_text("half a")
    await say(page, "a dog")
    await page.locator("video").wait_for()
    await expect(page.locator(".notice")).to_have_count(1)
    assert house.simulator.charges == 1


@pytest.mark.proof
async def test_a_refused_order_is_back_in_the_composer_and_not_in_the_conversation(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    await say(page, "one")
    await say(page, "two")
    await expect(page.locator(".card")).to_have_count(2)
    await page.locator("input[type=file]").set_input_files(PICTURE)
    await say(page, "three")
    await expect(page.locator(".notice")).to_contain_text("at once for you")
    await expect(page.locator("#words")).to_have_value("three")
    await expect(page.locator(".attached")).to_contain_text("sea.png")
    await expect(page.locator(".chip")).to_contain_text("/animate")
    await expect(page.locator(".theirs")).to_have_count(2)


@pytest.mark.proof
async def test_a_refused_prompt_is_quoted_in_the_notice_if_the_composer_has_new_text(
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
async def test_an_order_typed_while_the_server_is_down_is_shown_and_sent_after_a_reload(
    house: House, visit: NewPage
) -> None:
    async with house.open() as address:
        page = await visit(address)
    await expect(page.locator(".banner")).to_contain_text("The room is closed.")
    await say(page, "a dog")
    await expect(page.locator(".pending")).to_contain_text("a dog")
    await expect(page.locator(".pending")).to_contain_text("waiting to be sent")
    await page.evaluate("() => { WebSocket.prototype.send = () => {}; }")  # until the reload
    async with house.open():
        await page.reload()
        await expect(page.locator("video")).to_have_count(1)
        await expect(page.locator(".pending")).to_have_count(0)
        await expect(page.locator(".theirs")).to_have_count(1)
    assert house.simulator.charges == 1


@pytest.mark.proof
async def test_the_estimated_progress_stands_still_while_the_server_is_down(
    house: House, visit: NewPage
) -> None:
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

"""The room's page on small screens and for people with assistive technology."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from bot.app import open_app
from tests.browser.conftest import NewPage
from tests.browser.room import PICTURE, say
from tests.e2e.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PHONE = {
    "viewport": {"width": 360, "height": 640},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}


@pytest.mark.proof
async def test_nothing_on_the_page_is_wider_than_a_phone(address: str, visit: NewPage) -> None:
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
async def test_axe_finds_no_accessibility_problem_in_the_room(
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
    """Return the rules that axe found broken, with the elements and the reasons."""
    found = results.response["violations"]  # type: ignore[attr-defined]
    return [
        (each["id"], [(node["html"], node["failureSummary"]) for node in each["nodes"]])
        for each in found
    ]


@pytest.mark.proof
async def test_on_a_low_screen_a_long_prompt_leaves_height_for_the_conversation(
    address: str, visit: NewPage
) -> None:
    page = await visit(address, viewport={"width": 390, "height": 300})
    await page.locator("#words").fill("a long prompt " * 60)
    box = await page.locator(".scroll").bounding_box()
    assert box is not None
    assert box["height"] > 80


@pytest.mark.proof
async def test_on_a_phone_each_placeholder_fits_and_the_row_of_options_shows_that_more_follow(
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
async def test_at_most_three_notices_are_shown_after_five_commands(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    for command, said in {
        "help": "I make videos",
        "jobs": "You have no orders under way",
        "history": "You have no videos yet",
        "quota": "Your limits here",
        "models": "Models that you can use here",
    }.items():
        await say(page, f"/{command}")
        await expect(page.locator(".notice", has_text=said)).to_have_count(1)
    await expect(page.locator(".notice")).to_have_count(3)


@pytest.mark.proof
async def test_a_room_with_a_note_shows_the_note_on_a_phone_too(
    house: House, visit: NewPage
) -> None:
    async with open_app(house.config(), note="Videos here are real.") as address:
        page = await visit(address, **PHONE)
        await expect(page.get_by_text("Videos here are real.")).to_be_visible()


@pytest.mark.proof
async def test_no_animation_runs_if_the_browser_prefers_reduced_motion(
    address: str, visit: NewPage
) -> None:
    page = await visit(address, reduced_motion="reduce")
    running = await page.evaluate("() => document.getAnimations().length")
    assert running == 0


@pytest.mark.proof
async def test_the_conversation_is_a_log_whose_articles_name_their_speaker(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    log = page.get_by_role("log", name="Conversation")
    await expect(log).to_have_count(1)
    await say(page, "a cat")
    await page.locator("video").wait_for()
    await expect(log.get_by_role("article", name="Ann said: a cat")).to_have_count(1)
    await expect(log.get_by_role("article", name="Zoetrope said")).to_have_count(1)

"""The palette, the keyboard, lists and menus of the room's page."""

import json

import pytest
from playwright.async_api import FilePayload, expect

from tests.browser.conftest import NewPage
from tests.browser.room import PICTURE, become, queued, say, stuck
from tests.e2e.house import House
from tests.e2e.world import png

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


# --- the palette and the keyboard ----------------------------------------------------------------


async def test_text_typed_without_focus_goes_to_the_composer(address: str, visit: NewPage) -> None:
    page = await visit(address)
    await page.keyboard.type("a cat ")
    await become(page, "Bob")
    await page.keyboard.type("on ")
    await page.locator(".log").click(force=True, position={"x": 1, "y": 1})
    await page.keyboard.type("the moon")
    await expect(page.locator("#words")).to_have_value("a cat on the moon")


@pytest.mark.proof
async def test_arrow_keys_move_through_the_palette_of_commands_and_escape_closes_the_palette(
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
    await expect(page.locator("[aria-selected=true]")).to_contain_text("write a message")
    await page.keyboard.press("Escape")
    await expect(page.locator("#palette")).to_be_hidden()
    await expect(words).to_have_value("")


@pytest.mark.proof
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("jobs", "You have no orders under way"),
        ("history", "You have no videos yet"),
        ("quota", "Used today: 0 of 10 videos"),
        ("models", "Sora 2"),
        ("help", "/animate"),
    ],
)
async def test_the_answer_to_a_private_command_appears_only_in_the_window_that_asked(
    address: str, visit: NewPage, command: str, said: str
) -> None:
    page, other = await visit(address), await visit(address)
    await say(page, f"/{command}")
    await expect(page.locator(".notice")).to_contain_text(said)
    await expect(other.locator(".notice")).to_have_count(0)


@pytest.mark.proof
async def test_the_menus_offer_what_any_model_of_the_chosen_family_makes(
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


async def test_the_menus_offer_only_aspect_ratios_and_lengths_that_the_family_takes(
    house: House, visit: NewPage
) -> None:
    """A family that its maker has ended says so in the menu, as in every other list."""
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
        await expect(model).to_contain_text("Sora 2")
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
async def test_the_menus_show_a_sound_or_watermark_switch_only_for_a_model_that_has_it(
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
        await page.locator("select[name=model]").select_option(label="Sora 2")
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
async def test_a_video_can_be_ordered_and_remixed_by_keyboard_alone(
    house: House, address: str, visit: NewPage
) -> None:
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


async def test_a_setting_can_be_chosen_by_keyboard_and_its_menu_updates_in_place(
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
async def test_history_posts_a_copy_of_a_video_and_delete_removes_video_and_copy(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    await say(page, "a cat")
    await page.locator("video").wait_for()
    await say(page, "/history")
    await page.get_by_role("button", name="a cat").click()
    await page.get_by_role("link", name="Go to message").click()
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
async def test_a_private_result_is_shown_only_to_the_person_who_ordered(
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
async def test_a_job_is_cancelled_from_the_list_of_jobs(
    house: House, address: str, visit: NewPage
) -> None:
    stuck(house)
    page = await visit(address)
    await say(page, "a cat")
    await queued(page)
    await say(page, "/jobs")
    await page.get_by_role("button", name="Stop 1").click()
    await expect(page.locator(".notice")).to_contain_text("You have no orders under way")
    await expect(page.locator(".notice")).to_have_count(1)
    await expect(page.locator(".card")).to_contain_text("Cancelled.")


@pytest.mark.proof
async def test_a_cancel_command_without_an_answer_is_not_sent_again_after_a_reconnect(
    house: House, address: str, visit: NewPage
) -> None:
    """Sent again, /cancel would stop a second video."""
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


async def test_two_added_pictures_become_the_first_and_the_last_frame(
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
    await page.get_by_role("button", name="More options").click()
    await page.locator("select[name=fit]").select_option(label="Whole, between bars")
    await page.locator("input[name=seed]").fill("7")
    await say(page, "the sun sets")
    post = await house.simulator.next("create")
    await expect(page.locator(".pictures img")).to_have_count(2)
    assert post.metadata["seed"] == 7


@pytest.mark.proof
async def test_the_more_button_shows_that_a_hidden_option_is_set(
    address: str, visit: NewPage
) -> None:
    page = await visit(address)
    more = page.get_by_role("button", name="More options")
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
    await page.locator("select[name=model]").select_option(label="Sora 2")
    await expect(more).to_be_hidden()

"""A character kept through several orders, and videos changed and continued, on the room's page."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Page, expect

from bot.simulator.journal import Entry
from bot.simulator.profiles import NEW_API_C
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.browser.chromium import Watch
from tests.browser.conftest import NewPage
from tests.browser.room import say
from tests.contract.test_uses import PLUGGED, media
from tests.e2e.house import House
from tests.e2e.world import png
from tests.unit.media.samples import write_video

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

MADE = 60_000.0
"""Milliseconds until a test gives up on a video: these are larger than those of other tests."""
COLOURS = ("red", "green", "blue")
STORY = ("Mia walks in the rain", "Mia rides a bicycle", "Mia opens a door")


@pytest_asyncio.fixture(loop_scope="session")
async def plugged(tmp_path: Path, renderer: Renderer) -> AsyncIterator[House]:
    """Yield the service at a gateway whose models keep characters and take videos."""
    simulator = Simulator(profile=NEW_API_C, render_time=0.2, renderer=renderer)
    async with simulator.serve() as url:
        yield House(simulator=simulator, gateway_url=url, folder=tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def there(plugged: House) -> AsyncIterator[str]:
    async with plugged.open(**PLUGGED, LIMITS__PERSON_AT_ONCE="9") as address:
        yield address


@pytest.fixture
def run(tmp_path: Path) -> FilePayload:
    """Return a real video of three seconds."""
    path = tmp_path / "run.mp4"
    write_video(path, seconds=3)
    return FilePayload(name="run.mp4", mimeType="video/mp4", buffer=path.read_bytes())


def cast() -> list[FilePayload]:
    return [
        FilePayload(name=f"{each}.png", mimeType="image/png", buffer=png(each)) for each in COLOURS
    ]


def orders(house: House) -> list[Entry]:
    return [each for each in house.simulator.journal if each.operation == "create"]


async def attach(page: Page, *files: FilePayload) -> None:
    await page.locator("input[type=file]").set_input_files(list(files))


@pytest.mark.proof
async def test_a_character_is_kept_through_three_orders_by_remix(
    plugged: House, there: str, visit: NewPage
) -> None:
    page = await visit(there)
    await attach(page, *cast())
    await expect(page.locator(".chip")).to_contain_text("/character")
    await expect(page.locator(".attached img")).to_have_count(3)
    await say(page, STORY[0])
    await expect(page.locator("article video")).to_have_count(1, timeout=MADE)
    for count, words in enumerate(STORY[1:], 2):
        await page.get_by_role("button", name="Remix").last.click()
        await page.locator("dialog textarea").fill(words)
        await page.locator("dialog .main").click()
        await expect(page.locator("article video")).to_have_count(count, timeout=MADE)
    made = orders(plugged)
    assert [media(each) for each in made] == [["reference_image"] * 3] * 3
    first, *later = [each.built["pictures"] for each in made if each.built]
    assert all(each == first for each in later), "the vendor got the same pictures each time"
    assert [_prompt(each) for each in made] == list(STORY)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("command", "name", "kind", "needs"),
    [
        ("edit", "x.mp4", "video/mp4", "Please attach a video"),
        ("character", "x.png", "image/png", "Please attach a picture"),
    ],
)
async def test_words_are_not_ordered_alone_after_their_file_was_refused(
    plugged: House,
    there: str,
    visit: NewPage,
    watch: Watch,
    command: str,
    name: str,
    kind: str,
    needs: str,
) -> None:
    page = await visit(there)
    await say(page, f"/{command}")
    await attach(page, FilePayload(name=name, mimeType=kind, buffer=b"no such file"))
    await expect(page.locator(".notice")).to_have_count(1)
    await expect(page.locator(".attached")).to_have_count(0)
    watch.complaints.clear()
    await expect(page.locator(".chip")).to_contain_text(f"/{command}")
    await say(page, "it snows")
    await expect(page.locator(".notice").last).to_contain_text(needs)
    assert not orders(plugged)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("command", "chip", "role"),
    [("edit", "/edit", "reference_video"), ("extend", "/extend", "first_clip")],
)
async def test_an_attached_video_is_changed_or_continued(
    plugged: House, there: str, visit: NewPage, run: FilePayload, command: str, chip: str, role: str
) -> None:
    page = await visit(there)
    await attach(page, run)
    await expect(page.locator(".attached video")).to_be_visible()
    await say(page, f"/{command} it snows [fail]")
    await expect(page.locator("article .command")).to_have_text(chip)
    await expect(page.locator("article video.clip")).to_be_visible()
    await expect(page.locator(".card")).to_be_visible()
    assert media(await plugged.simulator.next("create")) == [role]


@pytest.mark.proof
async def test_a_reply_to_a_video_chooses_the_command_that_changes_it(
    plugged: House, there: str, visit: NewPage
) -> None:
    page = await visit(there)
    await say(page, "a cat")
    await plugged.simulator.next("create")
    await expect(page.locator("article video")).to_have_count(1, timeout=MADE)
    await page.locator(".card").get_by_role("button", name="Reply").click()
    await expect(page.locator(".chip")).to_contain_text("/edit")
    await page.locator(".attached button").click()
    await expect(page.locator(".chip")).to_contain_text("/video")
    await page.locator(".card").get_by_role("button", name="Reply").click()
    await say(page, "it snows [fail]")
    await expect(page.locator("article .command").last).to_have_text("/edit")
    assert media(await plugged.simulator.next("create")) == ["reference_video"]


@pytest.mark.proof
async def test_a_command_without_its_file_or_words_says_what_it_needs(
    there: str, visit: NewPage
) -> None:
    page = await visit(there)
    notices = page.locator(".notice").last
    await say(page, "/edit it snows")
    await expect(notices).to_contain_text("attach a video, or reply to one")
    await say(page, "/character they dance")
    await expect(notices).to_contain_text("attach a picture, or reply to one")
    await attach(page, *cast())
    await say(page, "")
    await expect(notices).to_contain_text("write what should happen")
    await expect(page.locator(".attached img")).to_have_count(3)


def _prompt(entry: Entry) -> object:
    assert entry.built is not None
    fields = entry.built["fields"]
    assert isinstance(fields, dict)
    return fields["input"]["prompt"]

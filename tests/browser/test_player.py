"""The player page in a real browser, with a real video behind a signed link."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Response, expect

from bot.core.jobs import Job, Status
from bot.core.links import Signer
from bot.media.studio import Studio
from bot.web.pages import Pages
from bot.web.server import serve
from tests.browser.chromium import Watch
from tests.browser.conftest import NewPage
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import job
from tests.unit.media.samples import write_video

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NewClip = Callable[[int, int], Path]

PUBLIC = "https://example.com"
LIFETIME = 3600.0
SECONDS = 12
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
LONG = "The camera drifts past a sleeping cat and a stack of letters. " * 40 + "x" * 300


@dataclass
class Wall:
    """A web server with the player page of one video."""

    clock: FakeClock
    pages: Pages
    jobs: dict[str, Job]
    address: str

    def link(self, prompt: str = "a cat on the moon") -> str:
        """Return a new link to the video, whose prompt becomes `prompt`."""
        (made,) = self.jobs.values()
        self.jobs[made.id] = replace(made, request=replace(made.request, prompt=prompt))
        link = self.pages.link(made)
        assert link is not None
        return self.address + link.url.removeprefix(PUBLIC)


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> NewClip:
    """Return a function that makes a video of the given size, once for each size.

    The video is large because it shows noise, and has its index at its end.
    """

    @cache
    def clip(width: int, height: int) -> Path:
        path = tmp_path_factory.mktemp("videos") / "video.mp4"
        return write_video(path, width=width, height=height, seconds=SECONDS)

    return clip


@pytest_asyncio.fixture(loop_scope="session", params=[(640, 360)], ids=["wide"])
async def wall(
    request: pytest.FixtureRequest, videos: NewClip, tmp_path: Path
) -> AsyncIterator[Wall]:
    """Yield the server with a video of the given size, by default 640 by 360."""
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(Studio(tmp_path))
        video = await studio.keep_video(videos(*request.param))
        made = replace(job(), status=Status.DELIVERED, video=video)
        jobs = {made.id: made}

        async def get_job(id_: str) -> Job | None:
            return jobs.get(id_)

        clock = FakeClock()
        pages = Pages(
            get_job=get_job,
            media=studio,
            signer=Signer({"a": b"k" * 32}),
            clock=clock,
            public_url=PUBLIC,
            lifetime=LIFETIME,
        )
        address = await stack.enter_async_context(serve(pages.routes, host="127.0.0.1", port=0))
        yield Wall(clock, pages, jobs, address)


async def test_the_player_page_shows_the_poster_plays_the_video_and_seeks(
    wall: Wall, open_page: NewPage
) -> None:
    link = wall.link()
    page = await open_page(link)
    await expect(page.get_by_role("heading", name="a cat on the moon")).to_be_visible()
    await expect(page.get_by_text("AI-generated · Wan · for Ann")).to_be_visible()
    await expect(page.get_by_text("This link works until Jan 15, 2026, 13:00 UTC.")).to_be_visible()
    video = page.locator("video")
    assert await _loads(page, await video.get_attribute("poster") or "")
    place = await video.evaluate(
        """async (video) => {
            video.muted = true;
            await video.play();
            video.pause();
            const seeked = new Promise((done) => video.addEventListener("seeked", done));
            video.currentTime = 9;
            await seeked;
            return [video.currentTime, Math.round(video.duration), video.videoWidth];
        }"""
    )
    assert place == [9, SECONDS, 640]


async def _loads(page: Page, picture: str) -> bool:
    loaded = await page.evaluate(
        """async (source) => {
            const picture = new Image();
            picture.src = source;
            await picture.decode();
            return picture.naturalWidth === 640;
        }""",
        picture,
    )
    return loaded is True


@pytest.mark.proof
async def test_the_browser_fetches_the_video_in_ranges(wall: Wall, open_page: NewPage) -> None:
    page = await open_page(f"{wall.address}/healthz")
    answers: list[Response] = []
    page.on("response", lambda each: answers.append(each) if ".mp4" in each.url else None)
    await page.goto(wall.link())
    await page.locator("video").evaluate(
        "(video) => { video.preload = 'auto'; video.currentTime = 10 }"
    )
    await page.wait_for_function("() => document.querySelector('video').readyState >= 3")
    assert {each.status for each in answers} == {206}
    starts = {each.headers["content-range"].split("-")[0] for each in answers}
    assert len(starts) > 1, "it jumped to the index and to the place it wanted"


@pytest.mark.proof
async def test_opening_the_address_of_the_mp4_alone_plays_the_video(
    wall: Wall, open_page: NewPage
) -> None:
    """Chats and phones pass on the address of the MP4 itself; the browser builds a page around the
    video.
    """
    page = await open_page(f"{wall.link()}.mp4")
    await page.wait_for_function("() => document.querySelector('video').readyState >= 2")


@pytest.mark.proof
async def test_the_copy_and_the_original_download_as_whole_named_files(
    wall: Wall, open_page: NewPage, videos: NewClip
) -> None:
    """This video has its index at its end.

    The copy has the index in front; the original is unchanged.
    """
    page = await open_page(wall.link())
    files = []
    for link in ("Download", "Original file"):
        async with page.expect_download() as coming:
            await page.get_by_role("link", name=link).click()
        download = await coming.value
        assert download.suggested_filename == "zoetrope-aaaabbbbccccdddd.mp4"
        files.append((await download.path()).read_bytes())
    copy, original = files
    assert original == videos(640, 360).read_bytes()
    assert copy.index(b"moov") < copy.index(b"mdat")


@pytest.mark.proof
async def test_a_long_prompt_opens_by_keyboard_and_does_not_move_the_video_or_the_button(
    wall: Wall, open_page: NewPage
) -> None:
    page = await open_page(wall.link(LONG), **DESKTOP)
    whole = page.get_by_text(LONG)
    await expect(whole).to_be_hidden()
    places = [await page.locator(each).bounding_box() for each in ("video", ".button")]
    await page.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(whole).to_be_visible()
    await page.evaluate("() => scrollTo(0, 0)")
    assert [await page.locator(each).bounding_box() for each in ("video", ".button")] == places


@pytest.mark.proof
@pytest.mark.parametrize(
    "wall", [(640, 360), (360, 640), (640, 200)], indirect=True, ids=["wide", "tall", "flat"]
)
async def test_the_video_and_the_download_button_are_visible_without_scrolling(
    wall: Wall, open_page: NewPage
) -> None:
    for window in (PHONE, DESKTOP):
        page = await open_page(wall.link("a very long prompt without end " * 4), **window)
        for what in ("video", ".button"):
            await expect(page.locator(what)).to_be_in_viewport(ratio=1)
        await page.goto(wall.link(LONG))
        await page.locator("summary").click()
        assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.proof
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_accessibility_problem_on_the_player_page_and_its_404_page(
    wall: Wall, open_page: NewPage, watch: Watch, scheme: str
) -> None:
    page = await open_page(wall.link(LONG), color_scheme=scheme, **PHONE)
    await page.locator("summary").click()
    assert _violations(await Axe().run(page)) == []
    await page.goto(wall.link()[:-1])
    assert _violations(await Axe().run(page)) == []
    watch.complaints.clear()  # the console reports a page with status 404


def _violations(results: object) -> list[object]:
    """Return the rules that axe found broken, with the elements."""
    found = results.response["violations"]  # type: ignore[attr-defined]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


@pytest.mark.proof
async def test_an_expired_link_shows_a_404_page_that_says_there_is_no_video(
    wall: Wall, open_page: NewPage, watch: Watch
) -> None:
    page = await open_page(wall.link())
    await wall.clock.advance(LIFETIME)
    answer = await page.reload()
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="There is no video here.")).to_be_visible()
    assert await page.locator("video").count() == 0
    (told,) = watch.complaints
    assert "404" in told
    watch.complaints.clear()


@pytest.mark.proof
async def test_html_in_a_prompt_is_shown_as_text_and_does_not_run(
    wall: Wall, open_page: NewPage
) -> None:
    hostile = "<img src=x onerror=alert(1)> <script>window.ran = 1</script>"
    page = await open_page(wall.link(hostile))
    await expect(page.get_by_role("heading", name=hostile)).to_be_visible()
    assert await page.evaluate("() => window.ran") is None


@pytest.mark.proof
async def test_the_player_pages_content_security_policy_blocks_inline_script_and_style(
    wall: Wall, open_page: NewPage, watch: Watch
) -> None:
    """A negative control for HTML in a prompt: even HTML that got into the page would not run."""
    page = await open_page(wall.link())
    outcome = await page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            const style = document.createElement("style");
            style.textContent = "h1 { display: none }";
            document.body.append(script, style);
            return [window.ran === true, getComputedStyle(document.querySelector("h1")).display];
        }"""
    )
    assert outcome == [False, "block"]
    assert len(watch.complaints) == 2
    watch.complaints.clear()

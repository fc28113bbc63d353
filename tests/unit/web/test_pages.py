"""The player page, over real connections; no request may log an error."""

import base64
import hashlib
import re
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import urljoin

import pytest

from bot.core.links import Signer
from tests.unit.core.orders import changed
from tests.unit.web.house import LIFETIME, MP4, PUBLIC, STILL, House, serve_pages

pytestmark = pytest.mark.usefixtures("no_errors")

# --- the thumbnail -------------------------------------------------------------------------------


async def test_the_thumbnail_opens_with_the_signature_of_the_page(house: House) -> None:
    async with house.session.get(f"{house.link}.jpg") as response:
        assert (response.status, response.content_type) == (200, "image/jpeg")
        assert await response.read() == STILL


async def test_the_page_of_a_video_without_a_thumbnail_links_to_no_thumbnail(house: House) -> None:
    house.change(video=replace(house.video, thumbnail=None))
    status, _, page = await house.page()
    assert (status, "poster" in page, ".jpg" in page) == (200, False, False)
    assert (await house.page(f"{house.link}.jpg"))[0] == 404


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/zoe", "/a/b"])
async def test_the_player_page_loads_its_files_under_any_path_prefix(
    tmp_path: Path, prefix: str
) -> None:
    async with serve_pages(tmp_path, prefix=prefix) as house:
        _, _, page = await house.page()
        own = re.findall(r'(?:src|href|poster)="(?!data:)([^"]+)"', page)
        assert len(own) == 3, "the player, its poster and the download"
        for reference in own:
            async with house.session.get(urljoin(house.link, reference)) as response:
                wanted = STILL if reference.endswith(".jpg") else MP4
                assert (response.status, await response.read()) == (200, wanted)
        path = house.link[house.link.index("/v/") :]
        assert (await house.tags())["og:video"] == f"https://example.com{prefix}{path}.mp4"


async def test_the_player_page_has_the_tags_by_which_chats_embed_the_video(house: House) -> None:
    address = PUBLIC + house.link[house.link.index("/v/") :]
    assert await house.tags() == {
        "viewport": "width=device-width, initial-scale=1",
        "color-scheme": "light dark",
        "robots": "noindex",
        "theme-color": "#c8553d",
        "og:site_name": "Zoetrope",
        "og:type": "video.other",
        "og:title": "a cat",
        "og:description": "AI-generated · Wan · for Ann",
        "og:image": f"{address}.jpg",
        "og:image:type": "image/jpeg",
        "og:image:width": "1280",
        "og:image:height": "720",
        "twitter:image": f"{address}.jpg",
        "og:video": f"{address}.mp4",
        "og:video:secure_url": f"{address}.mp4",
        "og:video:type": "video/mp4",
        "og:video:width": "1920",
        "og:video:height": "1080",
        "twitter:card": "player",
        "twitter:player": f"{address}.mp4",
        "twitter:player:width": "1920",
        "twitter:player:height": "1080",
        "twitter:player:stream": f"{address}.mp4",
        "twitter:player:stream:content_type": "video/mp4",
    }


async def test_without_a_public_url_no_tag_of_the_page_holds_an_address(tmp_path: Path) -> None:
    """The page itself still plays, because its own links are relative."""
    async with serve_pages(tmp_path, public_url=None) as house:
        tags = await house.tags()
        assert {name for name in tags if name.startswith(("og:", "twitter:"))} == {
            "og:site_name",
            "og:type",
            "og:title",
            "og:description",
        }
        assert house.pages.link(house.job) is None


async def test_a_public_url_without_https_is_not_tagged_as_secure(tmp_path: Path) -> None:
    async with serve_pages(tmp_path, public_url="http://example.com") as house:
        tags = await house.tags()
    assert tags["og:video"].startswith("http://example.com/v/")
    assert "og:video:secure_url" not in tags


async def test_a_new_link_opens_the_page_until_the_time_that_the_page_names(tmp_path: Path) -> None:
    async with serve_pages(tmp_path) as house:
        link = house.pages.link(house.job)
        assert link is not None
        assert link.expires_at == house.clock.now() + LIFETIME
        here = house.link[: house.link.index("/v/")] + link.url.removeprefix(PUBLIC)
        status, _, page = await house.page(here)
        assert status == 200
        moment = '<time datetime="2026-01-18T12:00:00+00:00">Jan 18, 2026, 12:00 UTC</time>'
        assert f"This link works until {moment}." in page
        await house.clock.advance(LIFETIME - 1)
        assert (await house.page(here))[0] == 200
        await house.clock.advance(1)
        assert (await house.page(here))[0] == 404


async def test_the_player_page_may_not_be_cached(house: House) -> None:
    """The video of a cached page may have been deleted in the meantime."""
    _, headers, _ = await house.page()
    assert headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("gone", [False, True])
async def test_the_pages_policy_allows_only_its_own_style(house: House, gone: bool) -> None:
    _, headers, page = await house.page(f"{house.link}0" if gone else "")
    (style,) = re.findall(r"<style>(.*)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert not re.search(r"<script|\son\w+=|\sstyle=", page)


HOSTILE = '</h1><script>alert(1)</script> <img src=x onerror=alert(2)> "quoted" {name} $title &amp;'


async def test_prompt_and_name_are_escaped_on_the_page_and_in_its_tags(house: House) -> None:
    request = replace(house.job.request, prompt=HOSTILE)
    order = changed(house.job.order, person=replace(house.job.order.call.person, name="<b>Ann"))
    house.change(request=request, order=order)
    _, _, page = await house.page()
    for markup in ("<script", "<img", "<b>"):
        assert markup not in page
    assert escape(HOSTILE) in page
    tags = await house.tags()
    assert (tags["og:title"], tags["og:description"]) == (
        HOSTILE,
        "AI-generated · Wan · for <b>Ann",
    )


@pytest.mark.parametrize(("length", "folds"), [(140, False), (141, True), (4000, True)])
async def test_a_long_prompt_is_on_the_page_in_full_but_folded(
    house: House, length: int, folds: bool
) -> None:
    prompt = ("slowly " * 600)[: length - 1] + "!"
    house.change(request=replace(house.job.request, prompt=prompt))
    _, _, page = await house.page()
    assert prompt in page
    assert ("<details>" in page) is folds


# --- no video ------------------------------------------------------------------------------------


async def test_forged_expired_and_deleted_links_get_the_same_404(house: House) -> None:
    """Status, text and headers are equal for links that are forged, cut off, of another job,
    deleted or expired.
    """
    answers = []

    async def ask(link: str) -> None:
        for ending in ("", ".mp4", ".jpg"):
            async with house.session.get(link + ending) as response:
                headers = {k: v for k, v in response.headers.items() if k != "Date"}
                answers.append((response.status, headers, await response.text()))

    await ask(house.link[:-1] + ("0" if house.link[-1] != "0" else "1"))
    await ask(house.link[:-5])
    await ask(house.link + ".")
    await ask(house.link.replace(house.job.id, "b" * 16))
    await ask(house.link.rpartition("/")[0])
    house.change(video=None)
    await ask(house.link)
    await house.clock.advance(LIFETIME)
    await ask(house.link)
    status, headers, text = answers[0]
    assert answers == [answers[0]] * 21
    assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert (headers["Cache-Control"], headers["X-Robots-Tag"]) == ("no-store", "noindex")
    assert "There is no video here." in text


async def test_negative_control_a_good_link_answers_200(house: House) -> None:
    for ending in ("", ".mp4", ".jpg"):
        async with house.session.get(house.link + ending) as response:
            assert response.status == 200


class Trusting(Signer):
    """A signer that accepts every signature, as a negative control."""

    def has_signed(self, purpose: str, id_: str, expiry: str, signature: str) -> bool:
        return True


async def test_negative_control_without_signatures_a_forged_link_opens_the_page(
    tmp_path: Path,
) -> None:
    async with serve_pages(tmp_path, signer=Trusting({"a": b"k" * 32})) as house:
        assert (await house.page(f"{house.link}0"))[0] == 200


@pytest.mark.parametrize("liked", ["en-GB,en;q=0.9", "xx", "*", "", "../en", "en;q=1" * 500])
async def test_the_404_page_is_english_for_any_accept_language(house: House, liked: str) -> None:
    headers = {"Accept-Language": liked}
    status, _, page = await house.page(f"{house.link}0", **headers)
    assert (status, 'lang="en"' in page, "no video here" in page) == (404, True, True)


@pytest.mark.parametrize(
    ("method", "ending", "status"),
    [
        ("HEAD", "", 200),
        ("HEAD", "0", 404),
        ("POST", "", 405),
        ("DELETE", ".mp4", 405),
        ("PROPFIND", "0", 405),
    ],
)
async def test_http_methods_other_than_get_are_answered_on_a_player_link_over_one_connection(
    house: House, method: str, ending: str, status: int
) -> None:
    async with house.session.request(method, house.link + ending) as response:
        assert response.status == status
    assert (await house.page())[0] == 200

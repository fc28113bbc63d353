"""The remote copies of backups (`backup.copy_to`): each file is stored once, and stays as long as a
backup names it.
"""

import asyncio
from pathlib import Path

import pytest

from bot.backups import opening, remote
from bot.backups.remote import Remote
from bot.core.errors import Broken, Temporary
from bot.media.storage import new_key
from tests.unit.backups.rows import AS_RESTORED
from tests.unit.backups.site import LATER, Site
from tests.unit.store import former

DAY = 86_400.0


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    await site.furnish()
    return site


@pytest.mark.proof
async def test_a_backup_copied_to_remote_storage_comes_back_unchanged(
    site: Site, tmp_path: Path
) -> None:
    place = Remote(str(tmp_path / "bucket"))
    backup = await site.back_up()
    await place.put(backup)
    fetched = await place.fetch(backup.folder.name, tmp_path / "fetched")
    fetched.check()
    assert fetched.manifest == backup.manifest
    await site.restore(fetched)
    assert await site.states() == AS_RESTORED


@pytest.mark.proof
async def test_a_remote_media_file_stays_as_long_as_a_remote_backup_names_it(
    site: Site, tmp_path: Path
) -> None:
    place = Remote(str(tmp_path / "bucket"))
    media = tmp_path / "bucket" / "media"
    await place.put(await site.back_up())
    await site.change("UPDATE jobs SET video = NULL WHERE status <> 'delivered'")
    await place.put(await site.back_up(now=LATER + DAY))
    await place.age_out(keep=1, now=LATER + DAY)
    assert await place.names() == ["zoetrope-20260116T130000Z"]
    assert (media / former.VIDEO.key).exists(), "the other one names it, too"
    key = new_key("videos", "mp4")
    await site.storage.put(key, site.folder / "video")
    await site.change(f"UPDATE jobs SET video = json_set(video, '$.key', '{key}')")
    await place.put(await site.back_up(now=LATER + 2 * DAY))
    await place.age_out(keep=1, now=LATER + 2 * DAY)
    assert not (media / former.VIDEO.key).exists()
    assert (media / key).exists()


@pytest.mark.proof
async def test_a_remote_backup_without_its_manifest_does_not_count(
    site: Site, tmp_path: Path
) -> None:
    place = Remote(str(tmp_path / "bucket"))
    backup = await site.back_up()
    await place.put(backup)
    (tmp_path / "bucket" / backup.folder.name / "manifest.json").unlink()
    assert await place.names() == []
    for check in (
        place.fetch(backup.folder.name, tmp_path),
        remote.newest(place, tmp_path, now=LATER),
    ):
        with pytest.raises(Broken, match="backup_absent"):
            await check


async def test_a_remote_backup_without_a_manifest_is_removed_once_a_newer_whole_backup_exists(
    site: Site, tmp_path: Path
) -> None:
    """An interrupted removal or copy leaves such a backup: the manifest is removed first and copied
    last.
    """
    place, bucket = Remote(str(tmp_path / "bucket")), tmp_path / "bucket"
    half, whole = await site.back_up(), await site.back_up(now=LATER + 20 * DAY)
    await place.put(half)
    (bucket / half.folder.name / "manifest.json").unlink()
    await place.age_out(keep=14, now=LATER + DAY)
    assert (bucket / half.folder.name).exists(), "somebody may just be copying it"
    await place.put(whole)
    gone = await place.age_out(keep=14, now=LATER + 20 * DAY)
    assert gone == [half.folder.name]
    assert sorted(it.name for it in bucket.iterdir()) == ["media", whole.folder.name]


async def test_an_error_of_the_remote_storage_names_its_address(site: Site, tmp_path: Path) -> None:
    place = Remote(str(tmp_path / "bucket"))
    backup = await site.back_up()
    (tmp_path / "bucket" / "media").write_text("a file where a folder should be")
    with pytest.raises(Temporary) as away:
        await place.put(backup)
    assert (away.value.code, away.value.values["place"]) == ("backup_place_away", place.url)


@pytest.mark.proof
@pytest.mark.parametrize("name", ["", "/zoetrope-20260115T130000Z"])
def test_a_remote_address_names_one_backup_or_the_newest(tmp_path: Path, name: str) -> None:
    site, url = Site(tmp_path / "site"), f"file://{tmp_path / 'bucket'}"

    async def put() -> None:
        await site.furnish()
        for days in (-1, 0):
            await Remote(url).put(await site.back_up(now=LATER + days * DAY))

    asyncio.run(put())
    with opening.named(f"{url}{name}", now=LATER) as backup:
        assert backup.manifest.made_at == LATER
        asyncio.run(site.restore(backup))
    assert asyncio.run(site.states()) == AS_RESTORED

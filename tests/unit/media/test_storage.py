import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.core.errors import Broken, Temporary
from bot.media.storage import Storage, new_key

BAD_KEYS = [
    "",
    "../secrets.toml",
    "pictures/../../etc/passwd",
    "/etc/passwd",
    "pictures/ab/../../../x.jpg",
    "pictures/ab/ab.jpg",
    "pictures/ab/" + "a" * 32 + ".jpg\n",
    "pictures/ab/" + "a" * 32 + ".exe",
    "pictures/ab/" + "A" * 32 + ".jpg",
    "videos%2fab/" + "a" * 32 + ".mp4",
    "pictures\\ab\\" + "a" * 32 + ".jpg",
    "pictures/ab/" + "a" * 32 + ".jpg#1",
]


@pytest.fixture(params=["disk", "url", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    where = {
        "disk": str(tmp_path / "files #1 %41"),
        "url": f"file://{tmp_path}/files%20here",
        "bucket": "memory:///",
    }
    return Storage(where[request.param], scratch=scratch)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(bytes(range(256)) * 30_000)
    return path


async def test_a_stored_file_comes_back_unchanged(
    storage: Storage, source: Path, tmp_path: Path
) -> None:
    key = new_key("videos", "mp4")
    await storage.put(key, source)
    assert await storage.exists(key)
    async with storage.file(key) as path:
        assert path.suffix == ".mp4"
        assert path.read_bytes() == source.read_bytes()
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_take_links_a_file_on_the_same_disk_and_put_copies(
    tmp_path: Path, source: Path
) -> None:
    storage = Storage(str(tmp_path / "files"), scratch=tmp_path)
    keys = [new_key("videos", "mp4") for _ in range(2)]
    sizes = [await storage.take(keys[0], source), await storage.put(keys[1], source)]
    assert sizes == [source.stat().st_size] * 2
    assert [(tmp_path / "files" / key).samefile(source) for key in keys] == [True, False]


async def test_take_replaces_a_stored_file_of_the_same_key(storage: Storage, source: Path) -> None:
    """A process that died in between may have left such a file."""
    key = new_key("videos", "mp4")
    for content in (b"video", b"another video"):
        fresh = source.with_name(f"fresh {len(content)}")
        fresh.write_bytes(content)
        assert await storage.take(key, fresh) == len(content)
        fresh.unlink()
        async with storage.file(key) as path:
            assert path.read_bytes() == content


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no second disk")
async def test_take_copies_a_file_from_another_disk(tmp_path: Path, source: Path) -> None:
    with TemporaryDirectory(dir="/dev/shm") as other:
        storage, key = Storage(other, scratch=tmp_path), new_key("videos", "mp4")
        await storage.take(key, source)
        assert (Path(other) / key).read_bytes() == source.read_bytes()


async def test_deleting_a_stored_file_twice_is_allowed(storage: Storage, source: Path) -> None:
    key = new_key("pictures", "jpg")
    await storage.put(key, source)
    await storage.delete(key)
    await storage.delete(key)
    assert not await storage.exists(key)
    with pytest.raises(Broken, match="file_missing"):
        async with storage.file(key):
            pass


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_key_that_we_did_not_make_is_refused_and_touches_no_file(
    tmp_path: Path, source: Path, key: str
) -> None:
    storage = Storage(str(tmp_path / "files"), scratch=tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Broken, match="bad_storage_key"):
        await storage.put(key, source)
    with pytest.raises(Broken, match="bad_storage_key"):
        await storage.delete(key)
    with pytest.raises(Broken, match="bad_storage_key"):
        await storage.exists(key)
    with pytest.raises(Broken, match="bad_storage_key"):
        async with storage.file(key):
            pass
    assert sorted(tmp_path.rglob("*")) == before


async def test_storage_folders_are_private_and_reading_makes_no_copy(
    tmp_path: Path, source: Path
) -> None:
    root = tmp_path / "files"
    storage = Storage(str(root), scratch=tmp_path)
    key = new_key("videos", "mp4")
    await storage.put(key, source)
    folders = [root, root / "videos", (root / key).parent]
    assert [oct(folder.stat().st_mode & 0o777) for folder in folders] == ["0o700"] * 3
    async with storage.file(key) as path:
        assert path == root / key
    assert [path for path in root.rglob("*") if path.is_file()] == [root / key]


async def test_a_disk_error_while_storing_is_temporary_and_leaves_no_file(
    tmp_path: Path, source: Path
) -> None:
    root = tmp_path / "files"
    storage = Storage(str(root), scratch=tmp_path)
    (root / "videos").write_text("a file where a folder should be")
    key = new_key("videos", "mp4")
    with pytest.raises(Temporary, match="storage_unavailable"):
        await storage.put(key, source)
    assert [path for path in root.rglob("*") if path.is_file()] == [root / "videos"]


def test_storage_keys_are_random() -> None:
    assert len({new_key("pictures", "jpg") for _ in range(1000)}) == 1000


async def test_a_missing_storage_folder_does_not_make_its_files_count_as_gone(
    tmp_path: Path,
) -> None:
    """An unmounted disk leaves an empty directory. A file written there would be hidden later."""
    storage, source = Storage(str(tmp_path / "media"), scratch=tmp_path), tmp_path / "source"
    source.write_bytes(b"video")
    key = new_key("videos", "mp4")
    await storage.put(key, source)
    (tmp_path / "media").rename(tmp_path / "away")
    for trouble in ("missing", "replaced"):
        assert storage.trouble() == trouble
        for work in (
            storage.put(new_key("videos", "mp4"), source),
            storage.exists(key),
            storage.delete(key),
        ):
            with pytest.raises(Temporary, match="storage_unavailable"):
                await work
        (tmp_path / "media").mkdir(exist_ok=True)
    assert list((tmp_path / "media").iterdir()) == []
    (tmp_path / "media").rmdir()
    (tmp_path / "away").rename(tmp_path / "media")
    assert storage.trouble() is None
    assert await storage.exists(key)


class Opened:
    """The files and folders that Python opens, which the storage does in order to sync them."""

    def __init__(self) -> None:
        self._paths: list[Path] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, told: tuple[object, ...]) -> None:
        if event == "open" and self._paths is not None and isinstance(told[0], str):
            self._paths.append(Path(told[0]))

    @contextmanager
    def heard(self) -> Iterator[list[Path]]:
        self._paths = []
        try:
            yield self._paths
        finally:
            self._paths = None


async def test_every_stored_file_and_every_changed_folder_is_synced_to_the_disk(
    tmp_path: Path, source: Path
) -> None:
    root, opened = tmp_path / "files", Opened()
    before, now = (Storage(str(root), scratch=tmp_path) for _ in range(2))
    made = [root, root / "videos"]
    # A folder from before our start may be from a process that ended before the folder was synced.
    for storage, letter, folders in ((before, "a", made), (now, "b", made), (now, "c", [])):
        key = f"videos/aa/{32 * letter}.mp4"
        with opened.heard() as paths:
            await storage.take(key, source)
        assert paths == [*folders, root / key, root / "videos/aa"]

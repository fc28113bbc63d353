"""The control socket answers its own user, and no client blocks another."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot import control
from bot.core.acts import UseCase, Values
from bot.core.errors import BotError, Broken, OverLimit, Refused, Temporary


async def echo(*, actor: str, word: str) -> Values:
    return {"actor": actor, "word": word}


async def refuse(*, limit: int) -> Values:
    raise OverLimit("limit_person_videos", limit=limit)


async def fail() -> Values:
    raise ZeroDivisionError


@asynccontextmanager
async def desk(folder: Path, *, patience: float = 5.0) -> AsyncIterator[None]:
    """Serve the control socket with three commands."""
    cases: dict[str, UseCase] = {"echo": echo, "refuse": refuse, "fail": fail}
    async with control.serving(folder, cases, patience=patience):
        yield


async def sent(folder: Path, data: bytes, *, end: bool = False) -> Values | None:
    """Send bytes that our client would never send, and return the answer, or None."""
    with control.address(folder) as path:
        reader, writer = await asyncio.open_unix_connection(path)
    writer.write(data)
    if end:
        writer.write_eof()
    try:
        line = await reader.readline()
    except ConnectionError:
        line = b""
    writer.close()
    return json.loads(line) if line else None


def code_of(answer: Values | None) -> str | None:
    assert answer is not None
    error = answer["error"]
    assert isinstance(error, dict)
    return str(error["code"])


async def test_a_control_request_is_answered_and_carries_the_name_of_its_user(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path):
        answer = await control.ask(tmp_path, "echo", {"word": "hé\nllo"})
    assert answer is not None
    assert answer["word"] == "hé\nllo"
    assert str(answer["actor"]).startswith("cli:")


async def test_the_control_socket_has_owner_only_permissions_and_goes_with_the_service(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path):
        assert stat.S_IMODE((tmp_path / control.NAME).stat().st_mode) == 0o600
    assert not (tmp_path / control.NAME).exists()


@pytest.mark.parametrize(
    ("name", "values", "kind", "code"),
    [
        ("refuse", {"limit": 3}, Refused, "limit_person_videos"),
        ("fail", {}, Broken, "control_failed"),
        ("nothing", {}, Broken, "control_unknown"),
        ("echo", {}, Broken, "control_unknown"),
        ("echo", {"word": "a", "more": 1}, Broken, "control_unknown"),
    ],
)
async def test_a_refusal_arrives_over_the_control_socket_as_the_same_error(
    tmp_path: Path, name: str, values: Values, kind: type[BotError], code: str
) -> None:
    async with desk(tmp_path):
        with pytest.raises(kind) as refused:
            await control.ask(tmp_path, name, values)
        assert refused.value.code == code
        if name == "refuse":
            assert refused.value.values == {"limit": 3}


async def test_a_control_request_may_not_name_its_own_actor(tmp_path: Path) -> None:
    request = {"name": "echo", "values": {"word": "a", "actor": "cli:root"}}
    async with desk(tmp_path):
        answer = await sent(tmp_path, json.dumps(request).encode() + b"\n")
    assert code_of(answer) == "control_unreadable"


@pytest.mark.parametrize(
    "data",
    [
        b"hello\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"name": 1, "values": {}}\n',
        b'{"name": "echo"}\n',
        b"[" * 60_000 + b"\n",
        b"x" * (2 * control.MOST_REQUEST) + b"\n",
    ],
)
async def test_a_malformed_control_request_is_refused_and_the_next_one_answered(
    tmp_path: Path, data: bytes
) -> None:
    async with desk(tmp_path):
        assert code_of(await sent(tmp_path, data)) == "control_unreadable"
        assert await control.ask(tmp_path, "echo", {"word": "a"})


async def test_a_control_request_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path):
        cut = b'{"name": "echo", "values": {"word": "a"}}'
        assert code_of(await sent(tmp_path, cut, end=True)) == "control_unreadable"


async def test_text_that_is_no_utf_8_arrives_over_the_control_socket_with_question_marks(
    tmp_path: Path,
) -> None:
    """Python holds bytes that are no UTF-8 as surrogates."""
    typed = os.fsdecode(b"caf\xe9 \xe2\x82\xac")
    async with desk(tmp_path):
        answer = await control.ask(tmp_path, "echo", {"word": typed})
    assert answer is not None
    assert answer["word"] == "caf? €"


async def test_a_silent_control_client_is_disconnected_and_delays_nobody(tmp_path: Path) -> None:
    async with desk(tmp_path, patience=0.05):
        with control.address(tmp_path) as path:
            reader, writer = await asyncio.open_unix_connection(path)
        assert await control.ask(tmp_path, "echo", {"word": "a"})
        assert await reader.read() == b""
        writer.close()
        assert await sent(tmp_path, b"", end=True) is None


async def test_control_connections_beyond_the_limit_get_control_busy(tmp_path: Path) -> None:
    async with desk(tmp_path):
        silent = []
        with control.address(tmp_path) as path:
            for _ in range(control.AT_ONCE):
                silent.append(await asyncio.open_unix_connection(path))  # noqa: PERF401
        with pytest.raises(Temporary, match="control_busy"):
            await control.ask(tmp_path, "echo", {"word": "a"})
        for _, writer in silent:
            writer.close()
            await writer.wait_closed()


async def test_the_control_socket_works_in_a_folder_with_a_very_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 20)
    async with desk(folder):
        assert await control.ask(folder, "echo", {"word": "a"})


async def test_a_control_request_without_a_service_returns_none(tmp_path: Path) -> None:
    assert await control.ask(tmp_path, "echo", {"word": "a"}) is None
    assert await control.ask(tmp_path / "nowhere", "echo", {"word": "a"}) is None


async def test_the_control_socket_of_a_dead_service_is_replaced(tmp_path: Path) -> None:
    with control.address(tmp_path) as path:
        control._listener(tmp_path, path).close()
    assert await control.ask(tmp_path, "echo", {"word": "a"}) is None
    async with desk(tmp_path):
        assert await control.ask(tmp_path, "echo", {"word": "a"})


async def test_a_second_service_does_not_take_the_control_socket_of_the_first(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path):
        async with control.serving(tmp_path, {}):
            assert await control.ask(tmp_path, "echo", {"word": "a"})
        assert await control.ask(tmp_path, "echo", {"word": "a"})


async def test_a_service_that_ends_leaves_the_control_socket_of_the_next_service(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as after:
        async with desk(tmp_path):
            (tmp_path / control.NAME).unlink()
            await after.enter_async_context(desk(tmp_path))
        assert await control.ask(tmp_path, "echo", {"word": "a"})


async def test_a_control_request_that_takes_too_long_raises_control_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> Values:
        return {"never": await asyncio.Event().wait()}

    monkeypatch.setattr(control, "WORK", 0.01)
    async with control.serving(tmp_path, {"hang": hang}):
        with pytest.raises(Temporary, match="control_slow"):
            await control.ask(tmp_path, "hang", {}, patience=1.0)


async def test_work_for_a_control_request_ends_with_the_service(tmp_path: Path) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hang() -> Values:
        begun.set()
        try:
            return {"never": await asyncio.Event().wait()}
        finally:
            ended.set()

    async with control.serving(tmp_path, {"hang": hang}):
        asked = asyncio.create_task(control.ask(tmp_path, "hang", {}))
        await begun.wait()
    assert ended.is_set()
    with pytest.raises(Temporary, match="control_silent"):
        await asked


async def test_a_service_that_closes_without_an_answer_raises_control_silent(
    tmp_path: Path,
) -> None:
    with control.address(tmp_path) as path:
        async with await asyncio.start_unix_server(lambda _, writer: writer.close(), path):
            with pytest.raises(Temporary, match="control_silent"):
                await control.ask(tmp_path, "echo", {"word": "a"})


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_another_account_is_refused_although_the_control_socket_is_open_to_all() -> None:
    """The socket's mode protects first; the peer's user id from the kernel protects second."""
    with TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as stranger:
        folder = Path(name)
        folder.chmod(0o755)
        async with desk(folder):
            (folder / control.NAME).chmod(0o666)
            os.seteuid(65534)
            try:
                stranger.connect(str(folder / control.NAME))
            finally:
                os.seteuid(0)
            reader, writer = await asyncio.open_connection(sock=stranger)
            writer.write(b'{"name": "echo", "values": {"word": "a"}}\n')
            answer = json.loads(await reader.readline())
            writer.close()
    assert code_of(answer) == "control_denied"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_an_account_that_may_not_open_the_control_socket_is_told_whose_it_is() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with desk(folder):
            os.seteuid(65534)
            try:
                with pytest.raises(Broken, match="control_denied") as denied:
                    await control.ask(folder, "echo", {"word": "a"})
            finally:
                os.seteuid(0)
    assert denied.value.values == {"user": control.user_name(0)}

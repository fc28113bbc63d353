import asyncio
import os
import pickle
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.errors import Broken, Refused, Temporary
from bot.media.workers import Workers
from tests.unit.media import tasks


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    pool = Workers(2)
    yield pool
    await pool.close()


async def test_a_worker_process_returns_its_result_and_is_used_for_the_next_task(
    workers: Workers,
) -> None:
    first = await workers.run(tasks.process, timeout=10)
    assert first != os.getpid()
    assert await workers.run(tasks.process, timeout=10) == first


async def test_a_pool_never_has_more_worker_processes_than_agreed(workers: Workers) -> None:
    seen = await asyncio.gather(*(workers.run(tasks.process, timeout=10) for _ in range(8)))
    assert len(set(seen)) <= 2


async def test_an_error_of_ours_arrives_from_a_worker_with_its_values(workers: Workers) -> None:
    with pytest.raises(Refused) as refused:
        await workers.run(tasks.refuse, timeout=10)
    assert (refused.value.code, refused.value.values) == ("sound_short", {"seconds": 1.0})
    with pytest.raises(Temporary) as later:
        await workers.run(tasks.put_off, timeout=10)
    assert later.value.retry_after == 3.0


async def test_any_other_error_in_a_worker_is_translated_and_the_worker_goes_on(
    workers: Workers,
) -> None:
    before = await workers.run(tasks.process, timeout=10)
    with pytest.raises(Broken, match="worker_failed") as broken:
        await workers.run(tasks.stumble, timeout=10)
    assert "in stumble" in broken.value.__notes__[0]
    with pytest.raises(Temporary, match="storage_unavailable"):
        await workers.run(tasks.miss, timeout=10)
    assert await workers.run(tasks.process, timeout=10) == before


async def test_a_killed_worker_fails_only_its_own_task(workers: Workers) -> None:
    crash, neighbour = await asyncio.gather(
        workers.run(tasks.die, timeout=10),
        workers.run(tasks.process, timeout=10),
        return_exceptions=True,
    )
    assert isinstance(crash, Broken)
    assert crash.code == "worker_died"
    assert isinstance(neighbour, int)
    assert await workers.run(tasks.process, timeout=10) > 0


async def test_an_overdue_task_is_killed_and_the_next_task_works(workers: Workers) -> None:
    with pytest.raises(Broken, match="worker_too_slow"):
        await workers.run(tasks.hang, timeout=0.05)
    assert await workers.run(tasks.process, timeout=10) > 0


async def test_cancelling_a_task_kills_its_worker(workers: Workers, tmp_path: Path) -> None:
    fifo = tmp_path / "pid"
    os.mkfifo(fifo)
    task = asyncio.create_task(workers.run(tasks.announce_and_hang, fifo, timeout=60))
    worker = int(await asyncio.to_thread(fifo.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


async def test_the_memory_of_a_worker_is_limited(workers: Workers) -> None:
    with pytest.raises(Broken) as broken:
        await workers.run(tasks.hoard, timeout=10)
    assert broken.value.values == {"task": "hoard", "error": "MemoryError()"}


async def test_output_that_a_library_prints_in_a_worker_is_not_taken_for_the_answer(
    workers: Workers, capfd: pytest.CaptureFixture[str]
) -> None:
    assert await workers.run(tasks.chatter, timeout=10) == "answer"
    assert capfd.readouterr().err == "a library that prints"


async def test_a_worker_sees_no_secrets_loads_few_modules_and_ignores_ctrl_c(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOETROPE_DISCORD__TOKEN", "secret")
    names, modules, ignores = await workers.run(tasks.surroundings, timeout=10)
    assert names <= {"PYTHONPATH", "MALLOC_ARENA_MAX", "LC_CTYPE"}
    assert not modules & {"discord", "sqlalchemy", "pydantic", "aiohttp", "pytest"}
    assert ignores


async def test_a_worker_ends_when_its_stdin_closes() -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.media.workers", stdin=asyncio.subprocess.DEVNULL
    )
    assert await worker.wait() == 0


async def test_a_worker_ends_silently_when_nobody_reads_its_answer() -> None:
    """The worker's parent process was killed while the worker was busy."""
    read, write = os.pipe()
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.media.workers"),
        stdin=asyncio.subprocess.PIPE,
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(read)
    os.close(write)
    _, said = await worker.communicate(pickle.dumps((10, tasks.process, ())))
    assert said == b""
    assert worker.returncode == 0


async def test_close_ends_every_worker_process() -> None:
    pool = Workers(2)
    worker = await pool.run(tasks.process, timeout=10)
    await pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)

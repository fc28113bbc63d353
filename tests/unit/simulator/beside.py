"""A published server beside a profile of the simulator: both get the same requests."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

REST = ("fastapi", "uvicorn", "python-multipart", "httpx", "pillow")
OWN = ("id", "created_at", "completed_at", "file_path", "file_paths", "file_name")
MEASURED = ("peak_memory_mb", "inference_time_s", "error", "prompt")


@contextmanager
def running(program: str, package: str, folder: Path) -> Iterator[str]:
    """Install a package into the folder, run the program on it, and yield its address."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
    subprocess.run([*pip, "--no-deps", package], check=True)
    subprocess.run([*pip, *REST], check=True)
    command = [sys.executable, "-I", str(Path(__file__).with_name(program)), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


async def asked(client: aiohttp.ClientSession, method: str, path: str, **sent: Any) -> Any:
    """Return the status and the body of an answer; of a text about JSON only its beginning."""
    async with client.request(method, path, **sent) as answer:
        if answer.content_type != "application/json":
            return answer.status, {"text": await answer.text()}
        body = await answer.json()
    if isinstance(body.get("detail"), str):
        body = {"detail": body["detail"].partition(" [type=")[0]}
    return answer.status, body


def alike(real: tuple[int, Any], ours: tuple[int, Any], *, words: bool = True) -> None:
    """Check that two answers have the same status and form, and of a refusal the same content.

    Without `words`, refusals with a status of their own may have other texts.
    """
    (status, said), (mine, shown) = real, ours
    assert mine == status, (said, shown)
    if "id" in said:
        assert without(OWN, shown) == without(OWN, said)
    elif words or isinstance(said.get("detail"), list):
        assert shown == said
    else:
        assert shown.keys() == said.keys()


def without(names: Sequence[str], body: dict[str, Any]) -> dict[str, Any]:
    """Return a body with only the types of the values of these fields."""
    return {name: str(type(it)) if name in names else it for name, it in body.items()}


async def over(client: aiohttp.ClientSession, path: str) -> Any:
    """Poll until a video is over."""
    while True:
        status, body = await asked(client, "GET", path)
        if body["status"] not in ("queued", "in_progress"):
            return status, body

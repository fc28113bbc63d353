"""Writes `docs/commands.md`, which shows commands with answers: python -m docs.commands_page

The real commands run on a small data folder; only the time and the ids are fixed. With a folder as
argument, the module writes pictures of the terminal into that folder instead, as HTML.
"""

import asyncio
import io
import json
import os
import re
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from bot import cli, control, installed, operators
from bot.config import load
from bot.config.listing import listed
from bot.core import moves
from bot.core.clock import SystemClock
from bot.core.jobs import Job, Status, Video
from bot.core.orders import Person
from bot.core.posts import Form, PostKind
from bot.core.prices import Cost
from bot.gateways.offers import openrouter
from bot.media.storage import Storage, named_key
from bot.simulator.profiles import OPENROUTER
from bot.store.database import open_database
from bot.store.identity import Home
from tests.contract.rows import NOON, VIDEO, Store, a_job
from tests.fakes.gateways import OddGateway, Said
from tests.unit.core.orders import changed

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 110
"""Columns of the terminal for the page."""
PICTURED = (80, 110)
"""Columns of the terminals for the pictures."""
HOUR, DAY = 3600.0, 86_400.0
HEAD = """\
# The commands of an operator, and their answers

[Operating](operating.md#commands-of-an-operator) says when to use which command. `--help` after a
command lists its options, and `--json` prints its answer for programs. The terminal here has 110
columns. On a narrow terminal `jobs list` leaves out columns and says which. In a pipe each row is
one line, and nothing is left out.

`python -m docs.commands_page` writes this page, and a test compares it with the program.
"""
PARTS = {
    "Jobs": (
        "jobs list",
        "jobs show rw5t",
        "jobs resolve 4fk2",
        "jobs resolve 4fk2 --found video_41 --why 'its log has it'",
        "jobs cancel q3ve --why 'asked for it in chat'",
        "jobs retry 7hzx",
        "jobs retry m2kd --confirm m2kdx7uvq5hzw3yt",
    ),
    "Limits and spending": (
        "quota show person discord:223456789012345678",
        "quota grant person discord:223456789012345678 --videos 2 --why 'a birthday'",
        "quota reset purse",
        "stats",
        "stats --by person",
        "stats --by model",
    ),
    "Gateways": (
        "gateways pause spare --why 'maintenance on Sunday'",
        "gateways list",
        "gateways resume spare",
        "models --gateway open",
    ),
    "Members": (
        "user block discord:323456789012345678 --until 7d --why 'asked for it, twice'",
        "user list",
        "user unblock discord:323456789012345678",
    ),
    "Everything": (
        "stop --why 'the bill looks odd'",
        "go",
        "acts",
    ),
    "Files": (
        "media verify",
        "media sweep --dry-run",
    ),
    "Database": (
        "db verify",
        "db recount",
        "db backup",
        "db restore data/backups/zoetrope-20260115T120000Z --yes",
        "db upgrade",
    ),
}
PICTURED_TOO = ("media sweep", "models", "check", "doctor")
"""Commands that are only in the pictures: their answers change with the catalog or the machine."""
CONFIG = """\
[gateways.main]
base_url = "{url}"
dialect = "new-api"

[gateways.spare]
base_url = "{url}/spare"
dialect = "new-api"

[gateways.open]
base_url = "{url}/open"
dialect = "openrouter"

[models."wan2.5-t2v-preview"]
price = 0.14
gateway = "main"

[models."google/veo-3.1"]
price = 0.45
"""
SECRETS = {
    "ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-main",
    "ZOETROPE_GATEWAYS__SPARE__API_KEY": "sk-spare",
    "ZOETROPE_GATEWAYS__OPEN__API_KEY": "sk-open",
    "ZOETROPE_DISCORD__TOKEN": "t.o.k",
}
LISTED = ("google/veo-3.1", "kwaivgi/kling-v3")
"""The models in the list of the gateway `open`."""
ANN = Person(id="223456789012345678", name="Ann")
BOB = Person(id="323456789012345678", name="Bob of the hill")
_PAGES = re.compile(r"(pages of the file +)\d+")
"""The line of `db verify` with a number that differs between machines."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A command, its exit code, and its output with colour codes."""

    command: str
    code: int
    said: str


async def page() -> str:
    """Return the page as Markdown."""
    answers = iter(await shown([it for each in PARTS.values() for it in each], WIDTH))
    parts = [HEAD]
    for title, commands in PARTS.items():
        parts.append(f"\n## {title}\n")
        for _ in commands:
            each = next(answers)
            lines = [line.rstrip() for line in Text.from_ansi(each.said).plain.splitlines()]
            parts.append("\n".join(["\n```", f"$ zoetrope {each.command}", *lines, "```\n"]))
    return "".join(parts)


async def shown(commands: list[str], width: int) -> list[Shown]:
    """Run the commands on a terminal of `width` columns and return their answers."""
    gateway = OddGateway(v1__videos=Said(200, _videos()))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(_fixed(folder, width))
        url = await stack.enter_async_context(gateway.serve())
        (folder / "config.toml").write_text(CONFIG.format(url=url), "utf-8")
        await _furnish(folder, url)
        answers = []
        for command in commands:
            code, said = await asyncio.to_thread(_run, command)
            said = said.replace(url, "https://gateway.example")
            answers.append(Shown(command, code, _PAGES.sub(r"\g<1>58", said)))
        return answers


@contextmanager
def _fixed(folder: Path, width: int) -> Iterator[None]:
    """Fix the time, new ids, the current folder and the terminal for the commands."""
    numbers = count(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda _self: NOON)
        patch.setattr(operators, "new_id", lambda: f"{next(numbers)}xmq5zt7kd3wv2ya")
        patch.setattr(installed, "version", lambda *_: installed.RELEASE)
        patch.setattr(control, "user_name", lambda _uid: "ann")
        for name in [name for name in os.environ if name.startswith("ZOETROPE_")]:
            patch.delenv(name)
        patch.delenv("NO_COLOR", raising=False)
        terminal = {"COLUMNS": f"{width}", "TERM": "xterm-256color", "FORCE_COLOR": "1"}
        for name, value in {**SECRETS, **terminal, "TZ": "UTC"}.items():
            patch.setenv(name, value)
        time.tzset()
        patch.chdir(folder)
        yield
    time.tzset()


def _run(command: str) -> tuple[int, str]:
    out, typed = io.StringIO(), sys.argv
    sys.argv = ["zoetrope", *shlex.split(command)]
    try:
        with redirect_stdout(out), redirect_stderr(out):
            cli.main()
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    finally:
        sys.argv = typed
    return 0, out.getvalue()


# --- the data folder -----------------------------------------------------------------------------


def _videos() -> dict[str, object]:
    made = {"video_41": NOON - 2 * HOUR + 20, "video_39": NOON - 2 * HOUR - 190}
    common = {"object": "video", "model": "wan2.5-t2v-preview", "status": "completed"}
    data = [{**common, "id": id_, "created_at": int(at)} for id_, at in made.items()]
    return {"object": "list", "data": data}


async def _furnish(folder: Path, url: str) -> None:
    """Create the data folder with jobs in most states, and their videos."""
    config = load(folder / "config.toml")
    config.data_dir.mkdir(mode=0o700)
    rows = json.loads(json.dumps(OPENROUTER.abilities()))["data"]
    known = [row for row in rows if row["id"] in LISTED]
    listed(config, "open", openrouter.read({"data": known}), datetime.fromtimestamp(NOON, UTC))
    storage = Storage(config.storage_url, scratch=folder)
    (folder / "video").write_bytes(b"mpeg" * 600_000)
    async with open_database(config.database_url, home=Home(config.data_dir)) as database:
        store = Store(database)

        def order(id_: str, ago: float, person: Person) -> Job:
            row = a_job(id_=id_, now=NOON - ago, community="123456789012345678")
            return replace(row, base_url=url, order=changed(row.order, person=person))

        async def made(id_: str, ago: float, person: Person) -> Job:
            key = named_key("videos", "mp4", id_)
            await storage.put(key, folder / "video")
            video = replace(VIDEO, key=key, size=2_400_000, width=1280, height=720)
            return await _made(store, order(id_, ago, person), video)

        await store.in_state(Status.QUEUED, order("q3veh5kd2mzwt7ya", 40, ANN))
        await store.in_state(Status.IN_PROGRESS, order("zt6mwlq2abv5xk3d", 150, BOB))
        await store.in_state(Status.UNCONFIRMED, order("4fk2abcdq7mnxw3z", 2 * HOUR, ANN))
        await store.in_state(Status.FAILED, order("m2kdx7uvq5hzw3yt", DAY, BOB))
        await store.in_state(Status.CANCELLED, order("b6yqz4wkx3tmd7hv", DAY + HOUR, ANN))
        await _posted(store, await made("rw5txs4ndpk7q2uh", 3 * HOUR, ANN))
        await made("7hzxqv3m6ykwd5ta", 5 * HOUR, BOB)
        await _posted(store, await made("h3vzm6qtk5wxd2ya", 30 * DAY + HOUR, BOB))
        row = await _posted(store, await made("x5wtk2vqm7zhd3ya", 34 * DAY, ANN))
        await store.moved(row, replace(row, video=None, video_gone_at=NOON - 4 * DAY))
    await storage.delete(named_key("videos", "mp4", "x5wtk2vqm7zhd3ya"))
    (folder / "video").unlink()


async def _made(store: Store, job: Job, video: Video) -> Job:
    """Store a job whose video was made 76 seconds after the order, and return the row."""
    row, at = await store.admitted(job), job.created_at
    row = await store.moved(row, moves.submitting(row, now=at + 1), now=at + 1)
    taken = moves.accepted(row, f"video_{job.id[:4]}", now=at + 2, due_at=at + 10)
    row = await store.moved(row, taken, now=at + 2)
    await store.posts.posted(row, "423456789012345678", "523456789012345678")
    told = Cost(micro=640_000, currency="USD")
    done = moves.completed(row, now=at + 74, sources=(), cost=told)
    row = await store.moved(row, done, now=at + 74)
    return await store.moved(row, moves.stored(row, video), now=at + 76)


async def _posted(store: Store, job: Job) -> Job:
    """Post the video of a job, and return the job's row."""
    now = job.created_at + 77
    due = await store.posts.claim(["discord"], [PostKind.RESULT], now=now, until=now, most=9)
    (post,) = [each for each in due if each.job_id == job.id]
    begun = await store.posts.sending(post, Form.FILE, now=now)
    assert begun is not None
    await store.posts.sent(begun, "623456789012345678", "523456789012345678", now=now + 1)
    row = await store.jobs.get(job.id)
    assert row is not None
    return row


# --- pictures ------------------------------------------------------------------------------------


async def draw(into: Path, *, on_one: int = 6) -> None:
    """Write HTML pages that look like terminals, with `on_one` commands each."""
    commands = [*(it for each in PARTS.values() for it in each), *PICTURED_TOO]
    for width in PICTURED:
        answers = await shown(commands, width)
        for at in range(0, len(answers), on_one):
            console = Console(record=True, width=width, file=io.StringIO(), markup=False)
            for each in answers[at : at + on_one]:
                console.print(f"$ zoetrope {each.command}", style="bold cyan", highlight=False)
                console.print(Text.from_ansi(each.said), soft_wrap=True)
            console.save_html(str(into / f"{width}-{at:02}.html"))


if __name__ == "__main__":
    if sys.argv[1:]:
        asyncio.run(draw(Path(sys.argv[1])))
    else:
        PAGE.write_text(asyncio.run(page()), "utf-8")

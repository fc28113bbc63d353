"""The simulator's own pages, which need no API key.

There is a page for people at `/`, and the journal and the faults as JSON under `/simulator/`.
"""

import json
from collections.abc import Callable

from aiohttp import web

from bot.simulator import answers, journal, presets
from bot.simulator.faults import Faults
from bot.simulator.journal import Entry
from bot.simulator.profiles import Profile
from bot.simulator.refusals import Refused

WELCOME = """\
This is a simulated video gateway. It speaks the /v1/videos API of an OpenAI-style gateway and
renders real, if modest, MP4s. Nothing here costs anything. Its profile is {profile}.

  POST /v1/videos               make a video            (Bearer key)
  GET  /v1/videos/{{id}}          how far it is           (Bearer key)
  GET  /v1/videos/{{id}}/content  the MP4                 (Bearer key)
  GET  /v1/models               the models              (Bearer key)
  GET  /simulator/journal       what was received and charged
  POST /simulator/faults        make something go wrong; DELETE makes all well again

A prompt with [fail] ends failed, with [slow] takes five times as long, with [refuse] is refused.
Other troubles have names too, for prompts, in brackets, and for {{"preset": "…"}} at
/simulator/faults:

{troubles}
"""
COLUMNS = 4


def routes(
    profile: Profile, faults: Faults, entries: Callable[[], list[Entry]]
) -> list[web.RouteDef]:
    """Return the pages of one simulator."""

    async def welcome(_: web.Request) -> web.Response:
        return web.Response(text=WELCOME.format(profile=profile.name, troubles=_troubles()))

    async def show_journal(_: web.Request) -> web.Response:
        return answers.as_json(journal.as_json(entries()))

    async def add_fault(request: web.Request) -> web.Response:
        try:
            for fault, times in presets.parse(json.loads(await request.read())):
                faults.add(fault, times)
        except ValueError as error:
            raise Refused(str(error)) from error
        return web.json_response({"waiting": len(faults)}, status=201)

    async def clear_faults(_: web.Request) -> web.Response:
        faults.clear()
        return web.json_response({"waiting": 0})

    return [
        web.get("/", welcome),
        web.get("/simulator/journal", show_journal),
        web.post("/simulator/faults", add_fault),
        web.delete("/simulator/faults", clear_faults),
    ]


def _troubles() -> str:
    names = [f"[{name}]".ljust(22) for name in presets.PRESETS]
    rows = [names[start : start + COLUMNS] for start in range(0, len(names), COLUMNS)]
    return "\n".join("  " + "".join(row).rstrip() for row in rows)

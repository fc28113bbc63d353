"""Ask a gateway for its list of models: one free GET."""

import asyncio
import json

from bot.core.errors import Broken
from bot.gateways.dialects import DIALECTS
from bot.gateways.offers import Offer
from bot.gateways.survey import BOUNDS, ask
from bot.net.answers import open_session


async def list_of(base_url: str, api_key: str, dialect: str) -> tuple[Offer, ...]:
    """Return what the gateway's list says of its models. Raises `Broken` if there is no list."""
    spoken = DIALECTS[dialect]
    async with open_session(BOUNDS, most=BOUNDS.poll) as session:
        answer = await ask(session, base_url, spoken.lists, api_key)
    if answer.status != 200:
        raise Broken("gateway_list_refused", url=base_url, status=answer.status)

    def read() -> tuple[Offer, ...]:
        try:
            given = json.loads(answer.body)
        except (ValueError, RecursionError):
            given = None
        if not (isinstance(given, dict) and isinstance(given.get("data"), list)):
            raise Broken("gateway_list_unreadable", url=base_url)
        return spoken.read_list(given)

    return await asyncio.to_thread(read)

"""The one paid video that setting up offers, so that the first member is not the first test."""

import asyncio

from bot.cli import output
from bot.cli.generate import Ticket, generate
from bot.cli.init.talk import Talk
from bot.cli.wish import Wish, order_for
from bot.config import Config
from bot.core.errors import BotError
from bot.core.prices import MICRO

PROMPT = "A paper boat sails across a puddle in warm evening light"
NAME = "test-video"


def offer(talk: Talk, config: Config) -> None:
    """Make it if somebody says yes, having been told what it costs."""
    wish = Wish(prompt=PROMPT)
    try:
        model, request = config.catalog.choose(order_for(wish))
        about = {"family": request.label, "seconds": request.seconds}
        if not model.prices:
            wanted = talk.ask_yes("init.ask_trial", **about)
        else:
            cost = model.cost_of(request) / MICRO
            money = f"{cost:.2f} {config.settings.currency}"
            wanted = talk.ask_yes("init.ask_trial_priced", **about, money=money)
        if wanted:
            _make(talk, wish, config)
    except BotError as error:
        talk.complain(error)


def _make(talk: Talk, wish: Wish, config: Config) -> None:
    ticket = Ticket()
    try:
        asyncio.run(generate(wish, into=output.free(NAME), config=config, ticket=ticket))
    except KeyboardInterrupt:
        talk.print(ticket.claim())
        raise

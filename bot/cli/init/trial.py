"""Offer one paid test video at the end of the set-up."""

import asyncio

from bot.cli import output
from bot.cli.generate import Ticket, generate
from bot.cli.init.talk import Talk
from bot.cli.wish import order_for
from bot.config import Config
from bot.core.errors import BotError
from bot.core.orders import Order
from bot.core.prices import MICRO
from bot.core.wishes import Wish

PROMPT = "A paper boat sails across a puddle in warm evening light"
NAME = "test-video"


def offer(talk: Talk, config: Config) -> None:
    """Show the cost of a test video, and make the video if the person agrees."""
    order = order_for(Wish(prompt=PROMPT))
    try:
        model, request = config.catalog.choose(order)
        about = {"family": request.label, "seconds": request.seconds}
        if not model.prices:
            wanted = talk.ask_yes("init.ask_trial", **about)
        else:
            cost = model.cost_of(request) / MICRO
            money = f"{cost:.2f} {config.settings.currency}"
            wanted = talk.ask_yes("init.ask_trial_priced", **about, money=money)
        if wanted:
            _make(talk, order, config)
    except BotError as error:
        talk.complain(error)


def _make(talk: Talk, order: Order, config: Config) -> None:
    ticket = Ticket()
    try:
        asyncio.run(generate(order, into=output.free(NAME), config=config, ticket=ticket))
    except KeyboardInterrupt:
        talk.print(ticket.claim())
        raise

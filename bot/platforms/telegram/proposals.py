"""Proposals: in a private chat, text and pictures become a card that the person has to confirm.

The choices are stored with the proposal. Its card shows what would be made, the price and how many
videos are left. *Go* turns the proposal into an order, only once even if pressed several times.
"""

import base64
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot import i18n
from bot.core import offers
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.orders import Order
from bot.core.presets import preset_of
from bot.core.replies import Left, Reply, Text, cost_fact, position, request_fact, switched
from bot.core.variations import relaxed
from bot.core.wishes import AUTO, AUTO_WORD, DRAFT, ON_OFF, OPTIONS, SWITCHES
from bot.platforms.telegram import messages
from bot.platforms.telegram.messages import Rendered

MENUS = ("model", "seconds", "aspect", "quality", "preset", *SWITCHES)
"""The menus of a proposal's card. Presets are shown only for an order with a picture, switches only
if the model takes both positions."""
_BY_INDEX = ("model", "preset")
"""Menus whose buttons carry an index: a name may be too long for a button's data."""
CHOICES = ("prompt_extend", "watermark", "audio", "quality", "aspect", "seconds")
"""The choices that another model may not support; the least important first."""


class Proposals(Protocol):
    """The stored proposals."""

    async def put(self, proposal_id: str, order: Order, *, now: float) -> None: ...

    async def get(self, proposal_id: str) -> Order | None: ...

    async def drop(self, proposal_id: str) -> None: ...


def id_of(order: Order) -> str:
    """Return a proposal's id, short enough for a button. It is derived from the event, so that an
    update handled twice makes only one proposal."""
    digest = hashlib.sha256(
        f"{order.call.address.platform} {order.call.event_id}".encode()
    ).digest()
    return base64.urlsafe_b64encode(digest[:9]).decode()


def chosen(catalog: Catalog, order: Order, menu: str, value: str) -> Order:
    """Return the order with one choice changed. Raises `Refused` for an unknown menu or value."""
    match menu:
        case "model" if value.isdecimal() and int(value) < len(catalog.families):
            return order.wishing(replace(order.wish, family=catalog.families[int(value)]))
        case "preset" if value.isdecimal() and int(value) < len(catalog.presets):
            return order.wishing(replace(order.wish, preset=list(catalog.presets)[int(value)]))
        case _ if menu in MENUS and menu not in _BY_INDEX:
            with suppress(Refused):
                option = OPTIONS[menu]
                return order.wishing(order.wish.having(**{option.field: option.read(value)}))
    raise Refused("button_unknown")


def possible(catalog: Catalog, order: Order) -> Order:
    """Return the order without the choices that its model doesn't support."""
    for fewer in relaxed(order, CHOICES):
        if offers.takes(catalog, fewer):
            return fewer
    catalog.choose(fewer)
    return fewer


def given_up(wanted: Order, order: Order) -> list[str]:
    """Return descriptions of the choices that `possible` removed."""
    words: dict[str, str] = {field: word for word, field in SWITCHES.items()}

    def described(choice: str) -> str:
        value = wanted.wish.chosen[choice]
        if choice in words:
            return i18n.say(position(words[choice], on=value is True), order.call.locale)
        if choice == "seconds" and value != AUTO:
            return i18n.say(Text(id="choice.seconds", values={"seconds": value}), order.call.locale)
        return AUTO_WORD if value == AUTO else str(value)

    return [
        described(each)
        for each in reversed(CHOICES)
        if wanted.wish.chosen.get(each) != order.wish.chosen.get(each)
    ]


def rendered(
    catalog: Catalog,
    order: Order,
    proposal_id: str,
    *,
    left: Left | None,
    currency: str,
    menu: str | None = None,
    without: Sequence[str] = (),
) -> Rendered:
    """Return a proposal's card, with its buttons or an open menu.

    `without` describes the choices that were removed since the model doesn't support them. Raises
    `Refused` if no model can make the order.
    """
    _, request = catalog.choose(order)
    facts = [request_fact(request), *switched(order.wish)]
    if without:
        lost = {"family": request.label, "choices": ", ".join(without)}
        facts.append(Text(id="proposal.given_up", values=lost))
    if cost := catalog.cost(request, currency):
        facts.append(cost_fact(request, cost))
    if left is not None:
        facts.append(left.fact)
    reply = Reply(text=Text(id="proposal.ask"), prompt=request.shown, facts=tuple(facts))
    drawn = messages.rendered(reply, order.call.locale, name=order.call.person.name)
    keys = _menu(catalog, order, proposal_id, menu) if menu else _keys(catalog, order, proposal_id)
    return replace(drawn, keyboard=InlineKeyboardMarkup(inline_keyboard=keys))


def _keys(catalog: Catalog, order: Order, proposal_id: str) -> list[list[InlineKeyboardButton]]:
    def key(word: str, act: str, style: str | None = None) -> InlineKeyboardButton:
        return messages.key(Text(id=word), order.call.locale, act, proposal_id, style=style)

    shown = [menu for menu in MENUS if _is_shown(catalog, order, menu)]
    menus = [key(f"proposal.{menu}", f"menu{menu}") for menu in shown]
    ends = [key("proposal.go", "go", "success"), key("proposal.discard", "drop")]
    return [*(menus[at : at + 2] for at in range(0, len(menus), 2)), ends]


def _is_shown(catalog: Catalog, order: Order, menu: str) -> bool:
    if menu in SWITCHES:
        return bool(offers.positions(catalog, order, menu))
    return menu != "preset" or bool(order.pictures)


def _menu(
    catalog: Catalog, order: Order, proposal_id: str, menu: str
) -> list[list[InlineKeyboardButton]]:
    choices, now = _choices(catalog, order, menu)
    locale = order.call.locale
    keys = [
        messages.key(
            messages.chosen(label) if value == now else label,
            locale, f"pick{menu}", proposal_id, value,
        )
        for value, label in choices
    ]  # fmt: skip
    back = messages.key(Text(id="button.back"), locale, "menu", proposal_id)
    return [*(keys[at : at + 3] for at in range(0, len(keys), 3)), [back]]


def _choices(catalog: Catalog, order: Order, menu: str) -> tuple[list[tuple[str, str]], str]:
    """Return a menu's choices as pairs of value and label, and the current value.

    Earlier choices don't limit the list of models: `possible` removes those that don't fit.
    """
    _, request = catalog.choose(order)
    if menu == "model":
        numbers = {family: str(number) for number, family in enumerate(catalog.families)}
        bare = order.wishing(order.wish.without(CHOICES))
        able = offers.families(catalog, bare)
        return [(numbers[each], catalog.label(each)) for each in able], numbers[request.family]
    if menu == "seconds":
        lengths = [_length(catalog, order, each) for each in offers.lengths(catalog, order)]
        return lengths, AUTO_WORD if request.auto else str(request.seconds)
    if menu == "aspect":
        return [(each, each) for each in offers.aspects(catalog, order)], request.aspect or ""
    if menu == "quality":
        words = i18n.say(Text(id="choice.draft"), order.call.locale)
        able = offers.qualities(catalog, order)
        labels = [(each, words if each == DRAFT else each) for each in able]
        return labels, order.wish.quality or request.quality or ""
    if menu in SWITCHES:
        return _positions(catalog, order, menu)
    presets = list(catalog.presets.items())
    asked = preset_of(order.wish.preset, catalog.presets) if order.wish.preset else None
    now = str(list(catalog.presets).index(asked)) if asked else ""
    return [(str(number), preset.label) for number, (_, preset) in enumerate(presets)], now


def _length(catalog: Catalog, order: Order, seconds: int) -> tuple[str, str]:
    if seconds != AUTO:
        return str(seconds), f"{seconds} s"
    values = {"seconds": offers.longest(catalog, order)}
    return AUTO_WORD, i18n.say(Text(id="choice.auto", values=values), order.call.locale)


def _positions(catalog: Catalog, order: Order, switch: str) -> tuple[list[tuple[str, str]], str]:
    model, _ = catalog.choose(order)
    asked = order.wish.chosen.get(SWITCHES[switch])
    now = model.unasked.get(SWITCHES[switch]) if asked is None else asked
    able = offers.positions(catalog, order, switch)
    choices = [(ON_OFF[on], i18n.say(position(switch, on=on), order.call.locale)) for on in able]
    return choices, "" if now is None else ON_OFF[now is True]

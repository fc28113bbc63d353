"""The catalog: turn an order into a checked request with a cost.

A wish that no model can meet is refused here, before it costs anything. The refusal says what the
model can do instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.core.choosing import alternatives, listed, refusal, remix_of, request_of
from bot.core.errors import FamilyUnknown, KindLacking, Refused
from bot.core.kinds import kind_of
from bot.core.models import Model
from bot.core.orders import Kind, Order, VideoRequest
from bot.core.parts import room, within
from bot.core.presets import Presets
from bot.core.prices import money
from bot.core.prompts import spelt
from bot.core.wishes import DRAFT, QUALITIES

TYPICAL = 180.0
"""Seconds that a video is assumed to take if its model is no longer in the catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All enabled models, in the order in which people see them."""

    models: tuple[Model, ...]
    default: str | None = None
    """The family for an order without a family; None for the first family that can make it."""
    presets: Presets = field(default_factory=dict)
    linked: bool = False
    """Whether our own copies of files can be linked to."""

    @property
    def families(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(model.family for model in self.models))

    def label(self, family: str) -> str:
        """Return the label that people see; the id itself for a removed family."""
        return next((m.label for m in self.models if m.family == family), family)

    def described(self, family: str) -> str:
        """Return the family's label, with its note in lists that have room for it."""
        label = self.label(family)
        note = next((m.note for m in self.models if m.family == family), "")
        return f"{label} ({note})" if note else label

    def model(self, name: str) -> Model | None:
        return next((model for model in self.models if model.name == name), None)

    def typical(self, name: str) -> float:
        model = self.model(name)
        return model.typical if model else TYPICAL

    def cost(self, request: VideoRequest, currency: str) -> str | None:
        """Return the cost of a request as text for people; None if no price is known."""
        model = self.model(request.model)
        if model is None or not model.price(request.quality, audio=request.audio):
            return None
        return money(model.cost_of(request), currency)

    def unlinked(self) -> "Catalog":
        """Return the catalog for a service that serves no links.

        Kinds whose files are sent only as links are then not offered.
        """
        models = (
            replace(model, kinds=tuple(kind for kind in model.kinds if not model.links(kind)))
            for model in self.models
        )
        return replace(self, models=tuple(m for m in models if m.kinds), linked=False)

    def named(self, name: str) -> list[Model]:
        """Return the models with this name, or else of the only family that begins with it."""
        wanted = spelt(name)
        exact = [model for model in self.models if wanted in _names(model)]
        begun = [] if exact or not wanted else self._begun(wanted)
        return exact or (begun if len({model.family for model in begun}) == 1 else [])

    def _begun(self, wanted: str) -> list[Model]:
        return [m for m in self.models if any(each.startswith(wanted) for each in _names(m))]

    def choose(self, order: Order, *, spare_seed: int | None = None) -> tuple[Model, VideoRequest]:
        """Return the model for `order` and the request to send. Raises `Refused` with alternatives.

        The model is the first of the family that takes this kind and meets every wish. If the order
        names no family and the default family can't make it, the first family that can is used.
        `spare_seed` is sent if the same video can be made in a better quality later, or if the
        server makes the same video again without a seed.
        """
        made = order.remix_of
        model = self.model(made.model) if made else None
        is_there = made and model and model.gateway == made.gateway
        if made and model and is_there and Kind.REMIX in model.kinds and order.video is None:
            return model, remix_of(made, model, order, self.presets)
        kind = kind_of(order)
        if order.wish.fit and not order.pictures:
            raise Refused("fit_alone")
        if order.wish.quality:
            order = order.wishing(replace(order.wish, quality=order.wish.quality.casefold()))
        refused: list[Refused] = []
        for models in self._families_for(order.wish.family, kind):
            try:
                return self._first(models, order, kind, spare_seed)
            except Refused as why:
                refused.append(why)
        raise refused[0]

    def _first(
        self, models: Sequence[Model], order: Order, kind: Kind, spare_seed: int | None
    ) -> tuple[Model, VideoRequest]:
        able: list[tuple[Model, VideoRequest]] = []
        refused: list[tuple[Model, Refused]] = []
        for model in models:
            try:
                request = request_of(model, order, kind, self.presets, spare_seed=spare_seed)
                able.append((model, within(request, room(request), linked=self.linked)))
            except Refused as why:
                refused.append((model, why))
            if able and order.wish.quality != DRAFT:
                break
        if not able:
            raise refusal(refused, [each for each in self.models if kind in each.kinds])
        return min(able, key=_thrift)

    def _families_for(self, wanted: str | None, kind: Kind) -> list[list[Model]]:
        """Return the models that take this kind, by families, in the order in which to try them."""
        able = [model for model in self.models if kind in model.kinds]
        if not able:
            raise KindLacking(f"none_takes_{kind}", kind=kind)
        if wanted is None:
            families = dict.fromkeys((self.default, *(model.family for model in able)))
            sorted_ = ([model for model in able if model.family == each] for each in families)
            return [models for models in sorted_ if models]
        named = self.named(wanted)
        if not named:
            near = self._begun(spelt(wanted)) or self.models
            raise FamilyUnknown(family=wanted, can=alternatives(m.label for m in near))
        if both := [model for model in named if kind in model.kinds]:
            return [both]
        code, can = f"family_lacks_{kind}", listed(m.label for m in able)
        raise KindLacking(code, kind=kind, family=named[0].label, can=can)


def _thrift(made: tuple[Model, VideoRequest]) -> tuple[float, ...]:
    """Return a draft's rank by quality, cost and typical time. Less is better."""
    model, request = made
    return QUALITIES[request.quality or ""], model.cost_of(request), model.typical


def _names(model: Model) -> set[str]:
    return {spelt(model.family), spelt(model.label), spelt(model.name)}

"""The catalog: from what a person wants to a checked request and its cost.

A wish beyond a model is refused here, before it costs anything, with what it can do instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.core.choosing import kind_of, listed, refusal, remix_of, request_of
from bot.core.errors import FamilyUnknown, KindLacking, Refused
from bot.core.models import Model
from bot.core.orders import Kind, Order, Transport, VideoRequest
from bot.core.parts import room, within
from bot.core.presets import Presets
from bot.core.prices import money
from bot.core.prompts import spelt
from bot.core.wishes import DRAFT, QUALITIES

TYPICAL = 180.0
"""Seconds that a video takes of which nobody knows any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Every enabled model, in the order people see them."""

    models: tuple[Model, ...]
    default: str | None = None
    """The family for people who name none; None: the first that can."""
    presets: Presets = field(default_factory=dict)
    linked: bool = False
    """Whether our own copies of files can be linked to."""

    @property
    def families(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(model.family for model in self.models))

    def label(self, family: str) -> str:
        """The name people choose by, with its note; the id itself for a family that is gone."""
        its = (m for m in self.models if m.family == family)
        labels = (f"{m.label} ({m.note})" if m.note else m.label for m in its)
        return next(labels, family)

    def model(self, name: str) -> Model | None:
        return next((model for model in self.models if model.name == name), None)

    def typical(self, name: str) -> float:
        model = self.model(name)
        return model.typical if model else TYPICAL

    def cost(self, request: VideoRequest, currency: str) -> str | None:
        """Its cost, for people; None where no price is known."""
        model = self.model(request.model)
        if model is None or not model.price(request.quality, audio=request.audio):
            return None
        return money(model.cost_of(request), currency)

    def unlinked(self) -> "Catalog":
        """The same where nobody serves our copies: what takes only links takes words alone."""
        models = (
            replace(model, kinds=tuple(k for k in model.kinds if k in (Kind.TEXT, Kind.REMIX)))
            if model.picture and model.picture.transport is Transport.URL
            else model
            for model in self.models
        )
        return replace(self, models=tuple(m for m in models if m.kinds), linked=False)

    def named(self, name: str) -> list[Model]:
        """The models of that name; else those of the one family whose name begins like that."""
        wanted = spelt(name)
        exact = [model for model in self.models if wanted in _names(model)]
        begun = [] if exact or not wanted else self._begun(wanted)
        return exact or (begun if len({model.family for model in begun}) == 1 else [])

    def _begun(self, wanted: str) -> list[Model]:
        return [m for m in self.models if any(each.startswith(wanted) for each in _names(m))]

    def choose(self, order: Order, *, spare_seed: int | None = None) -> tuple[Model, VideoRequest]:
        """The model for `order` and the request to send; `Refused` says what can be had instead.

        Of a family's models that take this kind, the first that can do everything asked for; where
        no family is named and the usual one can't, the first family that can.
        `spare_seed` is sent where a better quality of the same video can be had later.
        """
        made = order.remix_of
        model = self.model(made.model) if made else None
        if made and model and model.gateway == made.gateway and Kind.REMIX in model.kinds:
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
        """The models that take this kind, by families, in the order in which they are tried."""
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
            raise FamilyUnknown(family=wanted, can=listed(m.label for m in near))
        if both := [model for model in named if kind in model.kinds]:
            return [both]
        code, can = f"family_lacks_{kind}", listed(m.label for m in able)
        raise KindLacking(code, kind=kind, family=named[0].label, can=can)


def _thrift(made: tuple[Model, VideoRequest]) -> tuple[float, ...]:
    """A draft's rank: quality, cost, then typical time; less is better."""
    model, request = made
    return QUALITIES[request.quality or ""], model.cost_of(request), model.typical


def _names(model: Model) -> set[str]:
    return {spelt(model.family), spelt(model.label), spelt(model.name)}

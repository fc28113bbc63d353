"""The kind of an order: decided by its files, and by the use that the person names for them.

This module also has the rules of the kinds with references and with videos.
"""

import math
from dataclasses import replace

from bot.core.clips import Added, VideoFit
from bot.core.errors import Broken, Refused
from bot.core.models import Model, VideoRule
from bot.core.orders import (
    VIDEO_BYTES,
    Clip,
    Kind,
    Order,
    Picture,
    Transport,
    VideoRequest,
    too_large,
)
from bot.core.wishes import Use

MOST_PICTURES = 10
"""The most pictures of one order: no vendor takes more references."""
AS_TEXT = 20_000_000
"""Most bytes of a video that is sent as text: the whole body is held in memory."""


def kind_of(order: Order) -> Kind:
    """Return the kind of an order by its files. Raises `Refused` for files that don't combine."""
    count, use = len(order.pictures), order.wish.use
    if order.video is not None:
        return _kind_of_video(order)
    if use in (Use.EDIT, Use.EXTEND):
        raise Refused(f"{use}_alone")
    if order.sound is not None:
        return _kind_of_sound(order)
    if use is not None and not count:
        raise Refused(f"{use}_alone")
    if count > MOST_PICTURES:
        raise Refused("too_many_pictures", count=count, most=MOST_PICTURES)
    if use is Use.FRAMES and count > 2:
        raise Refused("too_many_frames", count=count)
    if use is Use.CHARACTER or count > 2:
        return Kind.REFERENCES
    return (Kind.TEXT, Kind.PICTURE, Kind.KEY_FRAMES)[count]


def _kind_of_sound(order: Order) -> Kind:
    if (count := len(order.pictures)) != 1:
        raise Refused("sound_of_many" if count else "sound_alone", count=count)
    if order.wish.use is Use.CHARACTER:
        raise Refused("sound_with_character")
    return Kind.SOUND


def _kind_of_video(order: Order) -> Kind:
    """Return the kind of an order with a video. No model takes other files beside a video."""
    if order.sound is not None:
        raise Refused("video_with_sound")
    if order.pictures:
        raise Refused("video_with_pictures", count=len(order.pictures))
    if order.wish.use in (Use.FRAMES, Use.CHARACTER):
        raise Refused("video_no_picture")
    return Kind.EXTEND if order.wish.use is Use.EXTEND else Kind.VIDEO


def shaping(order: Order) -> tuple[Picture | Clip, ...]:
    """Return the files of an order whose shape the new video has: none for references."""
    if order.video is not None:
        return (order.video,)
    return () if kind_of(order) is Kind.REFERENCES else order.pictures


def check_count(model: Model, order: Order) -> None:
    """Raise `Refused` if the model takes more or fewer pictures as references."""
    count, can = len(order.pictures), model.references
    if can.takes(count):
        return
    values = {"family": model.label, "count": count, "references": count}
    if count < can.least:
        raise Refused("too_few_references", **values, least=can.least)
    raise Refused("too_many_references", **values, most=can.most)


def goes_on_by_id(model: Model, order: Order) -> bool:
    """Whether the model goes on from a video that its gateway made, by the gateway's id."""
    made = order.remix_of
    has_made = made is not None and (made.model, made.gateway) == (model.name, model.gateway)
    return bool(model.places.extend_id) and has_made


def check_video(model: Model, order: Order, kind: Kind) -> None:
    """Raise `Refused` if the model surely can't use the order's video.

    Networks may declare no length, or a rounded one: the true length is checked later.
    """
    if order.video is None or goes_on_by_id(model, order):
        return
    if not model.places.files.get(kind) or model.video is None:
        raise Refused("video_not_made_there", family=model.label)
    if order.video.source and order.video.size > VIDEO_BYTES:
        raise too_large(order.video, order.video.size)
    if order.video.seconds:
        fit = model.video.fit
        (fit.check if is_measured(order.video) else fit.declared)(order.video.seconds)


def input_seconds(model: Model, order: Order) -> int:
    """Return the whole seconds that the order's video has at most."""
    if order.video is None or model.video is None:
        return 0
    longest = math.ceil(model.video.fit.most_seconds)
    if not order.video.seconds:
        return longest
    length = order.video.seconds
    # Networks may round to whole seconds.
    whole = math.ceil(length) if is_measured(order.video) else math.floor(length) + 1
    return min(whole, longest)


def is_measured(video: Clip) -> bool:
    """Whether the video's length is that of a file in our storage."""
    return bool(video.key or video.video_of)


def with_video(model: Model, order: Order, request: VideoRequest) -> VideoRequest:
    """Return the request with the fields for the order's video, or for its id at the gateway."""
    rule, made = model.video, order.remix_of
    priced = input_seconds(model, order) if rule and rule.priced else 0
    if made is not None and goes_on_by_id(model, order):
        ids = ((path, made.gateway_id) for path in model.places.extend_id)
        parameters = (*request.parameters, *ids)
        return replace(request, parameters=parameters, input_seconds=priced)
    if rule is None:
        raise Broken("no_rule", model=model.name)
    return replace(
        request,
        parameters=(*request.parameters, *model.places.constants(request.kind, 1)),
        transport=rule.transport,
        url_above=rule.url_above,
        places=model.places.of_files(request.kind, 1),
        video_fit=_fit(rule, model, order, request),
        input_seconds=priced,
        added=_added(rule, model, order, request),
    )


def _added(rule: VideoRule, model: Model, order: Order, request: VideoRequest) -> Added | None:
    """Return how the length is chosen once the order's video is measured; None if it is known."""
    is_known = order.video is None or order.video.seconds or order.wish.seconds
    if is_known or not rule.included:
        return None
    lengths = model.lengths(request.quality or "")
    return Added(seconds=lengths[0], can=tuple(sorted(lengths)))


def _fit(rule: VideoRule, model: Model, order: Order, request: VideoRequest) -> VideoFit:
    """Return the requirements for the order's video.

    If its length counts, a video that is longer than its network declared is refused: it would
    cost more than was admitted, or leave no time for what is to be added.
    """
    fit = rule.fit
    if rule.transport in (Transport.DATA_URI, Transport.BASE64):
        fit = replace(fit, most_bytes=min(fit.most_bytes, AS_TEXT))
    counts = rule.priced or rule.included
    if order.video is None or is_measured(order.video) or not counts:
        return fit
    most = min(fit.most_seconds, input_seconds(model, order))
    if rule.included:
        most = min(most, request.seconds - 1)
    return replace(fit, most_seconds=max(fit.least_seconds, most))

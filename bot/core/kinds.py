"""The kind of an order: decided by its files, and by the use that the person names for them."""

from bot.core.errors import Refused
from bot.core.orders import Kind, Order
from bot.core.wishes import Use

MOST_PICTURES = 10
"""The most pictures of one order: no vendor takes more references."""


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

"""Vidu behind new-api: pictures only as base64, with their `data:` prefix.

The number of pictures decides the kind of video. A file is dropped silently: the vendor makes a
video from the prompt alone, at the same price.
"""

from collections.abc import Mapping

from bot.simulator.models import WAN_SIZES, Size
from bot.simulator.pictures import data_uri, following, head_of, is_address
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture, Scene
from bot.simulator.vendors.limits import PictureRules
from bot.simulator.vendors.submission import Submission, rejected, whole

FIELDS: Mapping[str, type] = {
    "resolution": str,
    "seed": int,
    "movement_amplitude": str,
    "bgm": bool,
    "images": list,
    "action": str,
}
TIER = "1080p"
AMPLITUDES = ("auto", "small", "medium", "large")
LONGEST = 1500
MOST = 7  # pictures
PICTURES = PictureRules(formats=frozenset({"PNG", "JPEG", "WEBP"}), ratio=4)


def scene(sent: Submission) -> Scene:
    """Return the video that Vidu makes of a request, or its refusal."""
    said = sent.fields(FIELDS)
    tier = str(said.get("resolution") or sent.size or TIER)
    if tier != TIER:
        raise refused(f"resolution {tier} is not supported by {sent.model}")
    if (sent.duration or whole(sent.seconds, 5)) != 5:
        raise refused(f"duration is not supported by {sent.model}")
    if len(sent.prompt) > LONGEST:
        raise refused(f"prompt has more than {LONGEST} characters")
    if said.get("movement_amplitude", "auto") not in AMPLITUDES:
        raise refused("movement_amplitude is not supported")
    pictures = _pictures(sent, said)
    width, height = _size(pictures)
    return Scene(
        model=sent.model,
        prompt=sent.prompt,
        width=width,
        height=height,
        seconds=5,
        pictures=pictures,
        sound=said.get("bgm") is True,
        seed=max(int(str(said.get("seed", 0))), 0),
    )


def _pictures(sent: Submission, said: Mapping[str, object]) -> tuple[Picture, ...]:
    given = said.get("images")
    texts = given if isinstance(given, list) and given else sent.addresses
    if len(texts) > MOST:
        raise refused(f"there are more than {MOST} images")
    return tuple(_picture(str(text)) for text in texts)


def _picture(text: str) -> Picture:
    if is_address(text):
        return text
    decoded = data_uri(text)
    if decoded is None:
        raise refused("an image is neither a URL nor base64 with its content type")
    if complaint := PICTURES.complaint(decoded[1]):
        raise refused(complaint)
    return decoded[1]


def _size(pictures: tuple[Picture, ...]) -> Size:
    """Return the size of the video, which follows one picture or two frames.

    With other numbers of pictures the size is fixed.
    """
    sizes = WAN_SIZES["1080P"]
    match pictures:
        case (bytes() as first,) | (bytes() as first, _):
            return following(head_of(first).size, sizes)
        case _:
            return sizes[0]


def refused(message: str) -> Refused:
    """Return Vidu's refusal."""
    return rejected({"reason": "FieldInvalid", "message": message, "metadata": {}})

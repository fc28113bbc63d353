"""The models that a gateway knows: their names in requests, and the API document's facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Takes(StrEnum):
    """The files that a model takes besides the prompt."""

    TEXT = "no picture"
    ANY = "a picture or none"
    PICTURE = "one picture"
    FRAMES = "a first and a last picture"
    SOUND = "a picture and a sound"


class Family(StrEnum):
    """The vendors of models. A value is the beginning of the names of the vendor's models."""

    SORA = "sora"
    WAN = "wan"
    KLING = "kling"
    JIMENG = "jimeng"
    VIDU = "vidu"


Size = tuple[int, int]

# "Resolution Support" of the document. The first size of a tier is the tier's default.
WAN_SIZES: Mapping[str, tuple[Size, ...]] = {
    "480P": ((832, 480), (480, 832), (624, 624)),
    "720P": ((1280, 720), (720, 1280), (960, 960), (1088, 832), (832, 1088)),
    "1080P": ((1920, 1080), (1080, 1920), (1440, 1440), (1632, 1248), (1248, 1632)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model: the files that it takes, how pictures must be sent, and its sizes."""

    takes: Takes
    urls_only: bool = False  # "Direct file upload is not supported"
    sizes: frozenset[Size] | None = None  # None: any
    silent: bool = False


def _wan(takes: Takes, *, silent: bool = False) -> Model:
    sizes = frozenset(size for tier in WAN_SIZES.values() for size in tier)
    return Model(takes=takes, urls_only=True, sizes=sizes, silent=silent)


MODELS: Mapping[str, Model] = {
    "sora-2": Model(takes=Takes.ANY),
    "wan2.5-t2v-preview": _wan(Takes.TEXT),
    "wan2.5-i2v-preview": _wan(Takes.PICTURE),
    "wan2.2-i2v-flash": _wan(Takes.PICTURE, silent=True),
    "wan2.2-i2v-plus": _wan(Takes.PICTURE, silent=True),
    "wanx2.1-i2v-plus": _wan(Takes.PICTURE),
    "wanx2.1-i2v-turbo": _wan(Takes.PICTURE),
    "wan2.2-kf2v-flash": _wan(Takes.FRAMES),  # in a sample of the document, not in its list
    "kling-v1": Model(takes=Takes.ANY),
    "kling-v2-master": Model(takes=Takes.ANY),
    "jimeng_vgfm_t2v_l20": Model(takes=Takes.TEXT),
    "jimeng_vgfm_i2v_l20": Model(takes=Takes.PICTURE),
    "viduq1": Model(takes=Takes.ANY),
}
# The document has this kind but not the model's name; new-api drops its picture.
SINGERS: Mapping[str, Model] = {"wan2.2-s2v": _wan(Takes.SOUND)}
# Names that a gateway's operator sets up; new-api maps them to the vendor's by the pictures sent.
JIMENG_V30: Mapping[str, Model] = {
    "jimeng_v30": Model(takes=Takes.ANY),
    "jimeng_v30_720p": Model(takes=Takes.TEXT),
    "jimeng_v30_1080p": Model(takes=Takes.ANY),
    "jimeng_v30_pro": Model(takes=Takes.ANY),
}
SORA: Mapping[str, Model] = {"sora-2": MODELS["sora-2"], "sora-2-pro": Model(takes=Takes.ANY)}
# The model that a server of one's own serves by default.
WAN: Mapping[str, Model] = {"Wan-AI/Wan2.2-TI2V-5B-Diffusers": Model(takes=Takes.ANY)}


def family(model: str) -> Family:
    """Return a model's vendor by the model's name. Raises `ValueError` for an unknown name."""
    for each in Family:
        if model.startswith(each):
            return each
    raise ValueError(f"nobody's model: {model!r}")

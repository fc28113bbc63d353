"""For every option: a value as people type it, and the same value as a wish holds it."""

from collections.abc import Mapping

from bot.core.wishes import AUTO, Choice, Shaping, Use

TYPED: Mapping[str, tuple[str, Choice]] = {
    "model": ("Wan", "Wan"),
    "seconds": ("auto", AUTO),
    "aspect": ("16×9", "16:9"),
    "quality": ("720 p", "720p"),
    "preset": ("A loop", "A loop"),
    "fit": ("Pad", Shaping.PAD),
    "negative": ("rain", "rain"),
    "seed": ("7", 7),
    "sound": ("off", False),
    "enhance": ("no", False),
    "watermark": ("ON", True),
    "use": ("Frames", Use.FRAMES),
}
UNREADABLE: Mapping[str, tuple[str, str]] = {
    "seconds": ("ten", "seconds_unreadable"),
    "fit": ("stretch", "fit_unknown"),
    "seed": ("7s", "seed_unreadable"),
    "use": ("hero", "use_unknown"),
    "sound": ("loud", "switch_unreadable"),
    "enhance": ("loud", "switch_unreadable"),
    "watermark": ("loud", "switch_unreadable"),
}
"""Option → text that is no value of this option, and the code of the refusal."""

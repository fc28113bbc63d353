"""The models of the simulated OpenRouter: what its list tells, what it hides, and prices.

The models resemble those of the summer of 2026. They differ from each other in every ability.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.simulator.models import Size
from bot.simulator.scenes import FPS, Scene

FIRST, LAST = "first_frame", "last_frame"
IMAGE, VIDEO, AUDIO = "image_url", "video_url", "audio_url"
CREATED = 1_780_000_000
SHORT = 720
"""The short side in pixels of videos of models whose resolution can't be chosen."""

WIDE, TALL = "16:9", "9:16"
RATIOS = (WIDE, TALL, "1:1", "4:3", "3:4")
CINEMA = (*RATIOS, "3:2", "2:3", "21:9", "9:21")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A model. None means that the parameter can't be set.

    The list of models does not tell `provider`, `references`, `most`, `needs`, `wordless` and
    `continues`. `references` are the types of references that the provider takes, `most` is their
    greatest number, `needs` is what the model can't work without. A `wordless` model needs no
    prompt.
    """

    name: str
    provider: str
    durations: tuple[int, ...] | None
    resolutions: tuple[str, ...] | None
    ratios: tuple[str, ...] | None = RATIOS
    sizes: tuple[str, ...] | None = None
    frames: tuple[str, ...] | None = (FIRST,)
    sound: bool | None = None
    seed: bool | None = None
    prices: Mapping[str, str] | None
    options: tuple[str, ...] = ()
    references: frozenset[str] = frozenset({IMAGE})
    most: int = 4
    needs: str = ""
    wordless: bool = False
    continues: bool = False

    def listed(self, model: str) -> dict[str, object]:
        """Return the model as `/videos/models` shows it."""
        upscales = self.needs == VIDEO
        return {
            "id": model,
            "canonical_slug": f"{model}-20260601",
            "hugging_face_id": None,
            "name": self.name,
            "created": CREATED,
            "description": f"{self.name}, simulated.",
            "supported_resolutions": self.resolutions,
            "supported_aspect_ratios": self.ratios,
            "supported_sizes": self.sizes,
            "supported_durations": self.durations,
            "supported_frame_images": self.frames,
            "generate_audio": self.sound,
            "seed": self.seed,
            "creativity": [1, 2, 3] if upscales else None,
            "upscale_factor": {"min": 1, "max": 4} if upscales else None,
            "pricing_skus": self.prices,
            "allowed_passthrough_parameters": self.options,
        }

    def size(self, resolution: str, ratio: str) -> Size:
        """Return the pixels of a resolution and a ratio."""
        short = int(resolution.removesuffix("p")) if resolution else SHORT
        across, down = map(int, ratio.split(":"))
        scale = short / min(across, down)
        return round(across * scale / 2) * 2, round(down * scale / 2) * 2

    def cost(self, scene: Scene) -> float | None:
        """Return the price of a video in dollars by the most specific of the model's prices."""
        tier = f"{min(scene.width, scene.height)}p"
        sound = "with" if scene.sound else "without"
        fitting = [
            (len(sku), float(price) * _units(sku, scene))
            for sku, price in (self.prices or {}).items()
            if _word(sku, r"\d+p") in ("", tier)
            and _word(sku, r"with(?:out)?(?=_audio)") in ("", sound)
        ]
        return round(max(fitting)[1], 6) if fitting else None


def _word(sku: str, pattern: str) -> str:
    found = re.search(pattern, sku)
    return found[0] if found else ""


def _units(sku: str, scene: Scene) -> float:
    """Return how many units of a price a video has."""
    if sku.startswith("video_tokens"):
        return scene.width * scene.height * FPS * scene.seconds / 1024
    return scene.seconds / 100 if sku.startswith("cents") else scene.seconds


OFFERED: Mapping[str, Offered] = {
    "google/veo-3.1": Offered(
        name="Google: Veo 3.1",
        provider="google-vertex",
        durations=(4, 6, 8),
        resolutions=("720p", "1080p"),
        ratios=(WIDE, TALL),
        sizes=("1280x720", "720x1280", "1920x1080", "1080x1920"),
        frames=(FIRST, LAST),
        sound=True,
        seed=True,
        prices={"per-video-second": "0.40", "per-video-second-1080p": "0.60"},
        options=("personGeneration", "negativePrompt", "enhancePrompt"),
        most=3,
        continues=True,
    ),
    "bytedance/seedance-2.0": Offered(
        name="ByteDance: Seedance 2.0",
        provider="byteplus",
        durations=tuple(range(4, 16)),
        resolutions=("480p", "720p", "1080p"),
        ratios=CINEMA,
        frames=(FIRST, LAST),
        sound=True,
        seed=True,
        prices={"video_tokens": "0.000007", "video_tokens_without_audio": "0.0000035"},
        options=("watermark", "camera_fixed"),
        references=frozenset({IMAGE, VIDEO, AUDIO}),
        most=9,
    ),
    "alibaba/wan-2.6": Offered(
        name="Alibaba: Wan 2.6",
        provider="alibaba",
        durations=(5, 10, 15),
        resolutions=("720p", "1080p"),
        sizes=("1280x720", "720x1280", "1920x1080", "1080x1920"),
        sound=True,
        seed=True,
        prices={"duration_seconds_720p": "0.10", "duration_seconds_1080p": "0.15"},
        options=("negative_prompt", "prompt_extend", "watermark"),
        most=5,
    ),
    "alibaba/wan-2.6-i2v-flash": Offered(
        name="Alibaba: Wan 2.6 Image to Video Flash",
        provider="alibaba",
        durations=(5, 10),
        resolutions=("720p", "1080p"),
        ratios=None,
        sound=True,
        seed=True,
        prices={
            "duration_seconds_with_audio_720p": "0.05",
            "duration_seconds_without_audio_720p": "0.025",
            "duration_seconds_with_audio_1080p": "0.075",
            "duration_seconds_without_audio_1080p": "0.0375",
        },
        options=("negative_prompt",),
        references=frozenset(),
        needs=FIRST,
        wordless=True,
    ),
    "minimax/hailuo-2.3": Offered(
        name="MiniMax: Hailuo 2.3",
        provider="minimax",
        durations=(6, 10),
        resolutions=("768p", "1080p"),
        ratios=None,
        sound=False,
        seed=False,
        prices={"per-video-second": "0.047", "per-video-second-1080p": "0.082"},
        options=("prompt_optimizer",),
        references=frozenset(),
    ),
    "kwaivgi/kling-v3": Offered(
        name="Kling: Kling 3",
        provider="atlas-cloud",
        durations=(5, 10),
        resolutions=None,
        ratios=(WIDE, TALL, "1:1"),
        frames=(FIRST, LAST),
        sound=False,
        prices={"cents_per_second_output": "9"},
    ),
    "x-ai/grok-imagine-video": Offered(
        name="xAI: Grok Imagine Video",
        provider="xai",
        durations=tuple(range(1, 16)),
        resolutions=("480p", "720p"),
        sound=True,
        prices={"per-video-second": "0.05", "per-video-second-720p": "0.07"},
        most=7,
        continues=True,
    ),
    "amazon/nova-reel-1.1": Offered(
        name="Amazon: Nova Reel 1.1",
        provider="amazon-bedrock",
        durations=(6,),
        resolutions=("720p",),
        ratios=(WIDE,),
        sizes=("1280x720",),
        frames=None,
        seed=True,
        prices=None,
        references=frozenset(),
    ),
    "topaz/video-upscale": Offered(
        name="Topaz: Video Upscale",
        provider="topaz",
        durations=None,
        resolutions=None,
        ratios=None,
        frames=None,
        prices={"cents_per_second_output": "2"},
        references=frozenset({VIDEO}),
        most=1,
        needs=VIDEO,
        wordless=True,
    ),
}

"""OpenAI's own API: strict about what it takes, and everything it says has every key."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.simulator.bodies import Body
from bot.simulator.profiles.profile import Profile
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Scene
from bot.simulator.vendors import sora
from bot.simulator.videos import Video

KINDS = ("multipart/form-data", "application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAi(Profile):
    """The vendor itself, with no gateway before it."""

    lifetime: int = sora.KEPT
    lists: bool = True
    variants: bool = True
    remixes: bool = True

    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for."""
        self._check_kind(body)
        return sora.scene(body, self.models)

    def remix(self, body: Body, video: Video) -> Scene:
        """Return the same video by other words; nothing else can be asked."""
        self._check_kind(body)
        for name in [*body.fields, *body.files]:
            if name != "prompt":
                words = f"Unknown parameter: '{name}'."
                raise Refused(words, param=name, code="unknown_parameter")
        return replace(video.scene, prompt=sora.prompt(body))

    def accepted(self, video: Video) -> dict[str, object]:
        """The video object of a video that is only queued."""
        return sora.described(video, video.created_at) | {"status": "queued", "progress": 0}

    def told(self, video: Video, now: float, _url: str) -> dict[str, object]:
        """The video object; there is no address in it."""
        return sora.described(video, now)

    def headers(self) -> dict[str, str]:
        """Every answer has a name that support asks for."""
        return {"x-request-id": f"req_{secrets.token_hex(16)}"}

    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """The one envelope."""
        return sora.complaint(refusal)

    def bad_key(self) -> Refused:
        """The request has no key, or one that nobody gave out."""
        return Refused("Incorrect API key provided.", 401, code="invalid_api_key")

    def not_ready(self, _video: Video, _now: float) -> Refused:
        """It is as if there were nothing yet."""
        return Refused("Video is not ready yet; look at its status first.", 404)

    def busy(self) -> Refused:
        """Too many videos of this key are under way."""
        return Refused("Rate limit reached for videos.", 429, code="rate_limit_exceeded")

    def nowhere(self, method: str, path: str) -> Refused:
        """There is no such address."""
        return Refused(f"Invalid URL ({method} {path})", 404)

    def _check_kind(self, body: Body) -> None:
        if body.kind not in KINDS:
            raise Refused(
                f"Unsupported content type: '{body.kind}'.", code="unsupported_content_type"
            )

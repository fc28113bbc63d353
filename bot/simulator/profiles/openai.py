"""OpenAI's own API: it checks requests strictly, and its video objects always have every key."""

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
    """The vendor itself, without a gateway in front."""

    lifetime: int = sora.KEPT
    lists: bool = True
    variants: bool = True
    remixes: bool = True

    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for."""
        self._check_kind(body)
        return sora.scene(body, self.models)

    def remix(self, body: Body, video: Video) -> Scene:
        """Return the same video with another prompt; no other parameter is allowed."""
        self._check_kind(body)
        for name in [*body.fields, *body.files]:
            if name != "prompt":
                words = f"Unknown parameter: '{name}'."
                raise Refused(words, param=name, code="unknown_parameter")
        return replace(video.scene, prompt=sora.prompt(body))

    def accepted(self, video: Video) -> dict[str, object]:
        """Return the video object of a queued video."""
        return sora.described(video, video.created_at) | {"status": "queued", "progress": 0}

    def shown(self, video: Video, now: float, _url: str) -> dict[str, object]:
        """Return the video object, which contains no link."""
        return sora.described(video, now)

    def headers(self) -> dict[str, str]:
        """Return the headers of every response: a request id for support."""
        return {"x-request-id": f"req_{secrets.token_hex(16)}"}

    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """Return the only error envelope."""
        return sora.complaint(refusal)

    def bad_key(self) -> Refused:
        """Return the refusal of a missing or unknown key."""
        return Refused("Incorrect API key provided.", 401, code="invalid_api_key")

    def not_ready(self, _video: Video, _now: float) -> Refused:
        """Return the refusal for unfinished content, which looks as if there were no video."""
        return Refused("Video is not ready yet; look at its status first.", 404)

    def busy(self) -> Refused:
        """Return the refusal if a key has too many unfinished videos."""
        return Refused("Rate limit reached for videos.", 429, code="rate_limit_exceeded")

    def nowhere(self, method: str, path: str) -> Refused:
        """Return the refusal for an unknown address."""
        return Refused(f"Invalid URL ({method} {path})", 404)

    def _check_kind(self, body: Body) -> None:
        if body.kind not in KINDS:
            raise Refused(
                f"Unsupported content type: '{body.kind}'.", code="unsupported_content_type"
            )

"""OpenRouter: one account for the video models of many providers, in a dialect of its own.

Requests are JSON. Answers have other words and other fields than OpenAI's: errors are texts, links
come in a signed and an unsigned kind, and the cost stands in the answer at the end.
"""

import hashlib
import hmac
import secrets
import string
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from yarl import URL

from bot.simulator.bodies import Body
from bot.simulator.models import Model, Takes
from bot.simulator.plugins import Built, Translated
from bot.simulator.profiles.openrouter_models import CREATED, OFFERED
from bot.simulator.profiles.openrouter_requests import Asked, read
from bot.simulator.profiles.profile import Find, Profile
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Scene
from bot.simulator.videos import Failure, State, Video

WAITS = 0.2  # the share of its time for which a video is pending
LETTERS = string.ascii_letters + string.digits
CHAT_MODELS = ("openai/gpt-5.2", "anthropic/claude-sonnet-5")
SECRET = b"the key of the simulated storage"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRouter(Profile):
    """OpenRouter. Its addresses begin with `/api/v1`; a client may also leave `/api` to its base.

    The list of models does not tell which of them take references or go on from an earlier video.
    """

    bases: tuple[str, ...] = ("/api/v1", "/v1")
    public: bool = True
    created: int = 202

    # ----------------------------------------------------------------------- requests

    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for."""
        return self.order(body, lambda _: None)[0]

    def order(self, body: Body, find: Find) -> tuple[Scene, Translated | None]:
        """Return the video, and the request that reaches the provider."""
        if body.json is None:
            raise Refused("Invalid JSON body")
        asked = read(body.json)
        if asked.previous:
            _check_previous(asked, find(asked.previous))
        scene = Scene(
            model=asked.model,
            prompt=asked.prompt,
            width=asked.width,
            height=asked.height,
            seconds=asked.seconds,
            pictures=asked.pictures,
            sound=asked.sound,
            seed=max(asked.seed or 0, 0),
        )
        return scene, Translated(asked.offered.provider, "", _built(asked, scene))

    def unreadable(self, _refusal: Refused) -> Refused:
        """Return the refusal of anything but a JSON object."""
        return Refused("Invalid JSON body")

    def named(self, _scene: Scene) -> str:
        """Return a new id: it has the time of the request in it."""
        letters = "".join(secrets.choice(LETTERS) for _ in range(20))
        return f"gen-vid-{int(time.time())}-{letters}"

    # ------------------------------------------------------------------------ answers

    def accepted(self, video: Video) -> dict[str, object]:
        """Return the body of the answer to an accepted request; the address is relative."""
        return {"id": video.id, "polling_url": f"/api/v1/videos/{video.id}", "status": "pending"}

    def shown(self, video: Video, now: float, url: str) -> dict[str, object]:
        """Return the body of a response to a poll."""
        body = self.accepted(video)
        match video.state(now):
            case "processing":
                waits = video.share(now) < WAITS
                return body | {"status": "pending" if waits else "in_progress"}
            case "failed":
                failure = video.failure or Failure("The provider gave the video up.", "")
                return body | {"status": "failed", "error": self.error(failure)}
            case "succeeded":
                return body | self._done(video, now, url)

    def _done(self, video: Video, now: float, url: str) -> dict[str, object]:
        expires = int(video.created_at) + self.lifetime
        content = URL(url).with_path(f"/api/v1/videos/{video.id}/content").with_query(index=0)
        stored = {"urls": [url], "expires_at": expires} if now < expires else {}
        return {
            "status": "completed",
            "generation_id": video.id.replace("gen-vid-", "gen-"),
            "unsigned_urls": [str(content)],
            "usage": {"cost": OFFERED[video.scene.model].cost(video.scene), "is_byok": False},
            **stored,
        }

    def error(self, failure: Failure) -> object:
        """Return the error of a failed video: a text."""
        return failure.message

    def listed(self, query: Mapping[str, str]) -> dict[str, object]:
        """Return the body of `/models`: only models for texts, unless others are asked for."""
        asked = query.get("output_modalities", "text").split(",")
        shown = [_model(name, "text") for name in CHAT_MODELS]
        shown += [_model(name, "video") for name in OFFERED]
        chosen = [it for kind, it in shown if kind in asked or "all" in asked]
        links = {"next": None, "prev": None, "self": "/api/v1/models"}
        return {"data": chosen, "total_count": len(chosen), "links": links}

    def abilities(self) -> dict[str, object]:
        """Return the body of `/videos/models`: every video model with its abilities and prices."""
        return {"data": [offered.listed(model) for model, offered in OFFERED.items()]}

    def signature(self, name: str, created_at: float) -> str:
        """Return the query that opens the link to a video's file until the link expires."""
        expires = str(int(created_at) + self.lifetime)
        return urlencode({"Expires": expires, "Signature": _signed(name, expires)})

    def opens(self, video: Video, query: Mapping[str, str], now: float) -> bool:
        """Whether a link with this query opens the video's file."""
        expires = query.get("Expires", "")
        right = hmac.compare_digest(_signed(video.id, expires), query.get("Signature", ""))
        return right and now < int(expires)

    # ----------------------------------------------------------------------- refusals

    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """Return the only error envelope; its code is the status."""
        return {"error": {"code": refusal.status, "message": refusal.message}}

    def bad_key(self) -> Refused:
        """Return the refusal of a missing or unknown key."""
        return Refused("User not found.", 401)

    def unknown(self) -> Refused:
        """Return the refusal for an id that is unknown or another key's."""
        return Refused("Video generation job not found", 404)

    def not_ready(self, video: Video, now: float) -> Refused:
        """Return the refusal for the content of a video that is unfinished or failed.

        The published client knows 404, 409 and 410 here; which of them means what is our guess.
        """
        if video.state(now) == "failed":
            return Refused("Video generation failed", 404)
        return Refused("Video generation is not complete", 409)

    def withholds(self, _video: Video, query: Mapping[str, str], _url: str) -> Refused | None:
        """Return a refusal for an output that does not exist: a video has one."""
        if query.get("index", "0") == "0":
            return None
        return Refused("Output not found", 404)

    def busy(self) -> Refused:
        """Return the refusal if a key has too many unfinished videos."""
        return Refused("Rate limit exceeded", 429)

    def nowhere(self, _method: str, _path: str) -> Refused:
        """Return the refusal for an unknown address."""
        return Refused("Not Found", 404)


def _check_previous(asked: Asked, found: tuple[Video, State] | None) -> None:
    """Raise `Refused` if the earlier job can't be continued by this request."""
    if found is None:
        raise Refused("Previous video generation job not found", 404)
    previous, state = found
    if previous.scene.model != asked.model:
        raise Refused(f"The previous job used another model: {previous.scene.model}")
    if state != "succeeded":
        raise Refused("The previous job has not completed")


def _built(asked: Asked, scene: Scene) -> Built:
    cost = asked.offered.cost(scene)
    return Built(
        body=asked.sent,
        prompt=asked.prompt,
        seconds=asked.seconds,
        unit="" if cost is None else "USD",
        held=0.0,
        settled=cost or 0.0,
        resolution=asked.resolution,
        ratio=asked.ratio,
        pictures=asked.shots,
        seed=asked.seed,
        negative_prompt=asked.negative_prompt,
        sound=asked.sound,
    )


def _signed(name: str, expires: str) -> str:
    return hmac.new(SECRET, f"{name} {expires}".encode(), hashlib.sha256).hexdigest()


def _model(name: str, makes: str) -> tuple[str, dict[str, object]]:
    """Return what a model makes, and the model as `/models` shows it."""
    architecture = {
        "modality": f"text+image->{makes}",
        "input_modalities": ["text", "image"],
        "output_modalities": [makes],
    }
    return makes, {
        "id": name,
        "canonical_slug": f"{name}-20260601",
        "name": OFFERED[name].name if name in OFFERED else name,
        "created": CREATED,
        "architecture": architecture,
        "pricing": {"prompt": "0", "completion": "0"},
        "context_length": 0 if makes == "video" else 200_000,
        "top_provider": {"is_moderated": True},
        "per_request_limits": None,
        "supported_parameters": [],
        "supported_voices": None,
        "default_parameters": None,
        "links": {"details": f"/api/v1/models/{name}/endpoints"},
    }


OPENROUTER = OpenRouter(name="openrouter", models=dict.fromkeys(OFFERED, Model(takes=Takes.ANY)))

"""new-api, the gateway software of most resellers, in generations A (2025-12) and B (2026-06).

new-api adapts every request for a vendor and answers from its own row, which it updates at each
tick; for wan and sora it shows the vendor's latest response instead.
"""

import json
import math
import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.simulator.bodies import Body
from bot.simulator.models import SORA, Family, family
from bot.simulator.presets import FULL
from bot.simulator.profiles.profile import Profile
from bot.simulator.refusals import Refused, flat
from bot.simulator.scenes import Scene
from bot.simulator.vendors import jimeng, kling, sora, submission, vidu, wan
from bot.simulator.vendors.submission import Generation, Submission
from bot.simulator.videos import Video

TICK = 15.0
SWEEP = 86400.0


class Row(StrEnum):
    """The status of a task in the gateway's own table."""

    NOT_START = "NOT_START"
    SUBMITTED = "SUBMITTED"
    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


WORDS: Mapping[Row, tuple[str, int]] = {
    Row.NOT_START: ("unknown", 0),
    Row.SUBMITTED: ("queued", 10),
    Row.QUEUED: ("queued", 20),
    Row.IN_PROGRESS: ("in_progress", 30),
    Row.SUCCESS: ("completed", 100),
    Row.FAILURE: ("failed", 100),
}
VENDORS: Mapping[Family, Callable[[Submission], Scene]] = {
    Family.WAN: wan.scene,
    Family.KLING: kling.scene,
    Family.JIMENG: jimeng.scene,
    Family.VIDU: vidu.scene,
}
# The share of a video's time until which its row has this status.
STEPS = ((0.2, Row.SUBMITTED), (0.4, Row.QUEUED))
UNSEEN = 0.1  # the same for NOT_START, if the gateway polls its vendor without delay
SIZES = {"sora-2": sora.SIZES["sora-2"], "sora-2-pro": sora.SIZES["sora-2-pro"]}
LARGE = ("1792x1024", "1024x1792")  # billed × 1.6667
NUMBERED = (Family.KLING, Family.JIMENG, Family.VIDU)
DATED = (Family.WAN, Family.JIMENG, Family.VIDU)  # completed_at, even while queued
ALWAYS_LINKED = (Family.WAN, Family.JIMENG)  # metadata.url, even if empty


def row(video: Video, now: float) -> Row:
    """Return the status of a video in the gateway's table."""
    match video.state(now):
        case "succeeded":
            return Row.SUCCESS
        case "failed":
            return Row.FAILURE
        case "processing":
            share = video.share(now)
            looked = video.seen(now) > video.created_at if video.tick else share >= UNSEEN
            steps = (step for until, step in STEPS if share < until)
            return next(steps, Row.IN_PROGRESS) if looked else Row.NOT_START


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApi(Profile):
    """A new-api gateway. Its fields and `generation` say how it differs from other versions."""

    generation: Generation
    tick: float = TICK
    ranges: bool = False
    heads: bool = False

    # ----------------------------------------------------------------------- requests

    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for."""
        name = body.fields.get("model", "")
        if not name:
            raise Refused("model name is required")
        if name not in self.models:
            code = "model_not_found" if self.generation == "B" else ""
            raise Refused(f"no channel for model {name}", 503, code=code)
        vendor = family(name)
        sent = submission.read(body, model=name, family=vendor, generation=self.generation)
        return _sora(sent, body) if vendor is Family.SORA else VENDORS[vendor](sent)

    def remix(self, body: Body, video: Video) -> Scene:
        """Return the same video with another prompt; only sora's adaptor supports that."""
        if family(video.scene.model) is not Family.SORA:
            raise flat("not_implemented", "remix is not implemented", 501)
        text = body.fields.get("prompt", "")
        if not text.strip():
            raise flat("invalid_request", "prompt is required")
        return replace(video.scene, prompt=text)

    def named(self, scene: Scene) -> str:
        """Return a new id: generation B makes its own, A passes on the vendor's."""
        if self.generation == "B":
            letters = string.ascii_letters + string.digits
            return "task_" + "".join(secrets.choice(letters) for _ in range(32))
        match family(scene.model):
            case Family.SORA:
                return f"video_{secrets.token_hex(16)}"
            case Family.WAN:
                return str(uuid.uuid4())
            case _:
                return str(10**17 + secrets.randbelow(9 * 10**17))

    # ------------------------------------------------------------------------ answers

    def accepted(self, video: Video) -> dict[str, object]:
        """Return the body of the response to an accepted request, as the vendor's adaptor does."""
        vendor = family(video.scene.model)
        body: dict[str, object] = {
            "id": video.id,
            "object": "video",
            "model": video.scene.model,
            "created_at": int(video.created_at),
            "status": "queued",
            "progress": 0,
        }
        if vendor in NUMBERED or self.generation == "B":
            body["task_id"] = video.id
        if vendor in NUMBERED and self.generation == "A":
            body["status"] = ""
        if vendor is Family.WAN and self.generation == "A":
            body["model"] = ""
        if vendor is Family.SORA:
            body |= {"size": f"{video.scene.width}x{video.scene.height}"}
            body |= {"seconds": str(video.scene.seconds)}
        return body

    def shown(self, video: Video, now: float, url: str) -> dict[str, object]:
        """Return the body of a response to a poll: the row; for wan and sora the vendor's body."""
        vendor = family(video.scene.model)
        if vendor is Family.SORA:
            return _raw(video, now)
        stands = row(video, now)
        status, progress = WORDS[stands]
        if vendor is Family.WAN:
            status = _stale(video, now, status)
        body: dict[str, object] = {
            "id": video.id,
            "object": "video",
            "model": video.scene.model if vendor is Family.WAN else "",
            "status": status,
            "progress": progress,
            "created_at": int(video.created_at) * (1000 if vendor is Family.KLING else 1),
        }
        done = stands is Row.SUCCESS
        if vendor in DATED:
            body["completed_at"] = _updated(video, now)
        if vendor is Family.KLING and done:
            body["seconds"] = f"{video.scene.seconds + 0.1:.1f}"
        if done or vendor in ALWAYS_LINKED:
            body["metadata"] = {"url": url if done else ""}
        return body | _error(video, now, vendor)

    def headers(self) -> dict[str, str]:
        """Return the headers of every response: a request id for support, and the version."""
        return {
            "X-Oneapi-Request-Id": secrets.token_hex(16),
            "X-New-Api-Version": self.version,
        }

    def receipt(self, scene: Scene) -> dict[str, str]:
        """Return the header in which generation B tells how it computed the price."""
        priced = family(scene.model) in (Family.SORA, Family.WAN)
        if self.generation == "A" or not priced:
            return {}
        ratios: dict[str, float] = {"seconds": scene.seconds}
        if f"{scene.width}x{scene.height}" in LARGE:
            ratios["size"] = 1.666667
        return {"X-New-Api-Other-Ratios": json.dumps(ratios)}

    def file_headers(self, _video: Video) -> dict[str, str]:
        """Return the headers of a video file; the vendor's headers are not passed on."""
        return {"Cache-Control": "public, max-age=86400"}

    # ----------------------------------------------------------------------- refusals

    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """Return the envelope of a request that is refused before it becomes a task."""
        words = {"message": refusal.message, "type": "new_api_error"}
        return {"error": {**words, "code": refusal.code or ""}}

    def bad_key(self) -> Refused:
        """Return the refusal of a missing or unknown key."""
        return Refused(f"无效的令牌 (request id: {secrets.token_hex(8)})", 401)

    def unknown(self) -> Refused:
        """Return the refusal for an id that is unknown or another key's."""
        return flat("task_not_exist", "task_not_exist")

    def no_content(self) -> Refused:
        """Return the refusal for the content of an unknown id."""
        return _plain("Task not found", 404)

    def not_ready(self, video: Video, now: float) -> Refused:
        """Return the refusal for the content of a video that is unfinished or failed."""
        return _plain(f"Task is not completed yet, current status: {row(video, now)}", 400)

    def busy(self) -> Refused:
        """Return the refusal for an order while the vendor makes as many videos as it may."""
        return flat("fail_to_fetch_task", FULL, 429, upstream=True)

    def nowhere(self, method: str, path: str) -> Refused:
        """Return the refusal for an unknown address."""
        return _plain(f"Invalid URL ({method} {path})", 404, param="", code="")


def _sora(sent: Submission, body: Body) -> Scene:
    """Return the video that sora makes of a request.

    The gateway checks only the size, and passes the request on unchanged.
    """
    if sent.size and sent.size not in SIZES.get(sent.model, (sent.size,)):
        raise flat("invalid_size", f"{sent.model} size is invalid")
    try:
        return sora.scene(body, SORA)
    except Refused as refusal:
        raise submission.rejected(sora.complaint(refusal), refusal.status) from refusal


def _raw(video: Video, now: float) -> dict[str, object]:
    """Return the vendor's own video object, which stays in progress if the gateway gave up."""
    body = sora.described(video, now)
    if video.swept(now):
        body |= {"status": "in_progress", "completed_at": None, "error": None}
    return body


def _updated(video: Video, now: float) -> int:
    """Return when the row changed last: at each poll of the vendor, until the video is over."""
    seen = video.seen(now)
    if video.state(now) == "processing":
        return int(seen)
    took = math.ceil(video.takes / video.tick) * video.tick if video.tick else video.takes
    return int(min(seen, video.created_at + (video.sweep if video.swept(now) else took)))


def _stale(video: Video, now: float, status: str) -> str:
    """Return the vendor's latest status in the row.

    It is `queued` at first, and `in_progress` if the gateway gave the video up.
    """
    if video.swept(now):
        return "in_progress"
    return "queued" if status == "unknown" else status


def _error(video: Video, now: float, vendor: Family) -> dict[str, object]:
    failure = video.failure
    if failure is None or video.state(now) != "failed" or video.swept(now):
        return {}
    match vendor:
        case Family.JIMENG:
            return {}
        case Family.KLING:
            return {"error": {"message": failure.message, "code": ""}}
        case Family.VIDU:
            return {"error": {"message": failure.code, "code": failure.code}}
        case _:
            return {"error": {"message": failure.message, "code": failure.code}}


def _plain(message: str, status: int, **more: object) -> Refused:
    """Return a refusal in the envelope of the addresses about an existing task."""
    words = {"message": message, "type": "invalid_request_error"}
    return Refused(message, status, body={"error": {**words, **more}})

"""new-api, the gateway behind most resellers, in two generations; A is of 2025-12, B of 2026-06.

It reads every request for one of its vendors and answers with a row of its own, which it brings up
to date on a tick; for wan and sora it shows what the vendor said last instead.
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
    """Where a task stands in the gateway's own table."""

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
# The share of its time until which a video stands there, as far as the gateway knows.
STEPS = ((0.2, Row.SUBMITTED), (0.4, Row.QUEUED))
UNSEEN = 0.1  # the same for NOT_START, of a gateway that always knows
SIZES = {"sora-2": sora.SIZES["sora-2"], "sora-2-pro": sora.SIZES["sora-2-pro"]}
LARGE = ("1792x1024", "1024x1792")  # billed × 1.6667
NUMBERED = (Family.KLING, Family.JIMENG, Family.VIDU)
DATED = (Family.WAN, Family.JIMENG, Family.VIDU)  # completed_at, even while queued
ALWAYS_LINKED = (Family.WAN, Family.JIMENG)  # metadata.url, even if empty


def row(video: Video, now: float) -> Row:
    """Return where a video stands in the gateway's table."""
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
    """The gateway; a generation is what its fields say, and `generation` for the rest."""

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
        """Return the same video by other words; only sora's adaptor has that."""
        if family(video.scene.model) is not Family.SORA:
            raise flat("not_implemented", "remix is not implemented", 501)
        text = body.fields.get("prompt", "")
        if not text.strip():
            raise flat("invalid_request", "prompt is required")
        return replace(video.scene, prompt=text)

    def named(self, scene: Scene) -> str:
        """B has ids of its own; A hands on the vendor's."""
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
        """The adaptor's answer when the vendor has taken a request."""
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

    def told(self, video: Video, now: float, url: str) -> dict[str, object]:
        """The row's content, or for wan and sora the vendor's last words."""
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
        """Every answer has a name that support asks for, and the version of the software."""
        return {
            "X-Oneapi-Request-Id": secrets.token_hex(16),
            "X-New-Api-Version": self.version,
        }

    def receipt(self, scene: Scene) -> dict[str, str]:
        """B says what its price is multiplied by."""
        priced = family(scene.model) in (Family.SORA, Family.WAN)
        if self.generation == "A" or not priced:
            return {}
        ratios: dict[str, float] = {"seconds": scene.seconds}
        if f"{scene.width}x{scene.height}" in LARGE:
            ratios["size"] = 1.666667
        return {"X-New-Api-Other-Ratios": json.dumps(ratios)}

    def file_headers(self, _video: Video) -> dict[str, str]:
        """The gateway's own; the vendor's do not get through here."""
        return {"Cache-Control": "public, max-age=86400"}

    # ----------------------------------------------------------------------- refusals

    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """The envelope of whatever is refused before it is a task."""
        words = {"message": refusal.message, "type": "new_api_error"}
        return {"error": {**words, "code": refusal.code or ""}}

    def bad_key(self) -> Refused:
        """The request has no key, or one that nobody gave out."""
        return Refused(f"无效的令牌 (request id: {secrets.token_hex(8)})", 401)

    def unknown(self) -> Refused:
        """There is no task with this id, or it is another key's."""
        return flat("task_not_exist", "task_not_exist")

    def no_content(self) -> Refused:
        """The same, asked for its content."""
        return _plain("Task not found", 404)

    def not_ready(self, video: Video, now: float) -> Refused:
        """The content was asked for before it was there, or there will be none."""
        return _plain(f"Task is not completed yet, current status: {row(video, now)}", 400)

    def busy(self) -> Refused:
        """The vendor has too many videos of this gateway under way."""
        return flat("fail_to_fetch_task", FULL, 429, upstream=True)

    def nowhere(self, method: str, path: str) -> Refused:
        """There is no such address."""
        return _plain(f"Invalid URL ({method} {path})", 404, param="", code="")


def _sora(sent: Submission, body: Body) -> Scene:
    """One check of the gateway's own, then the whole request goes to the vendor as it came."""
    if sent.size and sent.size not in SIZES.get(sent.model, (sent.size,)):
        raise flat("invalid_size", f"{sent.model} size is invalid")
    try:
        return sora.scene(body, SORA)
    except Refused as refusal:
        raise submission.rejected(sora.complaint(refusal), refusal.status) from refusal


def _raw(video: Video, now: float) -> dict[str, object]:
    """The vendor's object, which a sweep does not change."""
    body = sora.described(video, now)
    if video.swept(now):
        body |= {"status": "in_progress", "completed_at": None, "error": None}
    return body


def _updated(video: Video, now: float) -> int:
    """When the row changed last: at every look, until the one that found it over."""
    seen = video.seen(now)
    if video.state(now) == "processing":
        return int(seen)
    took = math.ceil(video.takes / video.tick) * video.tick if video.tick else video.takes
    return int(min(seen, video.created_at + (video.sweep if video.swept(now) else took)))


def _stale(video: Video, now: float, status: str) -> str:
    """The vendor's last word: `queued` from the start, and never what only the sweep knows."""
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
    """The envelope of the addresses around a task."""
    words = {"message": message, "type": "invalid_request_error"}
    return Refused(message, status, body={"error": {**words, **more}})

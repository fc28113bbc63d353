"""SGLang's server for diffusion models: a server of one's own with one model, in version 0.5.23.

It reads forms and JSON. It checks no model's name, and drops fields that the model does not
declare.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.simulator.bodies import Body
from bot.simulator.plugins import Built, Translated
from bot.simulator.profiles import fastapi
from bot.simulator.profiles.profile import Find, Profile
from bot.simulator.profiles.sglang_requests import (
    FORM,
    LONGEST,
    drawn,
    frames_of,
    invalid_body,
    read,
    size_of,
    sources,
    whole,
)
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Scene
from bot.simulator.videos import Failure, Video

VERSION = "0.5.23"
WAITS = 0.2  # the share of its time for which a video is queued
NOTHING = (
    "url", "urls", "remixed_from_video_id", "completed_at", "expires_at", "error", "file_path",
    "file_paths", "num_outputs", "peak_memory_mb", "inference_time_s", "revised_prompt", "action",
    "lidar",
)  # fmt: skip
"""The fields of a job that are null until they have a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sglang(Profile):
    """An SGLang server. Its `models` are the one model that it serves.

    With `cloud` it uploads each video to cloud storage, and does not deliver it itself.
    """

    cloud: bool = False
    own: bool = True
    key: str = ""
    lists: bool = True

    @property
    def served(self) -> str:
        """The name of the model."""
        return next(iter(self.models))

    @property
    def task(self) -> str:
        """The task of the model, which its name tells here."""
        found = re.search(r"T2V|(?<!T)I2V", self.served.upper())
        return found[0] if found else "TI2V"

    # ----------------------------------------------------------------------- requests

    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for."""
        return self.order(body, lambda _: None)[0]

    def order(self, body: Body, _find: Find) -> tuple[Scene, Translated | None]:
        """Return the video, and what reached the model of the request."""
        values, files = read(body)
        video, shot = sources(values, files, form=body.kind == FORM)
        self._check_task(shot)
        width, height = size_of(values)
        frames, fps = frames_of(values)
        pictures = () if shot is None else (shot[1],)
        scene = Scene(
            model=str(values.get("model") or self.served),
            prompt=str(values["prompt"]),
            width=drawn(width),
            height=drawn(height),
            seconds=min(max(round(frames / fps), 1), LONGEST),
            pictures=pictures,
            sound=False,
            seed=max(whole(values, "seed") or 0, 0),
        )
        known = {name: value for name, value in values.items() if name != "input_reference"}
        built = Built(
            body={**known, **({"video_path": video} if video else {})},
            prompt=scene.prompt,
            seconds=scene.seconds,
            unit="",
            held=0.0,
            settled=0.0,
            resolution=f"{width}x{height}",
            pictures=() if shot is None else (shot[0],),
            seed=whole(values, "seed"),
            negative_prompt=str(values.get("negative_prompt", "")),
        )
        return scene, Translated("sglang", VERSION, built)

    def _check_task(self, shot: object) -> None:
        if self.task == "T2V" and shot is not None:
            raise Refused("input_reference is not supported for T2V models.")
        if self.task == "I2V" and shot is None:
            needs = "requires an 'image_path' input, but none was provided"
            raise Refused(f"Served model with task type 'I2V' {needs}")

    def unreadable(self, refusal: Refused) -> Refused:
        """Return the refusal of an unreadable body; broken JSON counts as an empty object."""
        if "exceeds" in refusal.message:
            return Refused(fastapi.TOO_LONG)
        return invalid_body("prompt", "Field required")

    # ------------------------------------------------------------------------ answers

    def named(self, scene: Scene) -> str:
        """Return a new id: a UUID."""
        digits = Profile.named(self, scene).removeprefix("video_")
        return re.sub(r"^(.{8})(.{4})(.{4})(.{4})", r"\1-\2-\3-\4-", digits)

    def accepted(self, video: Video) -> dict[str, object]:
        """Return the body of the answer to an accepted request: a job with all its fields."""
        scene = video.scene
        return {
            **dict.fromkeys(NOTHING),
            "id": video.id,
            "object": "video",
            "model": scene.model,
            "status": "queued",
            "progress": 0,
            "created_at": int(video.created_at),
            "size": f"{scene.width}x{scene.height}",
            "seconds": str(scene.seconds),
            "quality": "standard",
            "file_path": _path(video),
        }

    def shown(self, video: Video, now: float, url: str) -> dict[str, object]:
        """Return the body of a response to a poll."""
        job = self.accepted(video)
        match video.state(now):
            case "processing" if video.share(now) < WAITS:
                return job
            case "processing":
                return job | {"status": "in_progress", "progress": video.progress(now)}
            case "failed":
                failure = video.failure or Failure("The scheduler stopped.", "")
                return job | {"status": "failed", "error": self.error(failure), "file_path": None}
            case "succeeded":
                return job | self._done(video, url)

    def _done(self, video: Video, url: str) -> dict[str, object]:
        path = None if self.cloud else _path(video)
        return {
            "status": "completed",
            "progress": 100,
            "completed_at": int(video.created_at + video.takes),
            "url": url if self.cloud else None,
            "urls": [url if self.cloud else None],
            "file_path": path,
            "file_paths": [path],
            "num_outputs": 1,
            "peak_memory_mb": 40960.0,
            "inference_time_s": float(video.takes),
        }

    def error(self, failure: Failure) -> object:
        """Return the error of a failed video, which has no code."""
        return {"message": failure.message}

    def deleted(self, video: Video, now: float) -> dict[str, object]:
        """Return the body of a response to a deletion: the job, with another word."""
        return self.shown(video, now, "") | {"status": "deleted"}

    def page(
        self, items: Sequence[Mapping[str, object]], query: Mapping[str, str]
    ) -> dict[str, object]:
        """Return one page of the list of videos."""
        return fastapi.page(items, query, least=1, usual=20)

    def listed(self, _query: Mapping[str, str]) -> dict[str, object]:
        """Return the body of `/models`: the one model that is served, and its task."""
        card = {
            "id": self.served,
            "object": "model",
            "created": 0,
            "owned_by": "sglang",
            "root": self.served,
            "parent": None,
            "max_model_len": None,
            "num_gpus": 1,
            "task_type": self.task,
            "supported_task_types": [self.task],
            "dit_precision": "bf16",
            "vae_precision": "fp32",
            "pipeline_name": "WanPipeline",
            "pipeline_class": "WanPipeline",
        }
        return {"object": "list", "data": [card]}

    def file_headers(self, video: Video) -> dict[str, str]:
        """Return the headers of a response with the content."""
        return {"Content-Disposition": f'attachment; filename="{video.id}.mp4"'}

    # ----------------------------------------------------------------------- refusals

    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """Return the envelope of a refusal: FastAPI's."""
        return {"detail": refusal.message}

    def bad_key(self) -> Refused:
        """Return the refusal of a key by the proxy in front; the server itself knows no keys."""
        return Refused("Unauthorized", 401)

    def unknown(self) -> Refused:
        """Return the refusal for an unknown id."""
        return Refused("Video not found", 404)

    def not_ready(self, video: Video, now: float) -> Refused:
        """Return the refusal for the content of a video that is unfinished or failed."""
        if video.state(now) == "failed":
            return self.no_artifact()
        return Refused("Generation is still in-progress", 404)

    def withholds(self, _video: Video, query: Mapping[str, str], url: str) -> Refused | None:
        """Return a refusal for a video in cloud storage, and for a second output."""
        variant = query.get("variant", "0")
        if variant != "0":
            return Refused(f"Video variant {variant} not found", 404)
        if self.cloud:
            uploaded = "Video has been uploaded to cloud storage."
            return Refused(f"{uploaded} Please use the cloud URL: {url}")
        return None

    def no_artifact(self) -> Refused:
        """Return the refusal for a video without a file."""
        return Refused("Video variant None not found", 404)

    def nowhere(self, _method: str, _path: str) -> Refused:
        """Return the refusal for an unknown address."""
        return Refused("Not Found", 404)


def _path(video: Video) -> str:
    return f"/sgl-workspace/sglang/outputs/{video.id}.mp4"

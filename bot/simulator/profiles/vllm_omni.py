"""vLLM-Omni: a server of one's own that serves one model, in version 0.30.

It reads forms only and ignores fields that it does not know, so a picture in such a field is lost.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from bot.simulator.bodies import Body, Upload
from bot.simulator.models import Size
from bot.simulator.pictures import data_uri, head_of, is_address
from bot.simulator.plugins import Built, Shot, Translated
from bot.simulator.profiles import fastapi
from bot.simulator.profiles.fastapi import NUMBER, SWITCH, WHOLE, WORD, Filled, Invalid, Rule
from bot.simulator.profiles.profile import Find, Profile
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture, Scene
from bot.simulator.videos import Failure, Video

VERSION = "0.30.0"
FIELDS: Mapping[str, Rule] = {
    "prompt": Rule(required=True),
    **dict.fromkeys(("model", "user", "aspect_ratio", "negative_prompt", "quality"), WORD),
    **dict.fromkeys(("image_reference", "video_reference", "audio_reference"), WORD),
    **dict.fromkeys(("lora", "extra_params", "frame_interpolation_model_path"), WORD),
    "seconds": Rule(pattern=r"^[1-9]\d*$"),
    "size": Rule(pattern=r"^\d+x\d+$"),
    **dict.fromkeys(("width", "height", "num_frames", "num_inference_steps"), WHOLE),
    "fps": Rule(kind=float, least=1),
    "short_edge": Rule(kind=int, least=1),
    "num_outputs_per_prompt": Rule(kind=int, least=1, most=10),
    "start_time_seconds": Rule(kind=float, least=0),
    **dict.fromkeys(("guidance_scale", "guidance_scale_2", "boundary_ratio"), NUMBER),
    **dict.fromkeys(("flow_shift", "true_cfg_scale", "sound_duration"), NUMBER),
    "seed": WHOLE,
    **dict.fromkeys(("generate_sound", "enable_frame_interpolation"), SWITCH),
    "return_stage_metrics": SWITCH,
    "frame_interpolation_exp": Rule(kind=int, least=1),
    "frame_interpolation_scale": NUMBER,
}
FILES = ("input_reference", "input_references")
JSONS = ("image_reference", "video_reference", "audio_reference", "lora", "extra_params")
LATE: Mapping[str, tuple[float, float]] = {
    "width": (1, 2**63),
    "height": (1, 2**63),
    "num_frames": (1, 2**63),
    "num_inference_steps": (1, 200),
    "guidance_scale": (0, 20),
    "guidance_scale_2": (0, 20),
    "boundary_ratio": (0, 1),
    "true_cfg_scale": (0, 20),
}
"""Limits that the form does not check. The server breaks when it uses a value beyond them."""
QUALITIES = ("lossless", "high")
USUAL_SIZE, USUAL_SECONDS, USUAL_FPS = (832, 480), 4, 24
LONGEST = 60  # seconds that are drawn; the server has no limit
SIDES = (64, 2048)  # pixels that are drawn
WAITS = 0.2  # the share of its time for which a video is queued
MOST_REFERENCES, LARGEST_REFERENCE = 12, 30 * 1024 * 1024  # of MiniMax-H3
FORMATS = ("JPEG", "PNG", "WEBP", "HEIC", "HEIF")


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmOmni(Profile):
    """A vLLM-Omni server. Its `models` are the one model that it serves.

    The route alone answers refusals as FastAPI does. The whole server, which is `wrapped` in
    vLLM's, puts them into OpenAI's envelope and makes 400 of the status of an invalid form.
    """

    wrapped: bool = False
    own: bool = True
    key: str = ""
    lists: bool = True
    repeats: tuple[str, ...] = ("size", "seconds", "quality", "fps", "num_frames")

    @property
    def served(self) -> str:
        """The name of the model."""
        return next(iter(self.models))

    @property
    def mixed(self) -> bool:
        """Whether the model takes several references; of the known ones only MiniMax-H3 does."""
        return "minimax-h3" in self.served.lower()

    # ----------------------------------------------------------------------- requests

    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for."""
        return self.order(body, lambda _: None)[0]

    def order(self, body: Body, _find: Find) -> tuple[Scene, Translated | None]:
        """Return the video, and what reached the model of the request."""
        try:
            form = fastapi.read(body, FIELDS, FILES)
        except Invalid as invalid:
            raise self._invalid(invalid) from invalid
        known = _decoded(form)
        self._check(form, known)
        shots = self._shots(form, known.get("image_reference"))
        scene = _scene(self.served, form, tuple(picture for _, picture in shots))
        built = Built(
            body={**form.values, **known},
            prompt=scene.prompt,
            seconds=scene.seconds,
            unit="",
            held=0.0,
            settled=0.0,
            resolution=f"{scene.width}x{scene.height}",
            pictures=tuple(shot for shot, _ in shots),
            seed=form.whole("seed"),
            negative_prompt=form.text("negative_prompt"),
            sound=scene.sound,
        )
        return scene, Translated("vllm-omni", VERSION, built)

    def unreadable(self, refusal: Refused) -> Refused:
        """Return the refusal of a body that can't be read."""
        if "exceeds" in refusal.message:
            return Refused(fastapi.TOO_LONG)
        missing = fastapi.issue("missing", "prompt", "Field required", None)
        return self._invalid(Invalid([missing]))

    def _invalid(self, invalid: Invalid) -> Refused:
        """Return the refusal of a form; vLLM makes a 400 with one text of it."""
        if not self.wrapped:
            return invalid
        count = len(invalid.issues)
        said = "".join(f"\n  {each}" for each in invalid.issues)
        words = f"{count} validation error{'s' if count > 1 else ''}:{said}"
        where = invalid.issues[0]["loc"]
        assert isinstance(where, list)
        return Refused(words, param=".".join(map(str, where)))

    def _check(self, form: Filled, known: Mapping[str, object]) -> None:
        """Raise `Refused` for values that break the server, and for another model."""
        quality = form.text("quality")
        beyond = [
            name
            for name, (least, most) in LATE.items()
            if isinstance(value := form.values.get(name), int | float)
            and not least <= value <= most
        ]
        if beyond or (quality and quality not in QUALITIES):
            if not self.wrapped:
                raise Refused("Internal Server Error", 500, bare=True)
            name = beyond[0] if beyond else "quality"
            raise Refused(f"1 validation error for VideoGenerationRequest\n{name}")
        model = form.text("model")
        if model and model != self.served:
            running = f"server is running '{self.served}'"
            raise Refused(f"Model mismatch: request specifies '{model}' but {running}.")
        others = [name for name in ("image_reference", "video_reference") if name in known]
        if form.files["input_references"] and (others or form.files["input_reference"]):
            raise Refused("Provide input_references alone, without the other references.")
        if form.files["input_reference"] and others:
            raise Refused("Provide only one of input_reference, image_reference, video_reference.")

    def _shots(self, form: Filled, given: object) -> list[tuple[Shot, Picture]]:
        """Return each picture that reaches the model, with its role."""
        several, one = form.files["input_references"], form.files["input_reference"]
        if several:
            return self._references(several)
        if one:
            return [(Shot("first_frame", ""), self._picture(one[-1], "input_reference"))]
        entries = given if isinstance(given, list) else [] if given is None else [given]
        roles = ("first_frame", "last_frame")
        found = [_addressed(entry) for entry in entries]
        return [
            (Shot(roles[number] if number < len(roles) else "reference", ""), picture)
            for number, picture in enumerate(found)
        ]

    def _references(self, several: Sequence[Upload]) -> list[tuple[Shot, Picture]]:
        if not self.mixed:
            # Other models take references for videos, so a picture is none.
            raise Refused("Invalid video reference: the file can't be decoded.")
        if len(several) > MOST_REFERENCES:
            raise Refused(f"MiniMax H3 accepts at most {MOST_REFERENCES} total references.")
        pictures = [
            each for each in several if not each.content_type.startswith(("video", "audio"))
        ]
        return [(Shot("reference", ""), self._picture(it, it.filename)) for it in pictures]

    def _picture(self, upload: Upload, name: str) -> bytes:
        try:
            seen = head_of(upload.data)
        except ValueError as error:
            words = f"Invalid {name}: provided content is not a valid image or video."
            raise Refused(words) from error
        if self.mixed and len(upload.data) > LARGEST_REFERENCE:
            raise Refused(f"{name} exceeds the {LARGEST_REFERENCE >> 20} MiB size limit.")
        if self.mixed and seen.format not in FORMATS:
            raise Refused(f"MiniMax H3 reference images must not be {seen.format}.")
        return upload.data

    # ------------------------------------------------------------------------ answers

    def named(self, scene: Scene) -> str:
        """Return a new id."""
        return Profile.named(self, scene).replace("video_", "video_gen_")

    def accepted(self, video: Video) -> dict[str, object]:
        """Return the body of the answer to an accepted request: a job with all its fields."""
        return self._job(video) | {"status": "queued"}

    def shown(self, video: Video, now: float, _url: str) -> dict[str, object]:
        """Return the body of a response to a poll. Progress is 0 until the video is made."""
        job = self._job(video)
        match video.state(now):
            case "processing":
                waits = video.share(now) < WAITS
                return job | {"status": "queued" if waits else "in_progress"}
            case "failed":
                failure = video.failure or Failure("The engine stopped.", "")
                done = {
                    "completed_at": int(video.created_at + video.takes),
                    "inference_time_s": float(video.takes),
                }
                error = {"code": self.status(video, now), "message": failure.message}
                return job | done | {"status": "failed", "error": error}
            case "succeeded":
                done = {"completed_at": int(video.created_at + video.takes)}
                made = {"progress": 100, "file_name": f"{video.id}.mp4"}
                times = {"inference_time_s": float(video.takes), "peak_memory_mb": 40960.0}
                return job | done | made | times | {"status": "completed"}

    def status(self, video: Video, now: float) -> int:
        """Return the status of a response to a poll: a failed job answers with an error's."""
        if video.state(now) != "failed":
            return 200
        code = video.failure.code if video.failure else ""
        if re.fullmatch(r"[45]\d\d", code):
            return int(code)
        return 400 if code == "invalid_image" else 500

    def _job(self, video: Video) -> dict[str, object]:
        nothing = ("remixed_from_video_id", "error", "expires_at", "file_name", "action", "metrics")
        return {
            **dict.fromkeys((*nothing, "completed_at", "inference_time_s")),
            "id": video.id,
            "object": "video",
            "model": video.scene.model,
            "prompt": video.scene.prompt,
            "size": video.repeated.get("size"),
            "seconds": video.repeated.get("seconds", str(USUAL_SECONDS)),
            "quality": video.repeated.get("quality", "default"),
            "progress": 0,
            "created_at": int(video.created_at),
            "media_type": "video/mp4",
            "stage_durations": {},
            "peak_memory_mb": 0.0,
            **_length(video.repeated),
        }

    def page(
        self, items: Sequence[Mapping[str, object]], query: Mapping[str, str]
    ) -> dict[str, object]:
        """Return one page of the list of videos."""
        try:
            return fastapi.page(items, query, least=0, usual=100)
        except Invalid as invalid:
            raise self._invalid(invalid) from invalid

    def listed(self, _query: Mapping[str, str]) -> dict[str, object]:
        """Return the body of `/models`: the one model that is served."""
        card = {"id": self.served, "object": "model", "created": 0, "owned_by": "vllm"}
        nothing = dict.fromkeys(("parent", "max_model_len"))
        return {"object": "list", "data": [{**card, "root": self.served, **nothing}]}

    def file_headers(self, video: Video) -> dict[str, str]:
        """Return the headers of a response with the content."""
        return {"Content-Disposition": f'attachment; filename="{video.id}.mp4"'}

    # ----------------------------------------------------------------------- refusals

    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """Return the envelope of a refusal: FastAPI's, or vLLM's if the server is wrapped in it."""
        if not self.wrapped:
            return {"detail": refusal.message}
        words = {"message": refusal.message, "type": HTTPStatus(refusal.status).phrase}
        return {"error": {**words, "param": refusal.param, "code": refusal.status}}

    def bad_key(self) -> Refused:
        """Return the refusal of a missing or unknown key, if the server was started with one."""
        return Refused("Unauthorized", 401, body={"error": "Unauthorized"})

    def unknown(self) -> Refused:
        """Return the refusal for an unknown id."""
        return Refused("Video not found", 404)

    def not_ready(self, video: Video, now: float) -> Refused:
        """Return the refusal for the content of a video that is unfinished or failed."""
        if video.state(now) == "failed":
            words = "Video generation failed. Check job status for error details."
            return Refused(words, 422)
        return Refused("Generation is still in-progress", 404)

    def no_artifact(self) -> Refused:
        """Return the refusal for a video whose file is gone."""
        return Refused("Generated video file not found on disk", 404)

    def nowhere(self, _method: str, _path: str) -> Refused:
        """Return the refusal for an unknown address."""
        return Refused("Not Found", 404)


def _length(asked: Mapping[str, object]) -> dict[str, object]:
    """Return frames and duration as a job shows them: only what the request decides."""
    fps, frames, text = asked.get("fps", USUAL_FPS), asked.get("num_frames"), asked.get("seconds")
    assert isinstance(fps, int | float)
    duration = float(text) if isinstance(text, str) else None
    if not isinstance(frames, int):
        frames = None if duration is None else int(duration * fps)
    if duration is None and frames is not None:
        duration = frames / fps
    return {"fps": float(fps), "num_frames": frames, "duration_s": duration}


def _decoded(form: Filled) -> dict[str, object]:
    """Return the fields that are JSON texts, decoded. Raises `Refused`."""
    found: dict[str, object] = {}
    for name in JSONS:
        if text := form.text(name):
            try:
                found[name] = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise Refused("Invalid JSON in form field.") from error
    return found


def _addressed(entry: object) -> Picture:
    """Return the picture of an entry such as `{"image_url": …}`. Raises `Refused`."""
    match entry:
        case {"image_url": str(url), **rest} if not rest:
            found = data_uri(url)
            if found is not None and found[0].startswith("image/"):
                return _readable(found[1])
            if is_address(url):
                return url
    words = "Invalid image_reference.image_url: must be an http(s) URL or data URL."
    raise Refused(words)


def _readable(data: bytes) -> bytes:
    try:
        head_of(data)
    except ValueError as error:
        raise Refused("Invalid image_reference.image_url: not a valid image.") from error
    return data


def _scene(model: str, form: Filled, pictures: tuple[Picture, ...]) -> Scene:
    width, height = _size(form)
    return Scene(
        model=model,
        prompt=form.text("prompt"),
        width=width,
        height=height,
        seconds=_seconds(form),
        pictures=pictures,
        sound=form.values.get("generate_sound") is True,
        seed=max(form.whole("seed") or 0, 0),
    )


def _size(form: Filled) -> Size:
    """Return the size of a video, as large as can be drawn."""
    if text := form.text("size"):
        width, height = map(int, text.split("x"))
    else:
        width, height = form.whole("width") or 0, form.whole("height") or 0
    if not width or not height:
        return USUAL_SIZE
    least, most = SIDES
    return min(max(width, least), most) // 2 * 2, min(max(height, least), most) // 2 * 2


def _seconds(form: Filled) -> int:
    if text := form.text("seconds"):
        return min(int(text[:6]), LONGEST)
    frames, fps = form.whole("num_frames"), form.values.get("fps") or USUAL_FPS
    assert isinstance(fps, int | float)
    return min(max(round(frames / fps), 1), LONGEST) if frames else USUAL_SECONDS

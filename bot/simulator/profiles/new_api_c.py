"""new-api's generation C, of 2026: every vendor is a task plugin, and each plugin has a version.

The host reads the body. The plugin that claims the model decodes it and builds the request to the
vendor. Responses about a task come from the host; a plugin adds little. A model that no plugin
claims has no channel, or follows the older rules of generation B.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.simulator.bodies import Body, plain
from bot.simulator.models import JIMENG_V30, MODELS, SORA, Model, Size, Takes
from bot.simulator.pictures import following, head_of
from bot.simulator.plugins import PLUGINS, Built, Plugin, Sent, Translated
from bot.simulator.plugins.plugin import Oversized, Unpriced, Way, parts
from bot.simulator.plugins.values import Values, number, sides
from bot.simulator.profiles.new_api import SWEEP, WORDS, NewApi, Row, row
from bot.simulator.profiles.profile import Find
from bot.simulator.refusals import NotJson, Refused, flat
from bot.simulator.scenes import Picture, Scene
from bot.simulator.vendors import sora
from bot.simulator.videos import Video

VERSION = "v1.0.0-rc.21"
FIRST = "1.0.0"
NEWEST = "newest"
NONE = "none"
"""The version that stands for a plugin that is not installed."""
USUAL: Mapping[str, str] = {key: NEWEST for key in PLUGINS if key != "vertex-ai"}
"""The default plugins of a gateway: all but `vertex-ai`, the second of Veo's two plugins."""
OLDER: Mapping[str, Model] = {**MODELS, **SORA, **JIMENG_V30}
"""The models that generation B serves without plugins."""

FORM, JSON, URLENCODED = (
    "multipart/form-data",
    "application/json",
    "application/x-www-form-urlencoded",
)
MOST_FIELDS, MOST_PARTS, MOST_FILES = 256, 256, 32
LONGEST_NAME, LONGEST_FILENAME = 256, 255
LARGEST_FILE = 64 * 1024 * 1024

SHORT = {"2k": 1080, "4k": 1080}
"""The short side in pixels of the tiers `2k` and `4k`; small, because drawing is slow."""
LONGEST_SCENE = 60
"""The most seconds that are drawn; some plugins allow an hour, which would take too long."""
VIDEO_FILES = "1.2.1"
"""The first version of MiniMax's plugin that delivers videos of models other than H3."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A plugin that claims a model, and how its version reads requests."""

    plugin: Plugin
    version: str
    way: Way


@dataclass(frozen=True, kw_only=True)
class NewApiC(NewApi):
    """A gateway with plugins. `claims` are the plugins that claim each model, in order of keys.

    If `older`, models that no plugin claims follow the rules of generation B.
    """

    claims: Mapping[str, Sequence[Claim]]
    older: bool = False

    # ----------------------------------------------------------------------- requests

    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for."""
        return self.order(body, lambda _: None)[0]

    def order(self, body: Body, _find: Find) -> tuple[Scene, Translated | None]:
        """Return the video, and the request that the plugin built for the vendor."""
        if body.kind not in (FORM, JSON, URLENCODED):
            raise Refused(f'unsupported task plugin media type "{body.kind}"', 415)
        name = body.fields.get("model", "")
        if not name.strip():
            raise Refused("model name is required")
        claims = self.claims.get(self._spelt(name), [])
        if claims:
            return self._passed_on(body, self._spelt(name), claims)
        if self.older and name in OLDER:
            return super().scene(body), None
        words = f"No available channel for model {name} under group default (distributor)"
        raise Refused(words, 503, code="model_not_found")

    def unreadable(self, refusal: Refused) -> Refused:
        """Return the host's refusal of a body: the same message for all invalid JSON."""
        return Refused("Invalid task protocol request") if isinstance(refusal, NotJson) else refusal

    def _spelt(self, name: str) -> str:
        declared = {model.lower(): model for model in self.claims}
        return declared.get(name.lower(), name)

    def _passed_on(
        self, body: Body, model: str, claims: Sequence[Claim]
    ) -> tuple[Scene, Translated]:
        sent = _sent(body, model)
        claim, said = self._decoded(sent, claims)
        try:
            built = claim.way.build(model, said)
        except Unpriced as error:
            raise flat("plugin_usage_invalid", str(error)) from error
        except ValueError as error:
            raise flat("plugin_request_invalid", str(error)) from error
        pictures = claim.plugin.pictures(model, built)
        return _scene(model, built, pictures), Translated(claim.plugin.key, claim.version, built)

    def _decoded(self, sent: Sent, claims: Sequence[Claim]) -> tuple[Claim, Values]:
        """Return the first plugin that accepts the request, and what the plugin read.

        Raises `Refused` with the messages of all plugins if none accepts it.
        """
        failures: dict[str, list[str]] = {}
        for claim in claims:
            try:
                return claim, claim.way.decode(sent)
            except Oversized as error:
                raise flat("build_request_failed", str(error), 500) from error
            except ValueError as error:
                failures.setdefault(str(error), []).append(claim.plugin.key)
        words = [
            f"{', '.join(keys)}: {failure}" if len(claims) > 1 else failure
            for failure, keys in failures.items()
        ]
        raise Refused(f"{'; '.join(words)} (request id: {secrets.token_hex(8)})")

    # ------------------------------------------------------------------------ answers

    def accepted(self, video: Video) -> dict[str, object]:
        """Return the body for an accepted request: the row of the task."""
        if video.scene.model not in self.claims:
            return super().accepted(video)
        return _row(video, Row.QUEUED) | {"status": "queued", "progress": 0}

    def shown(self, video: Video, now: float, url: str) -> dict[str, object]:
        """Return the body for a poll: the row and the plugin's additions, without any link."""
        claims = self.claims.get(video.scene.model)
        if claims is None:
            return super().shown(video, now, url)
        stands = row(video, now)
        body = _row(video, stands)
        if stands in (Row.SUCCESS, Row.FAILURE):
            body["completed_at"] = int(video.seen(now))
        return {**_rendered(claims[0], video, now, stands), **body}

    def receipt(self, scene: Scene) -> dict[str, str]:
        """Return no price headers for models of plugins."""
        return {} if scene.model in self.claims else super().receipt(scene)

    def withholds(self, video: Video, _query: Mapping[str, str], _url: str) -> Refused | None:
        """Return a refusal for MiniMax's older plugins, which can't deliver their videos."""
        claims = self.claims.get(video.scene.model, [])
        old = [claim for claim in claims if claim.plugin.key == "hailuo"]
        if old and parts(old[0].version) < parts(VIDEO_FILES) and video.scene.model != "MiniMax-H3":
            return Refused("Failed to fetch video content", 502)
        return None

    def no_artifact(self) -> Refused:
        """Return the refusal for a task that is done but has no content."""
        return Refused("artifact_not_found", 404, code="artifact_not_found")


def _sent(body: Body, model: str) -> Sent:
    """Return the request as the host passes it to a plugin. Raises `Refused`."""
    if body.kind == URLENCODED:
        raise Refused("unsupported request body for this operation", 415)
    if body.json is not None:
        return Sent(model, {**body.json, "model": model})
    _check_form(body)
    values: dict[str, object] = {plain(name): body.all(plain(name)) for name in body.fields}
    files = tuple((plain(name), file) for name, file in body.files.items())
    return Sent(model, values, files, form=True)


def _check_form(body: Body) -> None:
    if len(body.fields) > MOST_FIELDS:
        raise Refused(f"request body exceeds {MOST_FIELDS} fields")
    if len(body.files) > MOST_FILES:
        raise Refused(f"multipart body exceeds {MOST_FILES} files")
    if len(body.fields) + len(body.files) > MOST_PARTS:
        raise Refused(f"multipart body exceeds {MOST_PARTS} parts")
    if any(
        not 0 < len(plain(name).encode()) <= LONGEST_NAME for name in [*body.fields, *body.files]
    ):
        raise Refused("invalid multipart field name")
    for file in body.files.values():
        if len(file.filename.encode()) > LONGEST_FILENAME:
            raise Refused("invalid multipart filename")
        if len(file.data) > LARGEST_FILE:
            raise Refused(f"multipart file exceeds {LARGEST_FILE >> 20} MB")


def _scene(model: str, built: Built, pictures: tuple[Picture, ...]) -> Scene:
    width, height = _frame(built, pictures)
    return Scene(
        model=model,
        prompt=built.prompt,
        width=width,
        height=height,
        seconds=min(max(built.length, 1), LONGEST_SCENE),
        pictures=pictures,
        sound=built.sound is not False,
        watermark=built.watermark is True,
        seed=max(built.seed or 0, 0),
    )


def _frame(built: Built, pictures: tuple[Picture, ...]) -> Size:
    """Return the size of a video, by the ratio, or by the first picture if there is no ratio."""
    if exact := sides(built.resolution):
        return int(exact[0]), int(exact[1])
    word = built.resolution.lower()
    short = SHORT.get(word) or int(number(word.removesuffix("p")))
    tier = [(_even(short * 16 / 9), short)]
    if re.fullmatch(r"[1-9][0-9]?:[1-9][0-9]?", built.ratio):
        across, down = map(float, built.ratio.split(":"))
        scale = short / min(across, down)
        return _even(across * scale), _even(down * scale)
    first = next(iter(pictures), None)
    return following(head_of(first).size, tier) if isinstance(first, bytes) else tier[0]


def _even(side: float) -> int:
    return round(side / 2) * 2


def _row(video: Video, stands: Row) -> dict[str, object]:
    status, progress = WORDS[stands]
    return {
        "id": video.id,
        "object": "video",
        "model": video.scene.model,
        "status": status,
        "progress": progress,
        "created_at": int(video.created_at),
    }


def _rendered(claim: Claim, video: Video, now: float, stands: Row) -> dict[str, object]:
    """Return what a plugin adds to a response: the vendor's error, and for some plugins more."""
    key = claim.plugin.key
    extras: dict[str, object] = {}
    if key == "sora" and claim.version != FIRST:
        extras = sora.described(video, now)
        extras.pop("error")
    if stands is Row.SUCCESS and key in ("kling", "xai"):
        extras["seconds"] = (
            f"{video.scene.seconds}.1" if key == "kling" else f"{video.scene.seconds}"
        )
    failure = video.failure
    if failure is not None and stands is Row.FAILURE and not video.swept(now):
        match key:
            case "kling":
                extras["error"] = {"message": failure.message, "code": ""}
            case "vidu":
                extras["error"] = {"message": failure.code, "code": failure.code}
            case _:
                extras["error"] = {"message": failure.message, "code": failure.code}
    return extras


def new_api_c(
    name: str, plugins: Mapping[str, str] | None = None, *, older: bool = False
) -> NewApiC:
    """Return a gateway with these plugins; all other plugins have their default version.

    `plugins` maps a plugin's key to a version, `newest` or `none`.
    Raises `ValueError` for an unknown plugin or version.
    """
    claims = _claims({**USUAL, **(plugins or {})})
    claimed = dict.fromkeys(claims, Model(takes=Takes.ANY))
    return NewApiC(
        name=name,
        generation="B",
        models={**(OLDER if older else {}), **claimed},
        version=VERSION,
        claims=claims,
        older=older,
        sweep=SWEEP,
        prepays=True,
        ranges=True,
        heads=True,
    )


def _claims(plugins: Mapping[str, str]) -> Mapping[str, Sequence[Claim]]:
    claims: dict[str, list[Claim]] = {}
    for key, asked in sorted(plugins.items()):
        if key not in PLUGINS:
            raise ValueError(f"unknown plugin {key!r}; known are {', '.join(PLUGINS)}")
        plugin = PLUGINS[key]
        version = plugin.newest if asked == NEWEST else asked
        if version != NONE and not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version):
            raise ValueError(f"{version!r} is no version like 1.0.0, nor {NEWEST} or {NONE}")
        way = None if version == NONE else plugin.way(version)
        if way is not None:
            for model in way.models:
                claims.setdefault(model, []).append(Claim(plugin, version, way))
    return claims

"""The interface of every kind of gateway; the kinds stand beside it, a module each.

A difference between gateways is a field here where it is a number or a yes, else a method. A
profile knows requests and videos, and nothing of HTTP.
"""

import math
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from bot.simulator.bodies import Body
from bot.simulator.models import Model
from bot.simulator.plugins import Translated
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Scene
from bot.simulator.videos import Video


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(ABC):
    """How one kind of gateway takes requests and speaks of videos; times are in seconds."""

    name: str
    models: Mapping[str, Model]
    created: int = 200  # the status of an accepted request
    lifetime: int = 86400  # from creation until the file expires
    tick: float = 0.0  # how often it looks at its vendor; 0: it always knows
    sweep: float = math.inf  # when it gives up a video that is not done
    ranges: bool = True  # whether a Range is answered by a part
    heads: bool = True  # whether content answers HEAD
    for_all: bool = False  # whether any key reads the content of any id
    prepays: bool = False  # whether it takes its price before it asks the vendor
    lists: bool = False  # whether videos can be listed and deleted
    variants: bool = False  # whether content has a thumbnail and a spritesheet
    remixes: bool = False
    version: str = ""  # of the software, where it tells

    # ----------------------------------------------------------------------- requests

    @abstractmethod
    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for, or raise `Refused`."""

    def order(self, body: Body) -> tuple[Scene, Translated | None]:
        """Return the video, and what a plugin made of the request where there are plugins."""
        return self.scene(body), None

    def remix(self, _body: Body, _video: Video) -> Scene:
        """Return the video that a request for another version of a video asks for."""
        raise Refused("there is no remix here", 404)

    def named(self, _scene: Scene) -> str:
        """Return a new id."""
        return f"video_{secrets.token_hex(16)}"

    # ------------------------------------------------------------------------ answers

    @abstractmethod
    def accepted(self, video: Video) -> dict[str, object]:
        """Return the body of the answer to the request that made a video."""

    @abstractmethod
    def told(self, video: Video, now: float, url: str) -> dict[str, object]:
        """Return the body of an answer about it; `url` is where its file will be."""

    def headers(self) -> dict[str, str]:
        """Return what every answer carries."""
        return {}

    def receipt(self, _scene: Scene) -> dict[str, str]:
        """Return what the answer to an accepted request carries besides."""
        return {}

    def file_headers(self, _video: Video) -> dict[str, str]:
        """Return what goes with the content."""
        return {}

    # ----------------------------------------------------------------------- refusals

    @abstractmethod
    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """Return the body of a refusal that has no envelope of its own."""

    def bad_key(self) -> Refused:
        """The request has no key, or one that nobody gave out."""
        return Refused("invalid or missing API key", 401)

    def unknown(self) -> Refused:
        """There is no video with this id, or it is another key's."""
        return Refused("there is no video with this id", 404)

    def no_content(self) -> Refused:
        """The same, asked for its content."""
        return self.unknown()

    def not_ready(self, _video: Video, _now: float) -> Refused:
        """The content was asked for before it was there, or there will be none."""
        return Refused("the video is not ready")

    def withholds(self, _video: Video) -> Refused | None:
        """Return what stands between a finished video and whoever asks for it."""
        return None

    def no_artifact(self) -> Refused:
        """The video is done, and there is nothing to hand over."""
        return Refused("the video has no content", 404)

    def unreadable(self, refusal: Refused) -> Refused:
        """Return what is said to a body that cannot be read."""
        return refusal

    def busy(self) -> Refused:
        """Too many videos of this key are under way."""
        return Refused("too many videos are under way", 429)

    def nowhere(self, method: str, path: str) -> Refused:
        """There is no such address."""
        return Refused(f"there is nothing at {method} {path}", 404)

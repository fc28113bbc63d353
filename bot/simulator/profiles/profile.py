"""The interface of every kind of gateway; each kind is a module beside this one.

A difference between gateways is a field here if it is a number or a bool, else a method. A
profile knows requests and videos, and nothing of HTTP.
"""

import math
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.simulator import paging
from bot.simulator.bodies import Body
from bot.simulator.models import Model
from bot.simulator.plugins import Translated
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Scene
from bot.simulator.videos import Failure, State, Video

Find = Callable[[str], tuple[Video, State] | None]
"""Return the video of an id, and its state, if it belongs to the key of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(ABC):
    """The behaviour of one kind of gateway: requests and responses. Times are in seconds."""

    name: str
    models: Mapping[str, Model]
    bases: tuple[str, ...] = ("/v1",)  # what the addresses of the API begin with
    key: str = "sk-sim"  # the API key that it accepts by default; "": it needs none
    own: bool = False  # whether it is a server of one's own, which serves one model
    public: bool = False  # whether the lists of models need no key
    created: int = 200  # the status of an accepted request
    lifetime: int = 86400  # from creation until the file expires
    tick: float = 0.0  # time between two polls of its vendor; 0: no delay
    sweep: float = math.inf  # time until an unfinished video counts as failed
    ranges: bool = True  # whether a Range is answered with a 206
    heads: bool = True  # whether content answers HEAD
    for_all: bool = False  # whether any key reads the content of any id
    prepays: bool = False  # whether it charges before it asks the vendor
    lists: bool = False  # whether videos can be listed and deleted
    variants: bool = False  # whether content has a thumbnail and a spritesheet
    remixes: bool = False
    repeats: tuple[str, ...] = ()  # the fields of a request that responses repeat
    version: str = ""  # the software's version, if it shows one

    # ----------------------------------------------------------------------- requests

    @abstractmethod
    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for, or raise `Refused`."""

    def order(self, body: Body, _find: Find) -> tuple[Scene, Translated | None]:
        """Return the video, and what reached the model of the request if parts may be lost."""
        return self.scene(body), None

    def remix(self, _body: Body, _video: Video) -> Scene:
        """Return the video that a remix request asks for. By default, raise `Refused`."""
        raise Refused("there is no remix here", 404)

    def named(self, _scene: Scene) -> str:
        """Return a new id."""
        return f"video_{secrets.token_hex(16)}"

    # ------------------------------------------------------------------------ answers

    @abstractmethod
    def accepted(self, video: Video) -> dict[str, object]:
        """Return the body of the answer to the request that made a video."""

    @abstractmethod
    def shown(self, video: Video, now: float, url: str) -> dict[str, object]:
        """Return the body of a response to a poll; `url` is the future link to the file."""

    def status(self, _video: Video, _now: float) -> int:
        """Return the status of a response to a poll."""
        return 200

    def error(self, failure: Failure) -> object:
        """Return the error of a failed video as a response to a poll shows it."""
        return {"code": failure.code, "message": failure.message}

    def deleted(self, video: Video, _now: float) -> dict[str, object]:
        """Return the body of a response to a deletion, or raise `Refused`."""
        return {"id": video.id, "deleted": True, "object": "video.deleted"}

    def page(
        self, items: Sequence[Mapping[str, object]], query: Mapping[str, str]
    ) -> dict[str, object]:
        """Return one page of a list of videos. Raises `Refused`."""
        return paging.page(items, query)

    def listed(self, _query: Mapping[str, str]) -> dict[str, object]:
        """Return the body of `/models`."""
        kinds = {"supported_endpoint_types": ["openai-video"]} if self.version else {}
        common = {"object": "model", "created": 0, "owned_by": "simulator", **kinds}
        return {"object": "list", "data": [{"id": name, **common} for name in self.models]}

    def abilities(self) -> dict[str, object] | None:
        """Return the body of `/videos/models`; None if there is no such page."""
        return None

    def signature(self, _name: str, _created_at: float) -> str:
        """Return the query that opens the link to a video's file; "" if it needs none."""
        return ""

    def opens(self, _video: Video, _query: Mapping[str, str], _now: float) -> bool:
        """Whether a link with this query opens the video's file."""
        return True

    def headers(self) -> dict[str, str]:
        """Return the headers of every response."""
        return {}

    def receipt(self, _scene: Scene) -> dict[str, str]:
        """Return additional headers of the response to an accepted request."""
        return {}

    def file_headers(self, _video: Video) -> dict[str, str]:
        """Return the headers of a response with the content."""
        return {}

    # ----------------------------------------------------------------------- refusals

    @abstractmethod
    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """Return the body of a refusal that has no envelope of its own."""

    def bad_key(self) -> Refused:
        """Return the refusal of a missing or unknown key."""
        return Refused("invalid or missing API key", 401)

    def unknown(self) -> Refused:
        """Return the refusal for an id that is unknown or another key's."""
        return Refused("there is no video with this id", 404)

    def no_content(self) -> Refused:
        """Return the refusal for the content of an unknown id."""
        return self.unknown()

    def not_ready(self, _video: Video, _now: float) -> Refused:
        """Return the refusal for the content of a video that is unfinished or failed."""
        return Refused("the video is not ready")

    def withholds(self, _video: Video, _query: Mapping[str, str], _url: str) -> Refused | None:
        """Return a refusal for the content of a finished video, or None to deliver it.

        `url` is the link to the video's file.
        """
        return None

    def no_artifact(self) -> Refused:
        """Return the refusal for a video that is done but has no content."""
        return Refused("the video has no content", 404)

    def unreadable(self, refusal: Refused) -> Refused:
        """Return the refusal of a body that can't be read."""
        return refusal

    def busy(self) -> Refused:
        """Return the refusal if a key has too many unfinished videos."""
        return Refused("too many videos are under way", 429)

    def nowhere(self, method: str, path: str) -> Refused:
        """Return the refusal for an unknown address."""
        return Refused(f"there is nothing at {method} {path}", 404)

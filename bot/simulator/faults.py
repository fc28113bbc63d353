"""Faults on demand for the next requests, one fault per request.

A fault is data: the operation, the kind of fault, and its parameters. The server carries it out.
Named faults are in `presets.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Operation = Literal["create", "retrieve", "content", "file", "list", "delete"]
Kind = Literal[
    "pass",  # no fault, or only the parameters that work with any kind
    "answer",  # not done; answered with `status` and `message` in the envelope, or with `body`
    "unknown",  # not done; answered as if the id were unknown, or another key's
    "redirect",  # not done; redirected with `status` to `location` or another name of this host
    "cut",  # connection cut before the body is read: nothing is done, nothing is charged
    "drop",  # done and charged as usual, then the connection is cut instead of an answer
    "truncate",  # content: Content-Length is right, but only half of the file comes
    "drip",  # content: a few bytes at a time, `delay` seconds apart
    "unmeasured",  # content: no Content-Length
    "oversized",  # content: the file, then zeros up to `size` bytes
    "endless",  # content: the file, then zeros for ever, without a Content-Length
    "gzip",  # content: compressed without being asked
    "part",  # content: 206 with the whole file
    "link",  # content: JSON with a link to the file
    "webm",  # content: as WebM
    "tail",  # content: extra bytes behind the last box
    "noise",  # content: random bytes from the middle on
    "at_once",  # create: answered when the video is made, with a link to it
    "listed",  # create: like at_once, but the body is a list with only the link
    "said",  # create: like at_once, but in the form of a chat completion
    "video",  # create: answered when the video is made, with the video itself
    "fail",  # the video of this request ends as failed, with `message` and `code`
    "stuck",  # the video of this request is never done
    "away",  # the video fails after 20 polls of a vendor that does not answer
    "withheld",  # the video is done and charged but never handed out; `code` adds an error
    "begun",  # create: done and charged, but answered like `answer`
    "status",  # retrieve: the right body with another `status`
]
When = Literal["", "processing", "succeeded", "failed"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
KINDS: tuple[Kind, ...] = get_args(Kind)
WHENS: tuple[When, ...] = get_args(When)
WORDS: Mapping[str, type | tuple[type, ...]] = {
    "operation": str,
    "kind": str,
    "status": int,
    "message": str,
    "code": str,
    "retry_after": int,
    "body": str,
    "delay": (int, float),
    "takes": (int, float),
    "when": str,
    "patch": dict,
    "without": list,
    "location": str,
    "content_type": str,
    "size": int,
    "times": int,
}
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
ALWAYS = 1_000_000
"""A number of requests that is practically infinite."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for one request.

    `delay` is the seconds before the response. `patch` and `without` set and remove fields of a
    correct JSON response. `takes` sets the seconds that the video takes. With `when`, the fault
    waits for a request about a video in that state.
    """

    operation: Operation
    kind: Kind = "pass"
    status: int = 500
    message: str = ""  # empty: a sentence that fits the status
    code: str = "moderation_blocked"
    retry_after: int | None = None
    body: str | None = None  # sent as it is: text/html if it begins with <, else as JSON
    delay: float = 0.0
    takes: float | None = None
    when: When = ""
    patch: Mapping[str, object] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    location: str = ""
    content_type: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise ValueError(f"operation must be one of {', '.join(OPERATIONS)}")
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if self.when not in WHENS:
            raise ValueError(f"when must be one of {', '.join(WHENS[1:])}, or nothing")
        if not 200 <= self.status <= 599:
            raise ValueError("status must be from 200 to 599")


class Faults:
    """The faults for future requests: one queue for each operation."""

    def __init__(self) -> None:
        self._waiting: dict[Operation, list[tuple[Fault, int]]] = {name: [] for name in OPERATIONS}

    def add(self, fault: Fault, times: int = 1) -> None:
        """Add a fault for `times` requests of its operation, after the faults that wait already."""
        if times > 0:
            self._waiting[fault.operation].append((fault, times))

    def clear(self) -> None:
        """Remove all faults."""
        for waiting in self._waiting.values():
            waiting.clear()

    def take(self, operation: Operation, state: When = "") -> Fault | None:
        """Remove and return the first fault for a request about a video in this state.

        None if there is no such fault.
        """
        waiting = self._waiting[operation]
        for index, (fault, times) in enumerate(waiting):
            if fault.when in ("", state):
                waiting[index : index + 1] = [(fault, times - 1)] if times > 1 else []
                return fault
        return None

    def __len__(self) -> int:
        return sum(times for waiting in self._waiting.values() for _, times in waiting)


def parse(content: object) -> tuple[Fault, int]:
    """Read a fault and its number of requests: `{"operation": …, "kind": …, …, "times": 1}`.

    Raises `ValueError` with the problem.
    """
    if not isinstance(content, dict):
        raise ValueError("a fault is a JSON object")
    for name, value in content.items():
        if name not in WORDS:
            raise ValueError(f"unknown word {name!r}; known are {', '.join(WORDS)}")
        if not isinstance(value, WORDS[name]):
            raise ValueError(f"{name} is of the wrong type")
    if missing := {"operation", "kind"} - content.keys():
        raise ValueError(f"missing: {', '.join(sorted(missing))}")
    words = {name: value for name, value in content.items() if name != "times"}
    if "without" in words:
        words["without"] = tuple(words["without"])
    return Fault(**words), content.get("times", 1)

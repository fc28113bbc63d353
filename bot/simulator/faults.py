"""Trouble on demand: what goes wrong with the next requests, one fault per request.

A fault is data: which operation, what happens, and a few words on how. Plain Python: the server
carries it out.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Operation = Literal["create", "retrieve", "content"]
Kind = Literal[
    "pass",  # nothing, or just the delay
    "answer",  # not done; answered with `status` and `message` in the envelope, or with `body`
    "cut",  # connection cut before the body is read: nothing is done, nothing is charged
    "drop",  # done and charged as usual, then the connection is cut instead of an answer
    "truncate",  # content: Content-Length promises all, half of it comes
    "fail",  # the video that this request is about ends failed, with `message` and `code`
    "stuck",  # the video that this request is about is never done
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
KINDS: tuple[Kind, ...] = get_args(Kind)
WORDS: Mapping[str, type | tuple[type, ...]] = {
    "operation": str,
    "kind": str,
    "status": int,
    "message": str,
    "code": str,
    "retry_after": int,
    "body": str,
    "delay": (int, float),
    "times": int,
}
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request; `delay` (seconds) goes before the answer of any kind."""

    operation: Operation
    kind: Kind
    status: int = 500
    message: str = ""  # empty: a sentence that fits the status
    code: str = "moderation_blocked"
    retry_after: int | None = None
    body: str | None = None  # sent as it is: text/html if it begins with <, else as JSON
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise ValueError(f"operation must be one of {', '.join(OPERATIONS)}")
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if not 200 <= self.status <= 599:
            raise ValueError("status must be from 200 to 599")


class Faults:
    """The faults that wait for their request, in order, for each operation."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = {name: deque() for name in OPERATIONS}

    def add(self, fault: Fault, times: int = 1) -> None:
        """Let this happen to the next `times` requests of its operation, after those waiting."""
        self._waiting[fault.operation].extend([fault] * times)

    def clear(self) -> None:
        """Let everything go well again."""
        for waiting in self._waiting.values():
            waiting.clear()

    def take(self, operation: Operation) -> Fault:
        """Return and use up the fault of this request; one of kind `pass` if none waits."""
        waiting = self._waiting[operation]
        return waiting.popleft() if waiting else Fault(operation, "pass")

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._waiting.values())


def parse(content: object) -> tuple[Fault, int]:
    """Read `{"operation": …, "kind": …, …, "times": 1}`; ValueError says what is wrong with it."""
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
    return Fault(**words), content.get("times", 1)

"""The refusals of a gateway: a status, a few words, and sometimes an envelope of its own."""

from collections.abc import Mapping


class Refused(Exception):
    """A request breaks a rule and is answered with this status.

    `body` is the whole answer where the rule has an envelope of its own; else the profile puts the
    words into its usual one. `upstream`: it was the vendor that refused, and a gateway that takes
    its price beforehand had taken it.
    """

    def __init__(
        self,
        message: str,
        status: int = 400,
        *,
        code: str | None = None,
        param: str | None = None,
        body: Mapping[str, object] | None = None,
        upstream: bool = False,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.code, self.param = message, status, code, param
        self.body, self.upstream = body, upstream


class NotJson(Refused):
    """A body that should be a JSON object is none."""


def flat(code: str, message: str, status: int = 400, *, upstream: bool = False) -> Refused:
    """The envelope that new-api has for everything about tasks."""
    body = {"code": code, "message": message, "data": None}
    return Refused(message, status, code=code, body=body, upstream=upstream)

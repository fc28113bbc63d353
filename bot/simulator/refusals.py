"""The refusals of a gateway: a status, a message, and sometimes an own envelope."""

from collections.abc import Mapping


class Refused(Exception):
    """An error: a request breaks a rule and is answered with this status.

    `body` is the whole response if the rule has its own envelope; otherwise the profile puts the
    message into its usual envelope. If `bare`, the response is the message as plain text.
    `upstream`: the vendor refused, so a gateway that charges in
    advance has charged the request already.
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
        bare: bool = False,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.code, self.param = message, status, code, param
        self.body, self.upstream, self.bare = body, upstream, bare


class NotJson(Refused):
    """An error: a body that should be a JSON object is not one."""


def flat(code: str, message: str, status: int = 400, *, upstream: bool = False) -> Refused:
    """Return a refusal in the envelope that new-api uses for everything about tasks."""
    body = {"code": code, "message": message, "data": None}
    return Refused(message, status, code=code, body=body, upstream=upstream)

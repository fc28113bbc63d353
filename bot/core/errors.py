"""Everything that can go wrong, sorted by who can mend it.

An error carries a code and the values its sentence needs; the sentence itself lives in
`locales/` under `error.<code>`. Adapters translate foreign exceptions into these, once.
"""


class BotError(Exception):
    """Root of all our errors: a stable `code` and the `values` of its sentence."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def __str__(self) -> str:
        # Values may hold a prompt or a name: logs get the code and the keys, never the values.
        return f"{self.code}({', '.join(sorted(self.values))})"


class Refused(BotError):
    """The person can act: another picture, fewer seconds, tomorrow."""


class Temporary(BotError):
    """Time heals: try the same again later."""

    def __init__(
        self,
        code: str,
        *,
        retry_after: float | None = None,
        unsent: bool = False,
        away: bool = False,
        **values: object,
    ) -> None:
        super().__init__(code, **values)
        self.retry_after = retry_after
        """Seconds the other side asked us to wait, if it said so."""
        self.unsent = unsent
        """It is certain that nothing has happened over there."""
        self.away = away
        """The other side was not there at all: no fault of what was asked, so no failed try."""


class Broken(BotError):
    """We, the configuration or the other side are wrong; an operator has to look."""

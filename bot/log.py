"""Logs: one event per line, JSON in production, colours on a terminal; secrets never.

Redaction is the last processor, and the same filter sits on the root handler for what libraries
log. It knows the configured secrets by value and the usual ones by shape.
"""

import io
import logging
import re
import sys
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from typing import Any, TextIO


class _NoRich(MetaPathFinder):
    """Says that rich is not installed, and leaves all other names to the next finder."""

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "rich":
            raise ModuleNotFoundError("the log does without it", name=fullname)


@contextmanager
def _without_rich() -> Iterator[None]:
    """While structlog is imported, which loads rich for tracebacks wherever it is installed.

    It takes 3 MB, and ours are plain. Afterwards rich can be imported as ever: nothing is kept of a
    module that was not found.
    """
    finder = _NoRich()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _without_rich():
    import structlog

_SLASH = r"(?:/|\\/|%2[fF])"
"""As it is, or as somebody quotes it in JSON or inside another address."""
_SHAPES = re.compile(
    r"bot\d+:[\w-]{20,}"  # Telegram, inside its URLs
    r"|[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"  # Discord
    r"|\bsk-[\w-]{6,}"
    r"|(?i:bearer)\s+[\w.~+/=-]+"
    rf"|{_SLASH}[vi]{_SLASH}[\w-]+{_SLASH}\d+{_SLASH}[\w.]+"  # our signed links
    r"|\b(?:sig|hm|ex|is|token|signature|Signature|Expires)=[^\s&\"']+"
)
_secrets: tuple[str, ...] = ()


def get_logger() -> Any:
    """A logger whose first argument is the event: a dotted past participle."""
    return structlog.get_logger()


def configure(
    *, level: str = "INFO", json: bool | None = None, secrets: Iterable[str] = ()
) -> None:
    """Set logging up once per process; JSON unless standard error is a terminal."""
    global _secrets
    _secrets = tuple(sorted((s for s in secrets if len(s) >= 6), key=len, reverse=True))
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, _redact_event, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(_Harmless(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _redact_event,
                last,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class _Harmless(io.TextIOBase):
    """A stream whose end, or full disk, is nobody's concern: the line is lost, and nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it if that can be."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As far as it goes."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def close(self) -> None:
        """It is not ours to close. At the end of the interpreter not even `flush` works."""


def redacted(text: str) -> str:
    """`text` without anything that opens a door."""
    for secret in _secrets:
        text = text.replace(secret, "•••")
    return _SHAPES.sub("•••", text)


def _redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redacted(value)
        elif not isinstance(value, int | float | bool | None):
            event[key] = redacted(str(value))
    return event

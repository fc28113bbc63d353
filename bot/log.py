"""Logs: one event per line, as JSON in production, in colours on a terminal, without secrets.

Redaction is the last processor before rendering. The root handler uses the same filter for the
logs of libraries. The filter knows configured secrets by value and common kinds by their shape.
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
    """An import finder that reports `rich` as not installed and ignores all other names."""

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "rich":
            raise ModuleNotFoundError("the log does without it", name=fullname)


@contextmanager
def _without_rich() -> Iterator[None]:
    """Hide rich while structlog is imported. structlog imports rich for tracebacks if it can.

    Rich takes 3 MB, and our tracebacks are plain. After the context rich can be imported normally:
    Python does not cache that a module was not found.
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
"""A slash, plain, escaped in JSON, or percent-encoded inside another URL."""
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
    """Return a logger. Its first argument is the event's name, such as `job.delivered`."""
    return structlog.get_logger()


def configure(
    *, level: str = "INFO", json: bool | None = None, secrets: Iterable[str] = ()
) -> None:
    """Set up logging for this process. `json` None: JSON unless standard error is a terminal."""
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
    """A stream that ignores write errors (closed, full disk). Only the log line is lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text; ignore an error."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream; ignore an error."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def close(self) -> None:
        """Leave the stream open: other code owns it. At interpreter exit even `flush` fails."""


def redacted(text: str) -> str:
    """Return `text` with every secret replaced by `•••`."""
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

"""All errors of the bot, sorted by who can correct them.

    Refused     the person can act
    Temporary   a retry can succeed
    Broken      an operator has to act

An error has a code and the values for its sentence. The sentence is in `locales/` under
`error.<code>`. Code that handles one error in a special way catches the error's type, as codes are
for sentences and logs alone. Adapters translate foreign exceptions into these types.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Self, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


class BotError(Exception):
    """The base of all our errors, with a stable `code` and the `values` of its sentence."""

    code = ""
    """The code. A subclass for one code alone sets it as its default."""
    which: tuple[int, int] | None = None
    """The number of the picture that the error is about, and the count of pictures."""
    in_reply: bool = False
    """Whether the error is about a file of the replied-to message, which may not be meant."""

    def __init_subclass__(cls, code: str = "") -> None:
        cls.code = code

    def __init__(self, code: str | None = None, **values: object) -> None:
        self.code = code or self.code
        self.values = values
        super().__init__(self.code)

    def __str__(self) -> str:
        # Values may hold a prompt or a name: logs get the code and the keys, never the values.
        return f"{self.code}({', '.join(sorted(self.values))})"

    @classmethod
    def of(cls, code: str, **values: object) -> Self:
        """Return an error with this code, of the subclass for the code if there is one."""
        types = (each for each in cls.__subclasses__() if each.code == code)
        return next(types, cls)(code, **values)


def named(error: Exception) -> str:
    """Return an error's name for the log: its code, or its class if it is no `BotError`."""
    return error.code if isinstance(error, BotError) else type(error).__name__


class Refused(BotError):
    """An error that the person can correct: by another picture, fewer seconds, or tomorrow."""


class Temporary(BotError):
    """An error that may not happen again: a later retry can succeed."""

    def __init__(
        self,
        code: str | None = None,
        *,
        retry_after: float | None = None,
        unsent: bool = False,
        away: bool = False,
        **values: object,
    ) -> None:
        super().__init__(code, **values)
        self.retry_after = retry_after
        """Seconds until a retry, if the server that was asked named them."""
        self.unsent = unsent
        """Whether the request certainly had no effect at the server."""
        self.away = away
        """Whether the server could not be reached at all, so that the try does not count."""


class Broken(BotError):
    """An error of our code, the configuration or a server, which an operator has to correct."""


# --- errors that code branches on: a line each, with the fault -----------------------------------
# fmt: off

# Pictures and sounds of people
class PictureGone(Refused, code="picture_gone"): ...  # a picture or a sound was removed
class PictureFormat(Refused, code="picture_format"): ...  # the bytes are no readable picture
class GivenTooLarge(Refused, code="picture_too_large"): ...  # a file has too many bytes
class MovesAlready(Refused, code="moves_already"): ...  # the file is a video, not a picture
class NoPicture(Refused, code="no_picture"): ...  # no file, or by its name no picture

# Orders
class PromptMissing(Refused, code="prompt_missing"): ...  # an order without a prompt or preset
class FamilyUnknown(Refused, code="family_unknown"): ...  # no family has this name
class KindLacking(Refused): ...  # no model, or none of the family, takes this kind of input
class AutoUnavailable(Refused, code="auto_unavailable"): ...  # this model can't choose the length
class Blocked(Refused, code="blocked"): ...  # an operator has blocked this person
class Stopped(Refused, code="stopped"): ...  # an operator has stopped all orders
class OverLimit(Refused): ...  # a limit of the operator is reached
class AnewStopped(Refused, code="anew_stopped"): ...  # all orders are stopped, so no retry
class WordsExpired(Refused, code="words_expired"): ...  # an old order's prompt was deleted
class TooLate(Refused, code="too_late_to_cancel"): ...  # the job is past that state

# Messages on a network
class MessageGone(Refused, code="card_gone"): ...  # our message is gone or not editable
class ChannelGone(Refused, code="channel_gone"): ...  # the channel no longer exists
class ReplyGone(Refused, code="reply_gone"): ...  # the message that is replied to is gone
class TopicGone(Refused, code="topic_gone"): ...  # the topic is closed or deleted
class Unchanged(Refused, code="unchanged"): ...  # an edit changed nothing
class HistoryUnreadable(Refused, code="history_unreadable"): ...  # our message can't be searched
class MaybeSent(Refused, code="maybe_sent"): ...  # a retry could post it twice
class Forbidden(Refused, code="forbidden"): ...  # the bot may not write there
class FilesForbidden(Refused, code="files_forbidden"): ...  # the bot may not attach files there
class FileTooLarge(Refused, code="file_too_large"): ...  # too large to attach there

# Our own machine, temporarily
class Unwritten(Temporary): ...  # the database can't be reached; nothing was written
class DatabaseFull(Unwritten, code="database_full"): ...  # the database's disk is full
class StorageAway(Temporary, code="storage_unavailable"): ...  # the file storage is unavailable
class Unforeseen(Temporary, code="unforeseen"): ...  # an unknown error

# Our own machine and the gateways, until an operator acts
class FileMissing(Broken, code="file_missing"): ...  # a file is not in our storage
class NotAVideo(Broken, code="not_a_video"): ...  # a file is no readable video
class VideoDamaged(Broken, code="video_damaged"): ...  # too much of a video is damaged
class VideoTruncated(Broken, code="video_truncated"): ...  # the end of a video is missing
class CannotShrink(Broken, code="cannot_shrink"): ...  # a video would be unwatchable or too large
class WorkerTooSlow(Broken, code="worker_too_slow"): ...  # our worker took too long for a file
class DatabaseAbsent(Broken, code="database_absent"): ...  # no database, or it has no tables
class DatabaseDamaged(Broken, code="database_damaged"): ...  # the database file can't be read
class DatabaseInUse(Broken, code="database_in_use"): ...  # another process uses the database
class DatabaseOlder(Broken, code="database_older"): ...  # the tables need an upgrade
class GatewayMoved(Broken, code="gateway_moved"): ...  # the gateway redirects elsewhere
class TextPartTooLarge(Broken, code="text_part_too_large"): ...  # larger than gateways accept
class PortTaken(Broken, code="port_taken"): ...  # another process listens at our port

# fmt: on


# --- one of several pictures ---------------------------------------------------------------------


@contextmanager
def about(number: int, of: int) -> Iterator[None]:
    """Record in an error raised in the context that it is about picture `number` of `of`."""
    try:
        yield
    except BotError as problem:
        if of > 1 and problem.which is None:
            problem.which = number, of
        raise


def in_turn(
    read: Callable[[_T], _R],
    given: Sequence[_T],
    within: Callable[[int, int], AbstractContextManager[None]] = about,
) -> list[_R]:
    """Return `read` of each file. An error is marked by `within` with the number of its file."""
    found = []
    for number, each in enumerate(given, 1):
        with within(number, len(given)):
            found.append(read(each))
    return found

"""Everything that can go wrong, sorted by who can mend it.

    Refused     the person can act
    Temporary   time heals
    Broken      an operator has to look

An error carries a code and the values its sentence needs; the sentence itself lives in `locales/`
under `error.<code>`. Code that goes on in its own way after one error catches its type: codes are
for sentences and logs alone. Adapters translate foreign exceptions into these, once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Self, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


class BotError(Exception):
    """Root of all our errors: a stable `code` and the `values` of its sentence."""

    code = ""
    """A type that is for one code brings it along."""
    which: tuple[int, int] | None = None
    """Of several pictures the number of the one that it is about, and how many there are."""
    in_reply: bool = False
    """It is about the message that is replied to, which may not be meant."""

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
        """The error of a code out of a table, of its own type where it has one."""
        types = (each for each in cls.__subclasses__() if each.code == code)
        return next(types, cls)(code, **values)


def named(error: Exception) -> str:
    """An error in a log: its code, or its class where it is none of ours."""
    return error.code if isinstance(error, BotError) else type(error).__name__


class Refused(BotError):
    """The person can act: another picture, fewer seconds, tomorrow."""


class Temporary(BotError):
    """Time heals: try the same again later."""

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
        """Seconds the other side asked us to wait, if it said so."""
        self.unsent = unsent
        """It is certain that nothing has happened over there."""
        self.away = away
        """The other side was not there at all: no fault of what was asked, so no failed try."""


class Broken(BotError):
    """We, the configuration or the other side are wrong; an operator has to look."""


# --- those that code branches on, a line each: what is wrong -------------------------------------
# fmt: off

# The pictures and sounds that were given
class PictureGone(Refused, code="picture_gone"): ...  # no longer where it was; also of a sound
class PictureFormat(Refused, code="picture_format"): ...  # the bytes are no picture that is read
class GivenTooLarge(Refused, code="picture_too_large"): ...  # too many bytes; also of a sound
class MovesAlready(Refused, code="moves_already"): ...  # it is a video
class NoPicture(Refused, code="no_picture"): ...  # there is none, or the file is none by its name

# What was asked
class FamilyUnknown(Refused, code="family_unknown"): ...  # no family has this name
class KindLacking(Refused): ...  # no model, or none of the family, takes this kind of input
class AutoUnavailable(Refused, code="auto_unavailable"): ...  # its length is not the model's choice
class Blocked(Refused, code="blocked"): ...  # an operator refuses this person, for now or for good
class Stopped(Refused, code="stopped"): ...  # an operator has stopped all orders
class OverLimit(Refused): ...  # a limit of the operator says no
class AnewStopped(Refused, code="anew_stopped"): ...  # all is stopped, so none is tried again
class WordsExpired(Refused, code="words_expired"): ...  # the words of an old order are deleted
class TooLate(Refused, code="too_late_to_cancel"): ...  # the job went on since its button was drawn

# Messages on a network
class MessageGone(Refused, code="card_gone"): ...  # ours is not there, or not ours to change
class ChannelGone(Refused, code="channel_gone"): ...  # its channel is no longer there
class ReplyGone(Refused, code="reply_gone"): ...  # the message that is replied to is gone
class TopicGone(Refused, code="topic_gone"): ...  # the topic is closed or deleted
class Unchanged(Refused, code="unchanged"): ...  # it shows already what it was to show
class HistoryUnreadable(Refused, code="history_unreadable"): ...  # nobody tells if ours stands
class MaybeSent(Refused, code="maybe_sent"): ...  # it may stand, and once more could double it
class Forbidden(Refused, code="forbidden"): ...  # we may not speak there
class FilesForbidden(Refused, code="files_forbidden"): ...  # we may speak there, but attach no file
class FileTooLarge(Refused, code="file_too_large"): ...  # larger than what may be attached there

# Our own machine, for a while
class Unwritten(Temporary): ...  # our rows can't be reached, so nothing was or will be written down
class DatabaseFull(Unwritten, code="database_full"): ...  # the disk of the rows is full
class StorageAway(Temporary, code="storage_unavailable"): ...  # it takes and gives no files now
class Unforeseen(Temporary, code="unforeseen"): ...  # an error that no table knows

# Our own machine and the gateways, until somebody looks
class FileMissing(Broken, code="file_missing"): ...  # a file is not in our storage
class NotAVideo(Broken, code="not_a_video"): ...  # a file is no video, or none that can be read
class VideoDamaged(Broken, code="video_damaged"): ...  # too much of a video is damaged
class VideoTruncated(Broken, code="video_truncated"): ...  # the rest of a video has not come yet
class WorkerTooSlow(Broken, code="worker_too_slow"): ...  # a file took our worker too long
class DatabaseAbsent(Broken, code="database_absent"): ...  # none is there yet, or no table in it
class DatabaseDamaged(Broken, code="database_damaged"): ...  # its file can't be read
class DatabaseInUse(Broken, code="database_in_use"): ...  # another process has it
class DatabaseOlder(Broken, code="database_older"): ...  # its tables are of an earlier version
class GatewayMoved(Broken, code="gateway_moved"): ...  # it says that it is at another address
class TextPartTooLarge(Broken, code="text_part_too_large"): ...  # larger than any gateway reads
class PortTaken(Broken, code="port_taken"): ...  # another process listens at our port

# fmt: on


# --- one of several pictures ---------------------------------------------------------------------


@contextmanager
def about(number: int, of: int) -> Iterator[None]:
    """Errors within are about one of several pictures."""
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
    """Each of several pictures or files, read; an error `within` says which it is about."""
    found = []
    for number, each in enumerate(given, 1):
        with within(number, len(given)):
            found.append(read(each))
    return found

"""A small, faithful Telegram: the Bot API on one local port, for the unmodified aiogram.

It keeps a journal of calls and records what people would see, so that a test need not trust the
bot. Start reading at `server.FakeTelegram`.
"""

from .callback import Callback, CallbackAnswer
from .calls import Call, Upload
from .faults import (
    Fault,
    Hold,
    accepted,
    bad_gateway,
    bad_request,
    blocked,
    conflict,
    deactivated,
    error,
    flood,
    garbled,
    internal,
    kicked,
    reset,
    too_large,
    unauthorized,
)
from .model import (
    MIB,
    Chat,
    ChatType,
    File,
    Kind,
    Media,
    Membership,
    Message,
    Topic,
    User,
)
from .person import Item, Person
from .server import FakeTelegram
from .updates import Poll, Update
from .webhook import Delivery

__all__ = [
    "MIB",
    "Call",
    "Callback",
    "CallbackAnswer",
    "Chat",
    "ChatType",
    "Delivery",
    "FakeTelegram",
    "Fault",
    "File",
    "Hold",
    "Item",
    "Kind",
    "Media",
    "Membership",
    "Message",
    "Person",
    "Poll",
    "Topic",
    "Update",
    "Upload",
    "User",
    "accepted",
    "bad_gateway",
    "bad_request",
    "blocked",
    "conflict",
    "deactivated",
    "error",
    "flood",
    "garbled",
    "internal",
    "kicked",
    "reset",
    "too_large",
    "unauthorized",
]

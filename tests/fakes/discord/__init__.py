"""A small, faithful Discord: REST API, gateway and CDN on one local port, for the unmodified
discord.py. It keeps a journal of requests and records what people would see, so that a test need
not trust the bot. Start reading at `server.FakeDiscord`.
"""

from .faults import Fault, Hold, accepted, error, hang_up, rate_limited, reset
from .gateway import Intent
from .interaction import Answer, Interaction, Kind, Response
from .model import (
    MEMBER,
    MIB,
    Attachment,
    Channel,
    ChannelType,
    Guild,
    Message,
    MessageFlag,
    MessageType,
    Permission,
    Role,
    User,
)
from .person import Person
from .rest import Request, Upload
from .server import FakeDiscord

__all__ = [
    "MEMBER",
    "MIB",
    "Answer",
    "Attachment",
    "Channel",
    "ChannelType",
    "FakeDiscord",
    "Fault",
    "Guild",
    "Hold",
    "Intent",
    "Interaction",
    "Kind",
    "Message",
    "MessageFlag",
    "MessageType",
    "Permission",
    "Person",
    "Request",
    "Response",
    "Role",
    "Upload",
    "User",
    "accepted",
    "error",
    "hang_up",
    "rate_limited",
    "reset",
]

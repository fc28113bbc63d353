"""From a request body to a message: fields, files, replies, and the people that it really pings."""

import re
from collections.abc import Mapping
from dataclasses import replace

from .checks import check_message, check_sizes
from .model import (
    Attachment,
    Channel,
    Json,
    Message,
    MessageFlag,
    MessageType,
    Permission,
    User,
)
from .rest import Refused, Upload, invalid
from .world import World

SETTABLE_FLAGS = (
    MessageFlag.COMPONENTS_V2 | MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS
)


def compose(
    world: World, channel: Channel, body: Json, files: Mapping[int, Upload], limit: int
) -> Message:
    """Return a new message by the bot, checked but not visible yet.

    `limit` is in bytes per file.
    """
    check_message(body)
    check_sizes(files, limit)
    target = reply_target(channel, body.get("message_reference"))
    content = body.get("content") or ""
    pings = pinged(world, channel, content, body.get("allowed_mentions"), target)
    nonce = body.get("nonce")
    message = Message(
        id=world.ids.next(),
        channel=channel,
        author=world.bot,
        written_at=world.clock(),
        type=MessageType.PLAIN if target is None else MessageType.REPLY,
        content=content,
        embeds=tuple(body.get("embeds") or ()),
        components=tuple(body.get("components") or ()),
        attachments=_attach(world, body, files, ()),
        flags=int(body.get("flags") or 0) & SETTABLE_FLAGS,
        nonce=None if nonce is None else str(nonce),
        reference=None if target is None else target.id,
        mentions=tuple(user for user in world.users.values() if user.id in pings),
        pings=pings,
    )
    return _not_empty(message)


def revise(
    world: World, message: Message, body: Json, files: Mapping[int, Upload], limit: int
) -> Message:
    """Return the edited message.

    Fields that the body leaves out stay. Editing pings nobody again.
    """
    check_message(body)
    check_sizes(files, limit)
    changed: Json = {"edited_at": None if message.loading else world.clock()}
    if "content" in body:
        changed["content"] = body["content"] or ""
    for key in ("embeds", "components"):
        if key in body:
            changed[key] = tuple(body[key] or ())
    if "attachments" in body or files:
        changed["attachments"] = _attach(world, body, files, message.attachments)
    new_flags = int(body.get("flags") or 0) & SETTABLE_FLAGS
    changed["flags"] = (message.flags & ~MessageFlag.LOADING) | new_flags
    return _not_empty(replace(message, **changed))


def reply_target(channel: Channel, reference: Json | None) -> Message | None:
    """Return the message replied to, or None for a plain message."""
    if reference is None:
        return None
    target = channel.messages.get(int(reference["message_id"]))
    if target is None or target.ephemeral:
        if reference.get("fail_if_not_exists", True):
            raise invalid("message_reference", "Unknown message", "REPLIES_UNKNOWN_MESSAGE")
        return None
    if Permission.READ_MESSAGE_HISTORY not in channel.bot_permissions:
        words = "Cannot reply without permission to read message history"
        raise Refused(400, 160002, words)
    return target


def pinged(
    world: World, channel: Channel, content: str, allowed: Json | None, target: Message | None
) -> frozenset[int | str]:
    """Return the ids that the bot's message notifies: named in the content *and* allowed, or the
    author replied to.
    """
    if allowed is None:
        allowed = {"parse": ["users", "roles", "everyone"], "replied_user": True}
    parse = allowed.get("parse", [])
    named = {
        "users": set(map(int, re.findall(r"<@!?(\d+)>", content))) & world.users.keys(),
        "roles": set(map(int, re.findall(r"<@&(\d+)>", content))),
    }
    found: set[int | str] = set()
    for kind, ids in named.items():
        found |= ids if kind in parse else ids & set(map(int, allowed.get(kind, ())))
    if "everyone" in parse and Permission.MENTION_EVERYONE in channel.bot_permissions:
        found |= set(re.findall(r"@(everyone|here)\b", content))
    if target is not None and allowed.get("replied_user"):
        found.add(target.author.id)
    return frozenset(found)


def mentioned(world: World, content: str, target: Message | None) -> tuple[User, ...]:
    """Return the users that a person's message mentions.

    A reply mentions the author replied to, but a reply to an interaction's response does not count
    as a mention of the bot.
    """
    ids = [int(number) for number in re.findall(r"<@!?(\d+)>", content)]
    if target is not None and target.origin is None:
        ids.append(target.author.id)
    return tuple(world.users[number] for number in dict.fromkeys(ids) if number in world.users)


def _attach(
    world: World, body: Json, files: Mapping[int, Upload], present: tuple[Attachment, ...]
) -> tuple[Attachment, ...]:
    """Return the files of a message after this request.

    `attachments` names the files to keep by snowflake and the new files by number. A new file that
    it does not name is added all the same, and without the list all present files stay.
    """
    listed = body.get("attachments")
    kept = {each.id: each for each in present}
    if listed is None:
        listed = [{"id": number} for number in kept]
    named = {int(entry["id"]): entry for entry in listed}
    stays = tuple(kept[number] for number in named if number in kept)
    added = []
    for number, upload in sorted(files.items()):
        entry = named.get(number, {})
        stored = world.store(entry.get("filename") or upload.filename, upload.content)
        stored.description = entry.get("description")
        added.append(stored)
    return stays + tuple(added)


def _not_empty(message: Message) -> Message:
    if message.content or message.embeds or message.components or message.attachments:
        return message
    raise Refused(400, 50006, "Cannot send an empty message")

"""The chat, topic and message that a call of the bot may reach, or the refusal.

The error texts are those of `telegram-bot-api/Client.cpp`.
"""

from .calls import Call, bad, forbidden
from .model import Chat, ChatType, Json, Membership, Message, Topic
from .world import World


def readable_chat(world: World, call: Call) -> Chat:
    """Return the chat that a call names, or refuse if the bot can't read it."""
    named = call.chat
    if named is None:
        raise bad("chat_id is empty")
    found = [it for it in world.chats.values() if named in (it.id, f"@{it.username}")]
    if not found:
        raise bad("chat not found")
    chat = found[0]
    if chat.migrated_to is not None:
        parameters = {"migrate_to_chat_id": chat.migrated_to.id}
        raise bad("group chat was upgraded to a supergroup chat", parameters)
    _check_membership(chat, world)
    return chat


def writable_chat(world: World, call: Call) -> Chat:
    """Return the chat that a call names, or refuse if the bot can't write there."""
    chat = readable_chat(world, call)
    if chat.person is not None and chat.person.is_deactivated:
        raise forbidden("user is deactivated")
    if chat.has_blocked_bot:
        raise forbidden("bot was blocked by the user")
    if chat.is_private and not chat.was_started:
        raise forbidden("bot can't initiate conversation with a user")
    if chat.type is ChatType.CHANNEL and not chat.standing(world.bot).is_admin:
        raise bad("need administrator rights in the channel chat")
    return chat


def check_right(chat: Chat, world: World, kind: str) -> None:
    """Refuse a kind of content, such as "videos", that the bot may not send to this chat."""
    if kind in chat.denied and not chat.standing(world.bot).is_admin:
        named = "text messages" if kind == "messages" else kind
        raise bad(f"not enough rights to send {named} to the chat")


def topic_of(call: Call, chat: Chat) -> Topic | None:
    """Return the topic that a call names. A call for the general topic names none."""
    number = call.integer("message_thread_id")
    if number <= 0:
        return None
    topic = chat.topics.get(number)
    if topic is None or topic.is_deleted:
        raise bad("message thread not found")
    if topic.is_closed:
        raise bad("TOPIC_CLOSED")
    return topic


def message_of(call: Call, chat: Chat, purpose: str) -> Message:
    """Return the message that a call names.

    `purpose` is a part of the error text, such as "message to edit".
    """
    found = chat.messages.get(call.integer("message_id"))
    if found is None:
        raise bad(f"{purpose} not found")
    return found


def reply_target(world: World, call: Call, chat: Chat) -> tuple[Message | None, Json]:
    """Return the message that a new one replies to, if any, and the reply parameters.

    The parameters may leave out the chat only if it is the same.
    """
    given = call.parsed("reply_parameters", "Can't parse reply parameters JSON object")
    if not given:
        return None, {}
    if not isinstance(given, dict):
        raise bad("Object expected as reply parameters")
    if not isinstance(given.get("message_id"), int):
        raise bad('Can\'t find field "message_id"')
    place = chat
    if given.get("chat_id") not in (None, chat.id, str(chat.id)):
        other = Call(method=call.method, at=call.at, raw={"chat_id": str(given["chat_id"])})
        place = readable_chat(world, other)
    found = place.messages.get(given["message_id"])
    if found is None and not (given.get("allow_sending_without_reply") and place is chat):
        raise bad("message to be replied not found")
    if found is not None and given.get("quote", "") not in found.text:
        raise bad("QUOTE_TEXT_INVALID")
    return found, given


def _check_membership(chat: Chat, world: World) -> None:
    if chat.is_private:
        return
    named = f"{chat.type} chat"
    match chat.standing(world.bot):
        case Membership.KICKED:
            raise forbidden(f"bot was kicked from the {named}")
        case Membership.LEFT:
            raise forbidden(f"bot is not a member of the {named}")

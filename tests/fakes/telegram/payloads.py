"""The fake's objects as JSON in the terms of the Bot API.

`date` is in whole seconds. A message inside a message never contains a third.
"""

from typing import Any

from .model import Chat, ChatType, File, Json, Kind, Media, Membership, Message, Size, Topic, User

ADMIN_RIGHTS = {
    "can_be_edited", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
    "can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users",
    "can_post_stories", "can_edit_stories", "can_delete_stories", "can_pin_messages",
    "can_manage_topics", "can_send_welcome_messages",
}  # fmt: skip

NEW_RIGHTS = {
    "can_manage_video_chats", "can_post_stories", "can_edit_stories", "can_delete_stories",
    "can_manage_topics", "can_send_welcome_messages",
}  # fmt: skip


def user(it: User) -> Json:
    """Return a user object."""
    shown: Json = {"id": it.id, "is_bot": it.is_bot, "first_name": it.first_name}
    more = {"username": it.username, "language_code": it.language_code}
    return shown | {key: value for key, value in more.items() if value}


def chat(it: Chat) -> Json:
    """Return a chat object as a message contains it."""
    shown: Json = {"id": it.id, "type": str(it.type)}
    if it.person is not None:
        shown["first_name"] = it.person.first_name
    else:
        shown["title"] = it.title
    name = it.username if it.person is None else it.person.username
    if name:
        shown["username"] = name
    if it.is_forum and not it.is_private:
        shown["is_forum"] = True
    if it.is_direct_messages:
        shown["is_direct_messages"] = True
    if it.type is ChatType.GROUP:
        shown["all_members_are_administrators"] = False
    return shown


def full_chat(it: Chat) -> Json:
    """Return a chat as getChat shows it."""
    gifts = "unlimited_gifts limited_gifts unique_gifts premium_subscription gifts_from_channels"
    shown = chat(it) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts.split(), False),
    }
    if it.is_group:
        kinds = ("messages", "photos", "videos", "documents", "polls")
        rights = {f"can_send_{kind}": kind not in it.denied for kind in kinds}
        shown["permissions"] = rights | {"can_send_other_messages": True}
    return shown


def member(it: User, standing: Membership) -> Json:
    """Return a chat member object."""
    shown: Json = {"user": user(it), "status": str(standing)}
    match standing:
        case Membership.CREATOR:
            shown["is_anonymous"] = it.is_anonymous
        case Membership.ADMINISTRATOR:
            shown |= {"is_anonymous": it.is_anonymous} | dict.fromkeys(ADMIN_RIGHTS, True)
        case Membership.KICKED:
            shown["until_date"] = 0
        case Membership.MEMBER | Membership.LEFT:
            pass
    return shown


def few_rights(shown: Json) -> Json:
    """Return the same member without the rights added since 2021."""
    return {key: value for key, value in shown.items() if key not in NEW_RIGHTS}


def topic(it: Topic) -> Json:
    """Return the fields of the service message that opened a topic."""
    return {"forum_topic_created": {"name": it.name, "icon_color": 7322096}}


def file(it: File) -> Json:
    """Return the fields that every file has."""
    shown: Json = {"file_id": it.id, "file_unique_id": it.unique_id, "file_size": it.size}
    return shown


def size(it: Size) -> Json:
    """Return one size of a photo, or a thumbnail."""
    return file(it.file) | {"width": it.width, "height": it.height}


def media(it: Media) -> Json:
    """Return the fields by which a message shows its media."""
    match it.kind:
        case Kind.PHOTO:
            return {"photo": [size(each) for each in it.sizes]}
        case Kind.STICKER:
            return {"sticker": _sticker(it)}
        case Kind.DOCUMENT:
            return {"document": _named(it)}
        case Kind.VOICE:
            return {"voice": file(it.file) | {"duration": it.duration, "mime_type": "audio/ogg"}}
        case Kind.AUDIO:
            return {"audio": _named(it) | {"duration": it.duration}}
        case Kind.ANIMATION:
            moving = _named(it) | _moving(it)
            return {"animation": moving, "document": _named(it)}
        case Kind.VIDEO:
            cover = {"cover": [file(it.cover) | {"width": 0, "height": 0}]} if it.cover else {}
            return {"video": _named(it) | _moving(it) | cover}


def message(it: Message, *, deep: bool = True) -> Json:
    """Return a message as the bot sees it; the message replied to is included if `deep`."""
    shown: Json = {"message_id": it.id, "date": int(it.written_at), "chat": chat(it.chat)}
    if it.author is not None:
        shown["from"] = user(it.author)
    if it.sender_chat is not None:
        shown["sender_chat"] = chat(it.sender_chat)
    if it.chat.is_direct_messages and it.author is not None:
        shown["direct_messages_topic"] = {"topic_id": it.author.id, "user": user(it.author)}
    if it.edited_at is not None:
        shown["edit_date"] = int(it.edited_at)
    if it.topic is not None:
        shown |= {"message_thread_id": it.topic.id, "is_topic_message": True}
    elif it.thread is not None:
        shown["message_thread_id"] = it.thread
    shown |= _relations(it, deep=deep) | _content(it) | (it.service or {})
    if "inline_keyboard" in (it.markup or {}):
        shown["reply_markup"] = it.markup
    if it.protected:
        shown["has_protected_content"] = True
    return shown


def inaccessible(it: Message) -> Json:
    """Return a message that is too old, or gone, as a press shows it."""
    return {"message_id": it.id, "date": 0, "chat": chat(it.chat)}


def external_reply(it: Message) -> Json:
    """Return a message of another chat or topic as a reply to it shows it."""
    shown: Json = {"origin": origin(it), "chat": chat(it.chat), "message_id": it.id}
    return shown | (media(it.media) if it.media else {})


def origin(it: Message) -> Json:
    """Return the origin of a forwarded or quoted message."""
    date = int(it.written_at)
    if it.sender_chat is not None and it.chat.type is ChatType.CHANNEL:
        shown = chat(it.sender_chat)
        return {"type": "channel", "date": date, "chat": shown, "message_id": it.id}
    if it.sender_chat is not None:
        return {"type": "chat", "date": date, "sender_chat": chat(it.sender_chat)}
    assert it.author is not None
    return {"type": "user", "date": date, "sender_user": user(it.author)}


def _relations(it: Message, *, deep: bool) -> Json:
    shown: Json = {}
    replied = it.chat.messages.get(it.reply_to or _topic_root(it))
    if replied is not None and deep:
        shown["reply_to_message"] = message(replied, deep=False)
    if it.external_reply is not None:
        shown["external_reply"] = external_reply(it.external_reply)
    if it.quote:
        shown["quote"] = {"text": it.quote, "position": 0, "is_manual": True}
    if it.origin is not None:
        shown["forward_origin"] = it.origin
    if it.via_bot is not None:
        shown["via_bot"] = user(it.via_bot)
    if it.album is not None:
        shown["media_group_id"] = it.album
    return shown


def _topic_root(it: Message) -> int:
    """Return the id of the topic's first message, which Telegram shows as the message replied to; 0
    outside of a forum's topic.
    """
    if it.topic is None or it.id == it.topic.id or it.chat.type is not ChatType.SUPERGROUP:
        return 0
    return it.topic.id


def _content(it: Message) -> Json:
    if it.service is not None:
        return {}
    marked = list(it.entities)
    if it.media is None:
        shown: Json = {"text": it.text} | ({"entities": marked} if marked else {})
        return shown | ({"link_preview_options": it.preview} if it.preview else {})
    shown = media(it.media)
    if it.text:
        shown |= {"caption": it.text} | ({"caption_entities": marked} if marked else {})
    if it.caption_above:
        shown["show_caption_above_media"] = True
    if it.media.has_spoiler:
        shown["has_media_spoiler"] = True
    return shown


def _named(it: Media) -> Json:
    shown = file(it.file)
    named = {"file_name": it.file.name, "mime_type": it.file.mime_type}
    shown |= {key: value for key, value in named.items() if value}
    return shown | _thumbnail(it)


def _moving(it: Media) -> Json:
    return {"width": it.width, "height": it.height, "duration": it.duration}


def _sticker(it: Media) -> Json:
    shown: Json = {"type": "regular", "width": it.width, "height": it.height}
    shown |= {"is_animated": it.is_animated, "is_video": it.is_video, "set_name": "Zoo"}
    emoji = {"emoji": it.emoji} if it.emoji else {}
    return file(it.file) | shown | emoji | _thumbnail(it)


def _thumbnail(it: Media) -> dict[str, Any]:
    return {} if it.thumbnail is None else {"thumbnail": size(it.thumbnail)}

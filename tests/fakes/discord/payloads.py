"""The fake's objects as JSON, as Discord shows them to this one bot.

Pure functions from the model to JSON; no state, no effects.
"""

from datetime import UTC, datetime

from .interaction import Interaction
from .model import (
    Attachment,
    Channel,
    ChannelType,
    Guild,
    Json,
    Message,
    MessageType,
    Origin,
    Role,
    User,
)

_EMPTIED: Json = {"content": "", "attachments": [], "embeds": [], "components": []}


def stamp(seconds: float) -> str:
    """Return an ISO 8601 time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def user(account: User) -> Json:
    """Return a user object."""
    return {
        "id": str(account.id),
        "username": account.name,
        "global_name": account.name.title(),
        "discriminator": "0000" if account.bot else "0",
        "avatar": None,
        "bot": account.bot,
        "public_flags": 0,
    }


def application(bot: User, *, flags: int) -> Json:
    """Return the application object that login asks for."""
    return {
        "id": str(bot.id),
        "name": bot.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "owner": user(bot),
        "team": None,
        "flags": flags,
    }


def member(account: User, guild: Guild) -> Json:
    """Return a guild member without its user. The bot has the role that was created for it."""
    roles = [guild.bot_role] if account.bot else account.roles
    return {
        "roles": [str(role.id) for role in roles if role in (guild.bot_role, *guild.roles)],
        "nick": None,
        "avatar": None,
        "joined_at": "2024-01-01T00:00:00+00:00",
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "communication_disabled_until": None,
    }


def acting_member(account: User, guild: Guild) -> Json:
    """Return a guild member with permissions, as interactions show it."""
    return member(account, guild) | {"permissions": str(int(account.permissions))}


def role(item: Role, *, permissions: int = 0, position: int = 1) -> Json:
    """Return a role object."""
    return {
        "id": str(item.id),
        "name": item.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": position,
        "permissions": str(int(permissions)),
        "managed": False,
        "mentionable": True,
        "flags": 0,
    }


def channel(item: Channel, bot: User) -> Json:
    """Return a channel object; the permissions denied to the bot are in its overwrites."""
    shown: Json = {
        "id": str(item.id),
        "type": int(item.type),
        "last_message_id": str(max(item.messages)) if item.messages else None,
        "flags": 0,
    }
    if item.type is ChannelType.DM:
        return shown | {"recipients": [user(person) for person in item.recipients]}
    if item.guild is None:
        people = [user(person) for person in item.recipients]
        group = {"name": item.name, "icon": None, "owner_id": people[0]["id"]}
        return shown | group | {"recipients": people}
    denial = {"id": str(bot.id), "type": 1, "allow": "0", "deny": str(int(item.denied))}
    return shown | {
        "guild_id": str(item.guild.id),
        "name": item.name,
        "position": 0,
        "permission_overwrites": [denial] if item.denied else [],
        "nsfw": False,
        "parent_id": None,
        "topic": None,
        "rate_limit_per_user": 0,
        "permissions": str(int(item.bot_permissions)),
    }


def guild(item: Guild, bot: User) -> Json:
    """Return a guild as GUILD_CREATE and GET /guilds show it."""
    everyone = Role(id=item.id, name="@everyone")
    roles = [role(everyone, position=0), role(item.bot_role, permissions=item.bot_permissions)]
    me = member(bot, item) | {"user": user(bot)}
    empty = ("emojis", "stickers", "features", "threads", "presences", "voice_states")
    return {
        "id": str(item.id),
        "name": item.name,
        "icon": None,
        "owner_id": "1",
        "unavailable": False,
        "large": False,
        "joined_at": me["joined_at"],
        "roles": roles + [role(each) for each in item.roles],
        "channels": [channel(each, bot) for each in item.channels],
        "members": [me],
        "member_count": 1,
        "premium_tier": item.premium_tier,
        "premium_subscription_count": 0,
        "preferred_locale": item.locale,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "afk_timeout": 300,
        "system_channel_flags": 0,
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    } | {key: [] for key in empty}


def guild_listed(item: Guild) -> Json:
    """Return a guild as the list of the bot's own guilds shows it."""
    return {
        "id": str(item.id),
        "name": item.name,
        "icon": None,
        "owner": False,
        "permissions": str(int(item.bot_permissions)),
        "features": [],
    }


def attachment(item: Attachment) -> Json:
    """Return an attachment object with the declared size, whatever the content is."""
    shown: Json = {
        "id": str(item.id),
        "filename": item.filename,
        "size": item.size,
        "url": item.url,
        "proxy_url": item.url,
        "ephemeral": item.ephemeral,
    }
    optional = {
        "content_type": item.content_type,
        "description": item.description,
        "width": item.width,
        "height": item.height,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def message(item: Message) -> Json:
    """Return a message object with all its content."""
    shown: Json = {
        "id": str(item.id),
        "type": int(item.type),
        "channel_id": str(item.channel.id),
        "author": user(item.author),
        "content": item.content,
        "timestamp": stamp(item.written_at),
        "edited_timestamp": None if item.edited_at is None else stamp(item.edited_at),
        "tts": False,
        "mention_everyone": bool(item.pings & {"everyone", "here"}),
        "mentions": [user(person) for person in item.mentions],
        "mention_roles": [str(each) for each in _roles_pinged(item)],
        "attachments": [attachment(each) for each in item.attachments],
        "embeds": list(item.embeds),
        "components": list(item.components),
        "sticker_items": list(item.stickers),
        "pinned": False,
        "flags": int(item.flags),
    }
    if item.forwarded is not None:
        shown |= _forward(item.forwarded)
    if item.nonce is not None:
        shown["nonce"] = item.nonce
    if item.reference is not None:
        shown |= _reference(item)
    if item.origin is not None:
        shown |= _origin(item.origin, item.author)
    return shown


def readable(item: Message, *, everything: bool = False) -> Json:
    """Return a message as the bot may read it: emptied if it does not concern the bot.

    Without the message content intent a bot reads its own messages, direct messages, and messages
    that mention it. The message replied to is judged on its own.
    """
    shown = message(item)
    if not (everything or concerns_bot(item)):
        shown |= _EMPTIED
        for each in shown.get("message_snapshots", ()):
            each["message"] |= _EMPTIED
    if item.type is MessageType.REPLY and item.reference is not None:
        target = item.channel.messages.get(item.reference)
        shown["referenced_message"] = target and readable(target, everything=everything)
    return shown


def concerns_bot(item: Message) -> bool:
    """Whether the bot may read the message without the message content intent."""
    private = item.channel.type is ChannelType.DM
    return private or item.author.bot or any(person.bot for person in item.mentions)


def interaction_owners(channel: Channel, person: User) -> Json:
    """Return `authorizing_integration_owners`: the server or person that installed the app that is
    being used.
    """
    owners: Json = {}
    if channel.guild is not None and channel.guild.bot_is_member:
        owners["0"] = str(channel.guild.id)
    elif channel.type is ChannelType.DM:
        owners["0"] = "0"
    if person.installed_app:
        owners["1"] = str(person.id)
    return owners


def interaction(item: Interaction, bot: User) -> Json:
    """Return the event that the bot gets when a person uses a command, button or modal."""
    place, person = item.channel, item.user
    shown: Json = {
        "id": str(item.id),
        "application_id": str(bot.id),
        "type": int(item.kind),
        "token": item.token,
        "version": 1,
        "data": item.data,
        "channel_id": str(place.id),
        "channel": channel(place, bot),
        "context": item.context,
        "locale": person.locale,
        "app_permissions": str(int(place.bot_permissions)),
        "authorizing_integration_owners": item.owners,
        "entitlements": person.entitlements,
        "attachment_size_limit": item.upload_limit,
    }
    if item.message is not None:
        shown["message"] = message(item.message)
    if place.guild is None:
        return shown | {"user": user(person)}
    seen = acting_member(person, place.guild) | {"user": user(person)}
    return shown | {
        "guild_id": str(place.guild.id),
        "guild": {"id": str(place.guild.id), "locale": place.guild.locale, "features": []},
        "guild_locale": place.guild.locale,
        "member": seen,
    }


def _roles_pinged(item: Message) -> set[int]:
    ids = {each for each in item.pings if isinstance(each, int)}
    return ids - {person.id for person in item.mentions}


def _forward(item: Message) -> Json:
    """Return a forward with its snapshot, which holds the content of the message and not its
    author.
    """
    told = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp")
    whole = message(item)
    snapshot = {key: whole[key] for key in (*told, "flags", "components", "sticker_items")}
    where = {"type": 1, "message_id": str(item.id), "channel_id": str(item.channel.id)}
    return {"message_snapshots": [{"message": snapshot}], "message_reference": where}


def _reference(item: Message) -> Json:
    where = {"type": 0, "message_id": str(item.reference), "channel_id": str(item.channel.id)}
    if item.channel.guild is not None:
        where["guild_id"] = str(item.channel.guild.id)
    return {"message_reference": where}


def _origin(origin: Origin, bot: User) -> Json:
    ids = {"original_response_message_id": origin.original, "target_message_id": origin.target}
    metadata: Json = {
        "id": str(origin.interaction),
        "type": origin.type,
        "user": user(origin.user),
        "authorizing_integration_owners": origin.owners,
    }
    metadata |= {key: str(value) for key, value in ids.items() if value is not None}
    return {
        "application_id": str(bot.id),
        "webhook_id": str(bot.id),
        "interaction_metadata": metadata,
    }

"""Discord's limits on a message, checked before anything becomes visible."""

from collections.abc import Mapping

from .model import Channel, Json, MessageFlag, Permission, walk
from .rest import Refused, Upload, invalid

TOO_LONG = "BASE_TYPE_MAX_LENGTH"

BUTTON, LINK, PREMIUM = 2, 5, 6


def check_message(body: Json) -> None:
    """Refuse a body that Discord would not accept, with Discord's own error codes."""
    if len(body.get("content") or "") > 2000:
        raise invalid("content", "Must be 2000 or fewer in length.", TOO_LONG)
    if len(str(body.get("nonce") or "")) > 25:
        raise invalid("nonce", "Must be 25 or fewer in length.", TOO_LONG)
    if len(body.get("attachments") or ()) > 10:
        raise invalid("attachments", "Must be 10 or fewer in length.", TOO_LONG)
    _check_embeds(body.get("embeds") or [])
    if body.get("flags", 0) & MessageFlag.COMPONENTS_V2:
        if body.get("content") or body.get("embeds"):
            raise invalid("content", "Not allowed with IS_COMPONENTS_V2.")
    else:
        _check_rows(body.get("components") or [])
    check_components(body.get("components") or [])


def check_components(components: list[Json]) -> None:
    """Refuse labels, custom ids and urls that are too long, and one custom id used twice."""
    seen: set[str] = set()
    for component in walk(components):
        own = component.get("custom_id")
        if own is not None and (not own or len(own) > 100):
            raise invalid("components.custom_id", "Must be between 1 and 100 in length.", TOO_LONG)
        if own is not None and own in seen:
            raise invalid("components.custom_id", "Component custom id cannot be duplicated")
        if own is not None:
            seen.add(own)
        if component["type"] == BUTTON:
            _check_button(component)


def check_permissions(channel: Channel, body: Json, files: Mapping[int, Upload]) -> None:
    """Refuse a message that the bot may not send in this channel with its own token."""
    may = channel.bot_permissions
    if Permission.VIEW_CHANNEL not in may:
        raise Refused(403, 50001, "Missing Access")
    needed = Permission.SEND_MESSAGES
    if files:
        needed |= Permission.ATTACH_FILES
    if body.get("embeds"):
        needed |= Permission.EMBED_LINKS
    if needed not in may:
        raise Refused(403, 50013, "Missing Permissions")
    if any(not person.dms_open for person in channel.recipients):
        raise Refused(403, 50007, "Cannot send messages to this user")


def check_sizes(files: Mapping[int, Upload], limit: int) -> None:
    """Refuse a file above the limit in bytes; the limit holds for each file, not for their sum."""
    if any(upload.size > limit for upload in files.values()):
        raise Refused(413, 40005, "Request entity too large")


def _check_button(button: Json) -> None:
    if len(button.get("label") or "") > 80:
        raise invalid("components.label", "Must be 80 or fewer in length.", TOO_LONG)
    if len(button.get("url") or "") > 512:
        raise invalid("components.url", "Must be 512 or fewer in length.", TOO_LONG)
    needed = {LINK: "url", PREMIUM: "sku_id"}.get(button["style"], "custom_id")
    if needed not in button:
        raise invalid(f"components.{needed}", "This field is required", "BASE_TYPE_REQUIRED")


def _check_rows(rows: list[Json]) -> None:
    if len(rows) > 5:
        raise invalid("components", "Must be 5 or fewer in length.", TOO_LONG)
    for row in rows:
        if row["type"] != 1:
            raise invalid("components.type", "Value of field 'type' must be one of (1,).")
        if not 1 <= len(row["components"]) <= 5:
            raise invalid("components.components", "Must be between 1 and 5 in length.", TOO_LONG)


def _check_embeds(embeds: list[Json]) -> None:
    if len(embeds) > 10:
        raise invalid("embeds", "Must be 10 or fewer in length.", TOO_LONG)
    if sum(_letters(embed) for embed in embeds) > 6000:
        raise invalid("embeds", "Embed size exceeds 6000", "MAX_EMBED_SIZE_EXCEEDED")
    limits = {"title": 256, "description": 4096, "fields": 25}
    for embed in embeds:
        for key, limit in limits.items():
            if len(embed.get(key) or "") > limit:
                raise invalid(f"embeds.{key}", f"Must be {limit} or fewer in length.", TOO_LONG)


def _letters(embed: Json) -> int:
    words = [embed.get("title"), embed.get("description")]
    words += [embed.get("footer", {}).get("text"), embed.get("author", {}).get("name")]
    for entry in embed.get("fields", []):
        words += [entry["name"], entry["value"]]
    return sum(len(word or "") for word in words)

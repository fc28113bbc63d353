"""Routes for channels and their messages, used with the bot's token."""

from .checks import check_permissions
from .compose import compose, revise
from .gateway import Intent
from .model import Channel, Json, Message, Permission
from .payloads import channel as channel_payload
from .payloads import readable
from .rest import Body, Refused, Request, Route
from .world import World


class MessageRoutes:
    """The routes of channels. Nonces are remembered per author, which here is always the bot."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._nonces: dict[str, Message] = {}

    def routes(self) -> list[Route]:
        """Return the table of routes."""
        one = "/channels/{channel}/messages/{message}"
        return [
            Route("POST", "/users/@me/channels", self.open_dm),
            Route("GET", "/channels/{channel}", self.channel),
            Route("POST", "/channels/{channel}/typing", self.typing),
            Route("GET", "/channels/{channel}/messages", self.history),
            Route("POST", "/channels/{channel}/messages", self.create),
            Route("GET", one, self.message),
            Route("PATCH", one, self.edit),
            Route("DELETE", one, self.delete),
            Route("PUT", one + "/reactions/{emoji}/@me", self.react),
        ]

    def open_dm(self, request: Request) -> Body:
        """Open direct messages. This works even for a person whose direct messages are closed."""
        person = self._world.users.get(int(request.json["recipient_id"]))
        if person is None or person.bot:
            raise Refused(400, 50033, "Invalid Recipient(s)")
        return channel_payload(self._world.dm(person), self._world.bot)

    def channel(self, _: Request, channel: int) -> Body:
        """Return a channel."""
        return channel_payload(self._visible(channel), self._world.bot)

    def typing(self, _: Request, channel: int) -> Body:
        """Accept the typing indicator; nothing shows it."""
        self._visible(channel)
        return None

    def history(self, request: Request, channel: int) -> Body:
        """Return messages, newest first; none without the right to read the history."""
        place = self._visible(channel)
        if Permission.READ_MESSAGE_HISTORY not in place.bot_permissions:
            return []
        standing = [item for item in place.messages.values() if not item.ephemeral]
        return [self._show(item) for item in _page(standing, request)]

    def message(self, _: Request, channel: int, message: int) -> Body:
        """Return one message."""
        place = self._visible(channel)
        self._need(place, Permission.READ_MESSAGE_HISTORY)
        return self._show(self._find(place, message))

    def create(self, request: Request, channel: int) -> Body:
        """Post a message, unless its enforced nonce was used within the window."""
        world, body = self._world, request.json or {}
        place = self._known(channel)
        check_permissions(place, body, request.files)
        nonce = str(body["nonce"]) if body.get("enforce_nonce") and body.get("nonce") else None
        if nonce is not None:
            earlier = self._nonces.get(nonce)
            if earlier is not None and world.clock() - earlier.written_at < world.nonce_window:
                return self._show(earlier.channel.messages.get(earlier.id, earlier))
        message = compose(world, place, body, request.files, world.upload_limit(place))
        world.post(message)
        if nonce is not None:
            self._nonces[nonce] = message
        return self._show(message)

    def edit(self, request: Request, channel: int, message: int) -> Body:
        """Edit a message of the bot's own."""
        world = self._world
        place = self._visible(channel)
        before = self._find(place, message)
        if before.author is not world.bot:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        limit = world.upload_limit(place)
        world.edit(revise(world, before, request.json or {}, request.files, limit))
        return self._show(place.messages[message])

    def delete(self, _: Request, channel: int, message: int) -> Body:
        """Delete a message of the bot's own, or anybody's with the right to manage messages."""
        place = self._visible(channel)
        found = self._find(place, message)
        if found.author is not self._world.bot:
            self._need(place, Permission.MANAGE_MESSAGES)
        self._world.remove(found)
        return None

    def react(self, _: Request, channel: int, message: int, emoji: str) -> Body:
        """Add a reaction to a message. The first reaction needs a permission of its own."""
        place = self._visible(channel)
        self._need(place, Permission.READ_MESSAGE_HISTORY | Permission.ADD_REACTIONS)
        self._world.react(self._find(place, message), emoji)
        return None

    def _known(self, number: int) -> Channel:
        found = self._world.channels.get(number)
        if found is None:
            raise Refused(404, 10003, "Unknown Channel")
        return found

    def _visible(self, number: int) -> Channel:
        found = self._known(number)
        if not found.visible_to_bot:
            raise Refused(403, 50001, "Missing Access")
        return found

    def _need(self, channel: Channel, permission: Permission) -> None:
        if permission not in channel.bot_permissions:
            raise Refused(403, 50013, "Missing Permissions")

    def _find(self, channel: Channel, number: int) -> Message:
        found = channel.messages.get(number)
        if found is None or found.ephemeral:
            raise Refused(404, 10008, "Unknown Message")
        return found

    def _show(self, message: Message) -> Json:
        for attachment in message.attachments:
            self._world.sign(attachment)
        everything = Intent.MESSAGE_CONTENT in self._world.gateway.granted
        return readable(message, everything=everything)


def _page(standing: list[Message], request: Request) -> list[Message]:
    query = {key: int(value) for key, value in request.query.items()}
    limit = query.get("limit", 50)
    newest_first = sorted(standing, key=lambda item: -item.id)
    if "around" in query:
        newer = [item for item in newest_first if item.id > query["around"]]
        rest = [item for item in newest_first if item.id <= query["around"]]
        return newer[-(limit // 2) :] + rest[: limit - limit // 2]
    if "after" in query:
        return [item for item in newest_first if item.id > query["after"]][-limit:]
    until = query.get("before", 1 << 63)
    return [item for item in newest_first if item.id < until][:limit]

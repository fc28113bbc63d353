"""A person with a Telegram client, who writes, sends pictures, presses buttons, joins and leaves.

A person can do only what a client offers; anything else raises LookupError.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import payloads
from .callback import Callback
from .keyboards import find_button
from .model import Chat, Kind, Media, Membership, Message, Topic, User
from .text import find_entities
from .world import World

ANONYMOUS_ADMIN_ID = 1_087_968_824
CHANNEL_BOT_ID = 136_817_688
STICKER_EDGE = 512

STICKER_TYPES = {
    "static": "image/webp",
    "animated": "application/x-tgsticker",
    "video": "video/webm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of an album. As a document it is not re-encoded."""

    content: bytes
    caption: str = ""
    document_name: str = ""


@dataclass(eq=False, kw_only=True, repr=False)
class Person(User):
    """A person who acts in the private chat with the bot unless another chat is given.

    Where a method takes a message, any earlier snapshot of it will do: the method uses the message
    as it is now.
    """

    world: World
    speaks_as: Chat | None = None
    """The channel in whose name the person writes in groups, or None."""

    @property
    def private(self) -> Chat:
        """This person's chat with the bot."""
        return self.world.private(self)

    async def starts(self, payload: str = "") -> Message:
        """Press Start, or open a start link that carries a payload."""
        return await self.says(f"/start {payload}".strip())

    async def says(
        self,
        text: str,
        *,
        chat: Chat | None = None,
        topic: Topic | None = None,
        reply_to: Message | None = None,
        quote: str = "",
        via_bot: User | None = None,
    ) -> Message:
        """Write a message.

        A reply to a message of another chat or topic shows that message as an external reply.
        """
        message = self._draft(chat, topic, reply_to)
        written = replace(message, text=text, entities=find_entities(text), quote=quote)
        return self._post(replace(written, via_bot=via_bot))

    async def sends_photo(
        self,
        content: bytes,
        *,
        caption: str = "",
        size: int | None = None,
        chat: Chat | None = None,
        topic: Topic | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a picture as a photo.

        Telegram keeps it in several sizes and not as the original. `size` in bytes is the size that
        Telegram states for the largest.
        """
        media = self._photo(content, size)
        return self._send(self._draft(chat, topic, reply_to), media, caption)

    async def sends_document(
        self,
        content: bytes,
        name: str,
        *,
        caption: str = "",
        mime_type: str | None = None,
        size: int | None = None,
        chat: Chat | None = None,
        topic: Topic | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a file unchanged."""
        media = self._document(content, name, mime_type, size)
        return self._send(self._draft(chat, topic, reply_to), media, caption)

    async def sends_sound(
        self,
        content: bytes = b"OggS",
        *,
        kind: str = "voice",
        name: str = "",
        duration: int = 7,
        caption: str = "",
        chat: Chat | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a voice message, or with kind "audio" a file of music."""
        file = self.world.files.store(content, folder="sounds", name=name)
        media = Media(kind=Kind(kind), file=file, duration=duration)
        draft = self._draft(chat, None, reply_to)
        return self._send(draft, self.world.files.remember(media), caption)

    async def sends_sticker(
        self,
        content: bytes,
        *,
        kind: str = "static",
        emoji: str = "🐱",
        chat: Chat | None = None,
        topic: Topic | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a sticker, "static", "animated" or "video"."""
        mime_type = STICKER_TYPES[kind]
        media = Media(
            kind=Kind.STICKER,
            file=self.world.files.store(content, folder="stickers", mime_type=mime_type),
            width=STICKER_EDGE,
            height=STICKER_EDGE,
            emoji=emoji,
            is_animated=kind == "animated",
            is_video=kind == "video",
        )
        return self._send(self._draft(chat, topic, reply_to), media, "")

    async def sends_animation(
        self,
        content: bytes,
        *,
        caption: str = "",
        chat: Chat | None = None,
        topic: Topic | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a GIF, of which Telegram makes an MP4 without sound."""
        draft = self._draft(chat, topic, reply_to)
        return self._send(draft, self._moving(Kind.ANIMATION, content), caption)

    async def sends_video(
        self,
        content: bytes,
        *,
        caption: str = "",
        size: int | None = None,
        chat: Chat | None = None,
        topic: Topic | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a video. `size` in bytes is the size that Telegram states."""
        draft = self._draft(chat, topic, reply_to)
        return self._send(draft, self._moving(Kind.VIDEO, content, size), caption)

    async def sends_album(
        self,
        items: Sequence[Item],
        *,
        chat: Chat | None = None,
        topic: Topic | None = None,
        reply_to: Message | None = None,
    ) -> list[Message]:
        """Send several pictures as an album; the bot gets one update for each."""
        album = self.world.new_number()
        sent = []
        for item in items:
            draft = replace(self._draft(chat, topic, reply_to), album=album)
            if item.document_name:
                media = self._document(item.content, item.document_name, None, None)
            else:
                media = self._photo(item.content, None)
            sent.append(self._send(draft, media, item.caption))
        return sent

    async def forwards(self, message: Message, *, to: Chat, topic: Topic | None = None) -> Message:
        """Forward a message."""
        standing = self._now(message)
        draft = self._draft(to, topic, None)
        origin = standing.origin or payloads.origin(standing)
        return self._post(
            replace(
                draft,
                text=standing.text,
                entities=standing.entities,
                media=standing.media,
                origin=origin,
            )
        )

    async def edits(self, message: Message, text: str) -> Message:
        """Edit a text or caption of one's own."""
        standing = self._now(message)
        if standing.author is not self:
            raise LookupError(f"{message} is not by {self}")
        changed = replace(
            standing,
            text=text,
            entities=find_entities(text),
            edits=standing.edits + 1,
            edited_at=self.world.clock(),
        )
        return self.world.edit(changed)

    async def deletes(self, message: Message) -> None:
        """Delete a message of one's own, or anybody's as an admin."""
        standing = self._now(message)
        chat = standing.chat
        if standing.author is not self and not (chat.is_private or chat.standing(self).is_admin):
            raise LookupError(f"{self} can't delete {message}")
        self.world.remove(standing)

    async def presses(self, message: Message, button: str, *, is_old: bool = False) -> Callback:
        """Press a button, named by its text or its data; buttons in a group work after it has
        moved. `is_old` makes the message count as sent long ago.
        """
        standing = self._now(message)
        self._check_inside(standing.chat)
        found = find_button(standing.buttons, button)
        return self.world.press(standing, self, found["callback_data"], is_old=is_old)

    async def reacts(self, message: Message, *emojis: str) -> Message:
        """Set the person's reactions on a message, in place of earlier ones."""
        return self.world.react(self._now(message), self, *emojis)

    async def blocks_bot(self) -> None:
        """Block the bot in the private chat."""
        self.world.seat(self.private, self.world.bot, Membership.KICKED, self)

    async def unblocks_bot(self) -> None:
        """Unblock the bot."""
        self.world.seat(self.private, self.world.bot, Membership.MEMBER, self)

    async def adds_bot(self, chat: Chat, *, as_admin: bool = False) -> None:
        """Add the bot to a chat, or make it an admin there."""
        standing = Membership.ADMINISTRATOR if as_admin else Membership.MEMBER
        self.world.seat(chat, self.world.bot, standing, self)

    async def kicks_bot(self, chat: Chat) -> None:
        """Remove the bot from a chat."""
        self.world.seat(chat, self.world.bot, Membership.KICKED, self)

    async def joins(self, chat: Chat) -> None:
        """Become a member of a chat."""
        self.world.seat(chat, self, Membership.MEMBER, self)

    async def leaves(self, chat: Chat) -> None:
        """Leave a chat."""
        self.world.seat(chat, self, Membership.LEFT, self)

    def _draft(self, chat: Chat | None, topic: Topic | None, reply_to: Message | None) -> Message:
        """Return a message with everything but its content."""
        world, place = self.world, chat or self.private
        self._check(place, topic)
        target = None if reply_to is None else self._now(reply_to)
        if target is not None and chat is None:
            place = target.chat
        if target is not None and topic is None and target.chat is place:
            topic = target.topic
        near = target is not None and target.chat is place and target.topic is topic
        thread = None
        if target is not None and near and topic is None and not place.is_private:
            thread = target.thread or target.id
        author, sender_chat = self._signature(place)
        return Message(
            id=world.next_message_id(place),
            chat=place,
            written_at=world.clock(),
            author=author,
            sender_chat=sender_chat,
            reply_to=target.id if target is not None and near else None,
            external_reply=None if near else target,
            topic=topic,
            thread=thread if place.type == "supergroup" else None,
        )

    def _check_inside(self, chat: Chat) -> None:
        if chat.is_private and chat.person is not self:
            raise LookupError(f"{chat} is not the chat of {self}")
        if not chat.standing(self).is_inside:
            raise LookupError(f"{self} is not in {chat}")
        if chat.has_blocked_bot and chat.is_private:
            raise LookupError(f"{self} has blocked the bot")

    def _check(self, chat: Chat, topic: Topic | None) -> None:
        self._check_inside(chat)
        if chat.migrated_to is not None:
            raise LookupError(f"{chat} is now {chat.migrated_to}")
        if topic is not None and (topic.is_closed or topic.is_deleted):
            raise LookupError(f"{topic} is closed")

    def _signature(self, chat: Chat) -> tuple[User | None, Chat | None]:
        """Return the author named on a message, and the chat in whose name it is written."""
        if chat.type == "channel":
            if not chat.standing(self).is_admin:
                raise LookupError(f"{self} can't write in {chat}")
            return None, chat
        if self.is_anonymous and chat.is_group:
            return self._placeholder(ANONYMOUS_ADMIN_ID, "Group", "GroupAnonymousBot"), chat
        if self.speaks_as is not None and chat.is_group:
            return self._placeholder(CHANNEL_BOT_ID, "Channel", "Channel_Bot"), self.speaks_as
        return self, None

    def _placeholder(self, number: int, name: str, username: str) -> User:
        known = self.world.users.get(number)
        if known is None:
            known = User(id=number, first_name=name, username=username, is_bot=True)
            self.world.users[number] = known
        return known

    def _photo(self, content: bytes, size: int | None) -> Media:
        sizes = self.world.files.store_photo(content, size=size)
        largest = sizes[-1]
        media = Media(
            kind=Kind.PHOTO,
            file=largest.file,
            sizes=sizes,
            width=largest.width,
            height=largest.height,
        )
        return self.world.files.remember(media)

    def _document(
        self, content: bytes, name: str, mime_type: str | None, size: int | None
    ) -> Media:
        file = self.world.files.store(
            content, folder="documents", name=name, mime_type=mime_type, size=size
        )
        return self.world.files.remember(Media(kind=Kind.DOCUMENT, file=file))

    def _moving(self, kind: Kind, content: bytes, size: int | None = None) -> Media:
        file = self.world.files.store(
            content, folder=f"{kind}s", name=f"{kind}.mp4", mime_type="video/mp4", size=size
        )
        media = Media(kind=kind, file=file, width=320, height=240, duration=3)
        return self.world.files.remember(media)

    def _send(self, draft: Message, media: Media, caption: str) -> Message:
        entities = find_entities(caption)
        return self._post(replace(draft, media=media, text=caption, entities=entities))

    def _post(self, message: Message) -> Message:
        if message.chat.is_private:
            message.chat.was_started = True
        return self.world.post(message)

    def _now(self, message: Message) -> Message:
        standing = message.chat.messages.get(message.id)
        if standing is None:
            raise LookupError(f"{message} is gone")
        return standing

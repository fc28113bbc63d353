"""The state of the fake Telegram, changed only by the functions here.

Every visible change passes `post`, `edit`, `remove` or `react`: each stores the message, sends the
bot the updates that it may get, and adds to the streams that tests wait on. This module knows
nothing of HTTP.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from tests.fakes.streams import Stream

from . import payloads
from .callback import Callback
from .files import Files
from .model import Chat, ChatType, Json, Membership, Message, Topic, User
from .privacy import Privacy
from .updates import Updates


@dataclass(slots=True, kw_only=True)
class Quirks:
    """Switches for Telegram's oddities.

    `zero_ids` is the number of the next sends answered with the id 0.
    """

    zero_ids: int = 0
    silent_videos_are_animations: bool = False
    knows_few_rights: bool = False
    """Whether getChatMember has only the rights that admins had years ago, as on old local servers.
    """
    callback_seconds: float = 15.0
    """Seconds for which a pressed button can be answered; Telegram does not document the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One "is typing…" of the bot."""

    chat: Chat
    name: str
    at: float


class World:
    """The whole state of the fake. `clock` returns unix seconds for all dates and deadlines."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.quirks = Quirks()
        self._user_ids = count(401_200_001)
        self._chat_ids = count(4_001_000_001)
        self._account_messages = count(1)
        self._numbers = count(9_100_000_000_000_001)
        self.bot = User(
            id=next(self._user_ids), first_name="Zoetrope", username="zoetrope_bot", is_bot=True
        )
        self.privacy = Privacy(bot=self.bot)
        self.token = f"{self.bot.id}:AA{secrets.token_urlsafe(25)[:33]}"
        self.updates = Updates(clock=clock)
        self.files = Files(bot=self.bot.id, clock=clock)
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.chats: dict[int, Chat] = {}
        self.callbacks: dict[str, Callback] = {}
        self.actions: list[Action] = []
        self.complaints: list[str] = []
        self.posted: Stream[Message] = Stream("message")
        self.edited: Stream[Message] = Stream("edit")
        self.removed: Stream[Message] = Stream("delete")
        self.reacted: Stream[Message] = Stream("reaction")
        self.answered: Stream[Callback] = Stream("callback")
        self.acted: Stream[Action] = Stream("action")

    # ---- people and chats

    def new_user_id(self) -> int:
        """Return an unused user id."""
        return next(self._user_ids)

    def new_number(self) -> str:
        """Return an unused id for other things: queries, albums."""
        return str(next(self._numbers))

    def add_user(self, user: User) -> User:
        """Add a user, with a private chat that was not started yet."""
        self.users[user.id] = user
        instance = self.new_number()
        private = Chat(id=user.id, type=ChatType.PRIVATE, instance=instance, person=user)
        self.chats[private.id] = private
        return user

    def add_chat(self, kind: ChatType, title: str) -> Chat:
        """Add an empty group, supergroup or channel."""
        number = next(self._chat_ids)
        marked = -number if kind is ChatType.GROUP else -(10**12) - number % 10**10
        chat = Chat(id=marked, type=kind, instance=self.new_number(), title=title)
        self.chats[chat.id] = chat
        return chat

    def add_topic(self, chat: Chat, name: str, creator: User | None) -> Topic:
        """Open a topic; its id is that of its service message."""
        topic = Topic(id=self.next_message_id(chat), name=name)
        chat.topics[topic.id] = topic
        opening = Message(
            id=topic.id,
            chat=chat,
            written_at=self.clock(),
            author=creator,
            topic=topic,
            service=payloads.topic(topic),
        )
        chat.messages[topic.id] = opening
        return topic

    def next_message_id(self, chat: Chat) -> int:
        """Return the next message id.

        Each supergroup and channel counts for itself; all other chats share one counter.
        """
        if chat.type in (ChatType.SUPERGROUP, ChatType.CHANNEL):
            chat.last_message_id += 1
            return chat.last_message_id
        return next(self._account_messages)

    def private(self, user: User) -> Chat:
        """Return the private chat of a user with the bot."""
        return self.chats[user.id]

    # ---- visible changes

    def post(self, message: Message) -> Message:
        """Make a message visible, and send the bot an update unless it is the author."""
        chat = message.chat
        chat.messages[message.id] = message
        if message.author is self.bot:
            self.posted.add(message)
        elif self.privacy.reaches_bot(message):
            kind = "channel_post" if chat.type is ChatType.CHANNEL else "message"
            self.updates.add(kind, self._shown(message), message)
        if message.author is not None and message.author.is_bot:
            chat.last_bot = message.author
        return message

    def edit(self, message: Message) -> Message:
        """Replace the message of the same id."""
        message.chat.messages[message.id] = message
        if message.author is self.bot:
            self.edited.add(message)
        elif self.privacy.reaches_bot(message):
            channel = message.chat.type is ChatType.CHANNEL
            kind = "edited_channel_post" if channel else "edited_message"
            self.updates.add(kind, self._shown(message), message)
        return message

    def remove(self, message: Message) -> None:
        """Delete a message; bots get no update."""
        self.removed.add(message.chat.messages.pop(message.id))

    def react(self, message: Message, user: User, *emojis: str) -> Message:
        """Set a user's reactions on a message, in place of earlier ones."""
        before = message.reactions.get(user, ())
        marked = replace(message, reactions={**message.reactions, user: emojis})
        message.chat.messages[message.id] = marked
        if user is self.bot:
            self.reacted.add(marked)
        elif message.chat.is_private or message.chat.standing(self.bot).is_admin:
            self.updates.add("message_reaction", self._reaction(marked, user, before), marked)
        return marked

    def press(self, message: Message, person: User, data: str, *, is_old: bool = False) -> Callback:
        """Press a button. For a message that `is_old`, the update contains almost nothing of it."""
        callback = Callback(
            id=self.new_number(), person=person, message=message, data=data, at=self.clock()
        )
        self.callbacks[callback.id] = callback
        shown = {"id": callback.id, "from": payloads.user(person), "data": data}
        known = payloads.inaccessible if is_old else payloads.message
        shown |= {"message": known(message), "chat_instance": message.chat.instance}
        self.updates.add("callback_query", shown, callback)
        return callback

    def act(self, chat: Chat, name: str) -> None:
        """Record that the bot shows that it is busy."""
        action = Action(chat=chat, name=name, at=self.clock())
        self.actions.append(action)
        self.acted.add(action)

    def seat(self, chat: Chat, user: User, standing: Membership, by: User) -> None:
        """Change a user's status in a chat, and send the bot the update about it."""
        before = chat.standing(user)
        if chat.is_private:
            blocked = standing is Membership.KICKED
            before = Membership.KICKED if chat.has_blocked_bot else Membership.MEMBER
            chat.has_blocked_bot = blocked
        else:
            chat.members[user] = standing
        self._announce(chat, user, before, standing)
        body = {
            "chat": payloads.chat(chat),
            "from": payloads.user(by),
            "date": int(self.clock()),
            "old_chat_member": payloads.member(user, before),
            "new_chat_member": payloads.member(user, standing),
        }
        if user is self.bot:
            self.updates.add("my_chat_member", body, chat)
        elif chat.standing(self.bot).is_admin:
            self.updates.add("chat_member", body, chat)

    def migrate(self, group: Chat) -> Chat:
        """Turn a group into a supergroup; the old id can't be used from now on."""
        after = self.add_chat(ChatType.SUPERGROUP, group.title)
        after.members = dict(group.members)
        after.denied = set(group.denied)
        owner = next((it for it in group.members if not it.is_bot), None)
        self._say(group, {"migrate_to_chat_id": after.id}, owner)
        self._say(after, {"migrate_from_chat_id": group.id}, owner, by=after)
        group.migrated_to = after
        return after

    def _announce(self, chat: Chat, user: User, before: Membership, after: Membership) -> None:
        """Post the service message by which groups tell who joins and leaves."""
        if chat.is_group and before.is_inside != after.is_inside:
            shown = payloads.user(user)
            came, went = {"new_chat_members": [shown]}, {"left_chat_member": shown}
            self._say(chat, came if after.is_inside else went, user)

    def _say(
        self, chat: Chat, service: Json, author: User | None, *, by: Chat | None = None
    ) -> None:
        self.post(
            Message(
                id=self.next_message_id(chat),
                chat=chat,
                written_at=self.clock(),
                author=author,
                sender_chat=by,
                service=service,
            )
        )

    def _shown(self, message: Message) -> Json:
        return payloads.message(self.privacy.veiled(message))

    def _reaction(self, message: Message, user: User, before: tuple[str, ...]) -> Json:
        return {
            "chat": payloads.chat(message.chat),
            "message_id": message.id,
            "user": payloads.user(user),
            "date": int(self.clock()),
            "old_reaction": [{"type": "emoji", "emoji": emoji} for emoji in before],
            "new_reaction": [
                {"type": "emoji", "emoji": emoji} for emoji in message.reactions[user]
            ],
        }

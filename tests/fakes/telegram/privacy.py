"""The messages of a group that the bot gets: with privacy mode on, only those meant for the bot."""

from dataclasses import dataclass, replace

from .model import Chat, ChatType, Message, User
from .text import BOT_COMMAND, cut


@dataclass(slots=True, kw_only=True)
class Privacy:
    """The mode, which the bot's maker sets, and two details that Telegram does not document."""

    bot: User
    is_on: bool = True
    hides_replied_messages: bool = False
    """Whether a reply to another person's message comes without that message."""
    captions_are_commands: bool = True
    """Whether a caption that begins with a command reaches the bot, like a text."""

    def reaches_bot(self, message: Message) -> bool:
        """Whether the bot gets another author's message."""
        chat = message.chat
        if chat.is_private:
            return not chat.has_blocked_bot
        standing = chat.standing(self.bot)
        if not standing.is_inside or (chat.type is ChatType.CHANNEL and not standing.is_admin):
            return False
        if self._sees_all(chat) or message.service is not None:
            return True
        return message.via_bot is self.bot or self._is_answer(message) or self._commands(message)

    def veiled(self, message: Message) -> Message:
        """Return the message as far as the bot may see it."""
        hidden = self.hides_replied_messages and not self._is_answer(message)
        if not hidden or self._sees_all(message.chat):
            return message
        return replace(message, reply_to=None)

    def _sees_all(self, chat: Chat) -> bool:
        return chat.is_private or chat.standing(self.bot).is_admin or not self.is_on

    def _is_answer(self, message: Message) -> bool:
        replied = message.chat.messages.get(message.reply_to or 0)
        return replied is not None and replied.author is self.bot

    def _commands(self, message: Message) -> bool:
        if message.media is not None and not self.captions_are_commands:
            return False
        for entity in message.entities:
            if entity["type"] == BOT_COMMAND:
                _, _, name = cut(message.text, entity).partition("@")
                mine = name.lower() == self.bot.username.lower()
                if mine or (not name and message.chat.last_bot is self.bot):
                    return True
        return False

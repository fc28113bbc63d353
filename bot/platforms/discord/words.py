"""The words in Discord's own list of commands: registered in every language we speak."""

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot import i18n
from bot.core.replies import Text


class Translator(app_commands.Translator):
    """Looks the ids that `words` left behind up in our catalogues."""

    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        _context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """None where we do not speak that language: Discord then shows the default."""
        language = locale.value.replace("-", "_")
        spoken = {language, language.partition("_")[0]} & set(i18n.languages())
        if "id" not in string.extras or not spoken - {i18n.DEFAULT}:
            return None
        return i18n.say(Text(id=string.extras["id"]), locale.value)


def words(message_id: str) -> locale_str:
    """The English sentence, with the id by which the others are found."""
    return locale_str(i18n.say(Text(id=message_id), i18n.DEFAULT), id=message_id)

"""The Telegram platform.

`client` sends posts, `inbox` stores updates before it confirms them, `commands` handles the stored
updates, and `messages` draws replies. `reading` converts aiogram's objects to the core's types;
`pace` keeps to Telegram's rate limits. `lazy_types` is imported first: it prevents aiogram from
building all its types on import.
"""

from bot.platforms.telegram import lazy_types

__all__ = ["lazy_types"]

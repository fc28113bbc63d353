"""Telegram: `client` is the line, `commands` what people do, `messages` how it looks.

`inbox` hears: what Telegram tells only once is stored before it is confirmed, and handled from the
rows. `reading` puts aiogram's objects into the core's words; `pace` keeps to Telegram's rates.
`lazy_types` comes first: it keeps the import of aiogram from building all of its types.
"""

from bot.platforms.telegram import lazy_types

__all__ = ["lazy_types"]

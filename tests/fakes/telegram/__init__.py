"""A small honest Telegram: the Bot API on one local port, for the unmodified aiogram."""

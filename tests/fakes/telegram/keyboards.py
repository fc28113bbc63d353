"""Buttons under a message, and those of them that a person can press.

The error texts are those of `telegram-bot-api/Client.cpp` and of the server behind it.
"""

from typing import Any
from urllib.parse import urlsplit

from .calls import Call, Refused, bad
from .model import Json

ACTIONS = {
    "url", "callback_data", "web_app", "login_url", "switch_inline_query",
    "switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "copy_text",
    "callback_game", "pay",
}  # fmt: skip
LOOKS = ("text", "style", "icon_custom_emoji_id", "disabled")
STYLES = ("", "default", "primary", "danger", "success")

MOST_BUTTONS = 100
MOST_DATA_BYTES = 64


def read_markup(call: Call, *, inline_only: bool = False) -> Json | None:
    """Return the checked keyboard of a call. An edit may set only an inline keyboard."""
    markup = call.parsed("reply_markup", "Can't parse reply keyboard markup JSON object")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("Object expected as reply markup")
    if "inline_keyboard" in markup:
        _check_rows(markup["inline_keyboard"])
        rows = [row for row in markup["inline_keyboard"] if row]
        return {"inline_keyboard": rows} if rows else None
    if not any(markup.get(key) for key in ("keyboard", "remove_keyboard", "force_reply")):
        return None
    if inline_only:
        raise bad("Inline keyboard expected")
    return markup


def find_button(buttons: list[Json], wanted: str) -> Json:
    """Return the button with this text, or with this callback data."""
    for button in buttons:
        if wanted in (button["text"], button.get("callback_data")):
            if "callback_data" not in button:
                raise LookupError(f"{wanted!r} tells the bot nothing: {button}")
            return button
    raise LookupError(f"nothing to press is called {wanted!r}, only {buttons}")


def _check_rows(rows: Any) -> None:
    shape = 'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad(shape)
    for row in rows:
        for button in row:
            _check_button(button)
    if sum(map(len, rows)) > MOST_BUTTONS:
        raise bad("reply markup is too long")


def _check_button(button: Any) -> None:
    if not isinstance(button, dict):
        raise _unread("InlineKeyboardButton must be an Object")
    if not isinstance(button.get("text"), str):
        raise _unread('Can\'t find field "text"')
    if str(button.get("style") or "").lower() not in STYLES:
        raise _unread("invalid button style specified")
    actions = [key for key in ACTIONS if button.get(key) not in (None, "")]
    if not actions:
        raise _unread("Text buttons are unallowed in the inline keyboard")
    if not button["text"].strip():
        raise bad("Inline keyboard button text must be non-empty")
    if len(str(button.get("callback_data", "")).encode()) > MOST_DATA_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in actions:
        _check_url(button["url"])


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "tg":
        return
    # Telegram refuses an address of this machine alone; a fake has to accept it.
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise bad(f"Inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def odd_buttons(markup: Json | None) -> list[str]:
    """Return the mistakes in a keyboard that Telegram accepts silently."""
    odd = []
    for button in [button for row in (markup or {}).get("inline_keyboard", []) for button in row]:
        actions = [key for key in ACTIONS if key in button]
        if len(actions) > 1:
            odd.append(f"a button with two actions: {button}")
        if unknown := button.keys() - {*ACTIONS, *LOOKS}:
            odd.append(f"a button with unknown fields {sorted(unknown)}")
    return odd


def _unread(message: str) -> Refused:
    return bad(f"Can't parse inline keyboard button: {message}")

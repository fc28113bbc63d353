"""Secrets and addresses as people paste them: each is read, or refused with what it is instead."""

import re

from yarl import URL

_QUOTES = "\"'`“”„‘’«»"
_NO_TOKENS = {
    r"(?i)https?://.*|([\w-]+\.)*discord(app)?\.(com|gg)(/.*)?": "token_link",
    r"[\w-]{32}": "token_client_secret",
    r"\d{17,20}": "token_application_id",
    r"[0-9a-f]{64}": "token_public_key",
    r"\d{3,20}:[\w-]{20,}": "token_of_telegram",
}
"""Strings that people paste instead of Discord's token: other strings of its developer portal, and
BotFather's tokens. A Discord token has two dots."""


def bot_token(text: str) -> str:
    """Return the token in pasted text. Raises `ValueError` that names what was pasted instead."""
    token = _secret(text, prefix="bot")
    for shape, code in _NO_TOKENS.items():
        if re.fullmatch(shape, token):
            raise ValueError(code)
    return token


def telegram_token(text: str) -> str:
    """Return the token in pasted text. Raises `ValueError` if it is no token of BotFather."""
    token = _secret(text, prefix="bot")
    if not re.fullmatch(r"\d{3,20}:[\w-]{20,}", token):
        raise ValueError("telegram_token")
    return token


def api_key(text: str) -> str:
    """Return the key in pasted text. Raises `ValueError` if it can't be a key."""
    return _secret(text, prefix="bearer")


def _secret(text: str, *, prefix: str) -> str:
    """Return the secret in pasted text, without prefix, quotes and white space around it."""
    secret = unquoted(re.sub(rf"^{prefix}\s+", "", unquoted(text), flags=re.IGNORECASE))
    if not secret:
        raise ValueError("secret_missing")
    if secret.removeprefix("sk-") in ("…", "..."):
        raise ValueError("secret_placeholder")
    # Discord and gateways use only these characters, and a header can't carry others.
    if not all("!" <= character <= "~" for character in secret):
        raise ValueError("secret_characters")
    return secret


def unquoted(text: str) -> str:
    """Return pasted text without white space and quotes around it."""
    return text.strip().strip(_QUOTES).strip()


def is_key(text: str) -> bool:
    """Whether text pasted as an address is surely an API key. A key has no dots; a host does."""
    return bool(re.fullmatch(r"(?i)(bearer\s+)?sk-[\w-]+", unquoted(text)))


def gateway_address(text: str) -> str:
    """Return the base address in pasted text. People often paste an example's whole path."""
    if is_key(text):
        raise ValueError("address_is_key")
    address = web_address(unquoted(text))
    return address.removesuffix("/videos").removesuffix("/v1").rstrip("/")


def web_address(value: str) -> str:
    """Return the web address. Raises `ValueError` if it is none, or holds more than an address."""
    try:
        url = URL(value.strip())
    except ValueError as error:
        raise ValueError("web_address") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("web_address")
    if url.user or url.password or url.query_string or url.fragment:
        raise ValueError("web_address_alone")
    return value.strip().rstrip("/")

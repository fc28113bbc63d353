"""Finds hosts that a person wrote into a text, also in disguised spellings."""

import html
import re
import unicodedata
from urllib.parse import unquote, urlsplit

_DOT = re.compile(
    r"\s*[\[({<]\s*(?:dot|\.)\s*[\])}>]\s*|\s+\.\s*|[\s_-]+dot[\s_-]+|。", re.IGNORECASE
)
"""Ways to write a dot so that a host does not become a link."""
_PUNYCODE = re.compile(r"xn--([a-z0-9-]+)")


def names_host(text: str, url: str) -> bool:
    """Whether `text` may name the host of `url`. True if `url` has no host.

    So a link that a chat model only repeats from the prompt is recognized.
    """
    try:
        host = _folded(urlsplit(url).hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return True
    # Letters of other scripts may touch a host without a space, so only ASCII ends a match.
    named = re.search(rf"(?<![a-z0-9]){re.escape(host)}(?![a-z0-9])", _folded(text))
    return not host or named is not None


def _folded(text: str) -> str:
    """Return the text with hosts in one spelling: gateways escape them, people disguise them."""
    text = unicodedata.normalize("NFKC", unquote(html.unescape(text)))
    seen = "".join(it for it in text if unicodedata.category(it) != "Cf").replace("\\", "")
    return _PUNYCODE.sub(_decoded, _DOT.sub(".", seen).casefold())


def _decoded(match: re.Match[str]) -> str:
    try:
        return match[1].encode("ascii").decode("punycode").casefold()
    except ValueError:
        return match[0]

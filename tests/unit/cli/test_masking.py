"""A prompt is recognized in a gateway's error, in whatever encoding the gateway wrote it."""

import html
import json
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from bot.cli.jobs.masking import MASK, masked

PROMPT = 'A "red" cat & a dog’s café on the moon, 😀 smoking'
SECRETS = ("cat", "dog", "caf", "moon", "smoking", "😀", "d83d")


@pytest.mark.parametrize(
    "quoted",
    [
        str,
        html.escape,
        lambda text: html.escape(html.escape(text)),
        lambda text: "".join(f"&#{ord(sign)};" for sign in text),
        lambda text: "".join(f"&#x{ord(sign):X};" for sign in text),
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        lambda text: json.dumps(html.escape(text)),
        quote,
        quote_plus,
        lambda text: quote(quote(text)),
        lambda text: repr(text.encode()),
        ascii,
        str.upper,
        str.title,
        lambda text: text.replace(" ", "\n\t "),
        lambda text: text.replace(" ", "\u200b \u00a0"),
        lambda text: " ".join(text.split(" ")).replace("’", "'"),
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: f"{text[:20]}...",
        lambda text: f"{text[:8]} …",
        lambda text: f"{html.escape(text[:20])}...",
        lambda text: f"{text[:14]} […] {text[-14:]}",
        lambda text: f"...{text[-9:]}",
    ],
)
def test_a_prompt_quoted_by_a_gateway_in_any_encoding_is_masked(
    quoted: Callable[[str], str],
) -> None:
    said = f"Policy 7 says no to: {quoted(PROMPT)} (request req_1)."
    shown = masked(said, [PROMPT])
    assert shown.startswith("Policy 7 says no to: ")
    assert shown.endswith("(request req_1).")
    assert MASK in shown
    assert not [each for each in SECRETS if each in shown.casefold()], shown


def test_a_prompt_cut_short_at_the_end_of_an_error_is_masked() -> None:
    assert masked(f"Rejected: {PROMPT[:9]}", [PROMPT]) == f"Rejected: {MASK}"


@pytest.mark.parametrize(
    ("prompt", "said", "shown"),
    [
        ("cat", "location of &quot;cat&quot;", f"location of &quot;{MASK}&quot;"),
        ("CAT", "cat-like concat", f"{MASK}-like concat"),
        ("一只猫在月球上", "提示词“一只猫在月球上”违规", f"提示词“{MASK}”违规"),
        ("一只猫在月球上行走", "“\\u4e00\\u53ea\\u732b\\u5728”!", f"“{MASK}”!"),
        ("😀", "no \\ud83d\\ude00 here", f"no {MASK} here"),
        ("!!!", "no !!! here", f"no {MASK} here"),
        (" ", "as it is", "as it is"),
        ("", "as it is", "as it is"),
        ("a cat", "the server is on fire", "the server is on fire"),
        ("a cat", "\\u12 &#xFFFFFFFF; %zz \\U00110000 \\ud83d", None),
    ],
)
def test_words_that_only_resemble_the_prompt_are_not_masked(
    prompt: str, said: str, shown: str | None
) -> None:
    assert masked(said, [prompt]) == (said if shown is None else shown)

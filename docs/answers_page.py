"""Writes `docs/answers.md`, which shows `bot/gateways/answers.toml`: python -m docs.answers_page"""

from collections.abc import Iterable
from pathlib import Path

from bot.gateways.meanings import STATES, Meaning, Row
from bot.gateways.table import PACKAGED

PAGE = Path(__file__).with_name("answers.md")
HEAD = """\
# What the answers of gateways mean

One table decides: [bot/gateways/answers.toml](../bot/gateways/answers.toml), shown here. This page
is written by `python -m docs.answers_page`, and a test holds it to the table.

Codes and types come first, wherever an envelope has them: case and separators don't count, `*` ends
a prefix. A bare number counts in this table together with its sentence alone, for anybody counts
errors from 1000; in a row of yours it counts at HTTP 400, 401, 402, 403 and 429, or at the row's
own statuses. A code that a message begins with never outweighs the answer's own code, and tells
nothing about a key: the store of a person's picture has such codes too. Then come whole
sentences, in which `*` is anything and `#` a number; the one
of which most is spelt out decides. `(a|b)` is either, `(a|)` may be missing. A part of a message
(*phrase*) counts only where one order is judged.

Answers may quote what a person wrote: the prompt, what to avoid, and all other text that the order
carries. What may be quoted makes no other order wait, wherever it stands; such a code can
still tell about that one order. An answer that one order is moderated makes none wait either,
whatever its HTTP status. 401 and 402 are about the account by themselves, unless the message
is about a picture, a size or a model of one order, or a code says that the
order may have begun; any other 429 is busy, whatever stands in a part of its message.

| meaning | what follows |
|---|---|
| `moderated` | this order has failed; *Edit* and another model are offered |
| `no_balance` `bad_key` | its orders wait, its owners are told, nothing is lost |
| `unknown_model` | this order has failed; another model is offered |
| `bad_size` `too_long` | this order has failed, with the reason |
| `busy` | asked again later, with back-off |
| `blocked` | this order has failed; its owners are told what stands before the gateway |
| `begun` | of an order: it may be under way, and paid, so it is *unconfirmed*, never sent again |
| `withheld` | of a done video: there is none; after three tries it has failed, and is charged |
| `refused` | this order has failed; *Edit*, another model and *Try again* are offered |
| `unknown_id` `no_route` | of a look: such a job is not known, there is no such address |
| `done` `failed` `expired` `waiting` `running` | the states that words of a job stand for |

## A gateway of your own

Rows in your configuration go before these, for that gateway alone:

```toml
[[gateways.main.answers]]
codes = ["purse_empty"]
meaning = "no_balance"

[[gateways.main.answers]]
words = ["marinated"]
meaning = "done"

[[gateways.main.answers]]
sentences = ["The kitchen is closed until *"]
status = [403, 503]
at = ["create"]
meaning = "busy"
```

| column | |
|---|---|
| `meaning` | one of those above |
| `codes` | codes or types, whole, or a prefix and `*` |
| `sentences` | whole messages; `*` is anything, `#` a number |
| `unless` | parts of messages with which it is none of the sentences and has none of the phrases |
| `phrases` | parts of messages; only for `moderated`, `unknown_model`, `bad_size` and `too_long` |
| `words` | status words of a job; only for its states and `moderated` |
| `status` | the HTTP statuses at which it holds; default: any |
| `at` | `create`, `look`, `content` or `failure`; default: everywhere |
| `together` | whether a code and a sentence both have to be there; default: one is enough |
| `unasked` | whether the gateway itself says so before any vendor is asked, so that it is free |

`zoetrope check` says what is wrong with a row. A status word that nobody knows means *still
running* and is told to the owners once.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for meaning in Meaning:
        rows = [row for row in PACKAGED.rows if row.meaning is meaning]
        said = [line for row in rows if (line := _line(row))]
        words = sorted({word for row in rows for word in row.words})
        if said or words:
            parts.append(f"\n## `{meaning}`\n")
        if words and meaning in STATES:
            parts.append(f"\nStatus words: {_code(words)}\n")
        if said:
            head = "\n| by | HTTP | at | codes | sentences and *phrases* | source |\n"
            parts.append(head + "|---|---|---|---|---|---|\n" + "".join(said))
    return "".join(parts)


def _line(row: Row) -> str:
    if not (row.codes or row.sentences or row.phrases):
        return ""
    texts = [_code(row.sentences), " ".join(f"*{_cell(phrase)}*;" for phrase in row.phrases)]
    if row.together:
        texts.append("(with the code)")
    if row.one_order:
        texts.append("(tells nothing about the account)")
    if row.unless:
        texts.append(f"(unless {_code(row.unless)})")
    if row.unasked:
        texts.append("(no vendor was asked)")
    cells = (
        row.by,
        ", ".join(map(str, sorted(row.status))) or "any",
        ", ".join(sorted(row.at)) or "any",
        _code(row.codes),
        " ".join(filter(None, texts)),
        f"[source]({row.source})",
    )
    return f"| {' | '.join(cells)} |\n"


def _code(texts: Iterable[str]) -> str:
    return " ".join(f"`{_cell(text)}`" for text in texts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

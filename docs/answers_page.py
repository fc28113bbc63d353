"""Writes `docs/answers.md` from `bot/gateways/answers.toml`: python -m docs.answers_page"""

from collections.abc import Iterable
from pathlib import Path

from bot.gateways.meanings import STATES, Meaning, Row
from bot.gateways.table import PACKAGED

PAGE = Path(__file__).with_name("answers.md")
HEAD = """\
# What the answers of gateways mean

One table says what each answer of a gateway means:
[bot/gateways/answers.toml](../bot/gateways/answers.toml). This page shows the table. `python -m
docs.answers_page` writes the page, and a test compares it with the table.

## How an answer is read

1. **Codes and types** come first, in any envelope. Case and separators don't count. `*` ends a
   prefix. A bare number counts in this table only together with its sentence, because many
   vendors count their errors from 1000. In your own rows a bare number counts at HTTP 400, 401,
   402, 403 and 429, or at the row's own statuses. A code at the start of a message never outweighs
   the answer's own code. It says nothing about a key, because the server that stores a person's
   picture has such codes too.
2. **Whole sentences** come next. `*` is any text and `#` a number. If several sentences match, the
   one that spells out most of the message decides. `(a|b)` means either, and `(a|)` may be missing.
3. **A part of a message** (*phrase*) counts only if the answer decides about one order.

An answer may quote a person's text: the prompt, the negative prompt, and any other text of the
order. A code or a sentence that may be a quote never makes other orders wait. Such a code can still
decide about that one order. A moderated order makes no other order wait either, whatever the HTTP
status. 401 and 402 are about the account, unless the message is about a picture, a size or a
model of one order, or a code says that the order may have begun. Any other 429 means busy, whatever
a part of its message says.

| meaning | result |
|---|---|
| `moderated` | this order fails; *Edit* and another model are offered |
| `no_balance` `bad_key` | the gateway's orders wait, owners are told, nothing is lost |
| `unknown_model` | this order fails; another model is offered |
| `bad_size` `too_long` | this order fails, with the reason |
| `busy` | the request is retried later, with back-off |
| `blocked` | this order fails; owners are told what stands before the gateway |
| `begun` | of an order: it may run and be paid, so it is *unconfirmed* and never sent again |
| `withheld` | of a made video: it is kept back; after three tries the job fails, and is charged |
| `refused` | this order fails; *Edit*, another model and *Try again* are offered |
| `unknown_id` `no_route` | of a poll: the job is unknown, or there is no such address |
| `done` `failed` `expired` `waiting` `running` | the state of a job that a status word means |

## A gateway of your own

Rows in your configuration come before these rows, for that gateway alone:

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
| `meaning` | one of the meanings above |
| `codes` | whole codes or types, or a prefix and `*` |
| `sentences` | whole messages; `*` is any text, `#` a number |
| `unless` | parts of messages: a message with one of them does not match this row |
| `phrases` | parts of messages; only for `moderated`, `unknown_model`, `bad_size` and `too_long` |
| `words` | status words of a job; only for the states of a job and for `moderated` |
| `status` | the HTTP statuses at which the row counts; default: any |
| `at` | `create` (order), `look` (poll), `content`, `failure` (a job's error); default: any |
| `together` | whether a code and a sentence must both match; default: one is enough |
| `unasked` | whether the gateway answers before it asks a vendor, so that the order is free |

`zoetrope check` says what is wrong with a row. An unknown status word means *still running*, and
owners are told about it once.
"""


def page() -> str:
    """Return the page as Markdown."""
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
            head = "\n| said by | HTTP | at | codes | sentences and *phrases* | source |\n"
            parts.append(head + "|---|---|---|---|---|---|\n" + "".join(said))
    return "".join(parts)


def _line(row: Row) -> str:
    if not (row.codes or row.sentences or row.phrases):
        return ""
    texts = [_code(row.sentences), " ".join(f"*{_cell(phrase)}*;" for phrase in row.phrases)]
    if row.together:
        texts.append("(with the code)")
    if row.one_order:
        texts.append("(says nothing about the account)")
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

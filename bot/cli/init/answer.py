"""Get one answer: the existing value, or a person's answer, asked for until it passes its test."""

from collections.abc import Callable
from typing import TypeVar

from bot.cli.init.setup import Setup
from bot.cli.init.talk import Talk
from bot.config import Problem
from bot.config.problems import misread
from bot.core.errors import BotError

Found = TypeVar("Found")
Wrong = BotError | Problem


def good(
    talk: Talk,
    setup: Setup,
    *key: str,
    given: object,
    ask: Callable[[Wrong | None], str],
    read: Callable[[str], str],
    test: Callable[[str], Found],
) -> tuple[str, Found]:
    """Return the answer, and the result of its test.

    `ask` gets the last answer's mistake; `read` raises `ValueError` with a code, and `test` a
    `BotError`. A `given` answer is tried once. If it comes from the environment, no other is
    asked for, because the environment would override the new answer.
    """
    wrong: Wrong | None = None
    while True:
        said = str(given or ask(wrong))
        given = None
        try:
            answer = read(said)
        except ValueError as error:
            wrong = misread(key, error, said)
        else:
            try:
                return answer, test(answer)
            except BotError as error:
                wrong = error
        talk.complain(wrong)
        setup.check_ours(*key)


def secret(
    talk: Talk,
    setup: Setup,
    *key: str,
    ask: Callable[[], str],
    read: Callable[[str], str],
    test: Callable[[str], Found],
) -> tuple[str, Found]:
    """Get and store a secret like any answer; from then on the log redacts the secret."""

    def tested(said: str) -> Found:
        setup.hide(said)
        return test(said)

    given = setup.get(*key)
    said, found = good(talk, setup, *key, given=given, ask=lambda _: ask(), read=read, test=tested)
    setup.keep(said, *key)
    return said, found

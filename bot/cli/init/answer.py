"""One answer: what is there already, or what a person is asked for until it is good."""

from collections.abc import Callable
from typing import TypeVar

from bot.cli.init.draft import Draft
from bot.cli.init.talk import Talk
from bot.config import Problem
from bot.config.problems import misread
from bot.core.errors import BotError

Found = TypeVar("Found")
Wrong = BotError | Problem


def good(
    talk: Talk,
    draft: Draft,
    *key: str,
    given: object,
    ask: Callable[[Wrong | None], str],
    read: Callable[[str], str],
    test: Callable[[str], Found],
) -> tuple[str, Found]:
    """The answer, and what its test has found out.

    `ask` is told what was wrong with the last answer; `read` raises ValueError with a code, and
    `test` a `BotError`. An answer `given` already is tried once; where that is from the
    environment, nothing else is: it would win over any other.
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
        draft.check_ours(*key)


def secret(
    talk: Talk,
    draft: Draft,
    *key: str,
    ask: Callable[[], str],
    read: Callable[[str], str],
    test: Callable[[str], Found],
) -> tuple[str, Found]:
    """The same for a secret, which no log shows from then on, and which is kept."""

    def tested(said: str) -> Found:
        draft.hide(said)
        return test(said)

    given = draft.get(*key)
    said, found = good(talk, draft, *key, given=given, ask=lambda _: ask(), read=read, test=tested)
    draft.keep(said, *key)
    return said, found

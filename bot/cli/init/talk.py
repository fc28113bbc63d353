"""Asks: a person at a terminal, one question at a time; or nobody, for scripts."""

import select
import sys
from collections.abc import Sequence
from contextlib import suppress
from getpass import getpass

from rich.console import Console

from bot.cli.words import explain, tell
from bot.config import Misconfigured, Problem
from bot.core.errors import BotError, Refused
from bot.i18n import printable

MOST = 1_000_000


class Skipped(Exception):
    """Enter alone, where that is an answer."""


class Talk:
    """With a person: whatever can't be understood is asked again."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)

    def say(self, id_: str, **values: object) -> None:
        """Print a sentence."""
        self.print(tell(id_, count=None, **values))

    def print(self, sentence: str) -> None:
        """Print one that is already made."""
        self._console.print(sentence)

    def complain(self, error: BotError | Problem) -> None:
        """Print what is wrong with the last answer; it will be asked again."""
        said = error.sentence("en") if isinstance(error, Problem) else explain(error)
        self._console.print(said, style="yellow")

    def ask_line(self, id_: str, *, default: str | None = None) -> str:
        """Some words."""
        while True:
            answer = self._answer(tell(id_), default)
            if answer:
                return answer

    def ask_or_skip(self, id_: str, **values: object) -> str:
        """Some words, or none."""
        return self._answer(tell(id_, count=None, **values), "")

    def ask_secret(self, id_: str) -> str:
        """Some words that are not shown while they are typed."""
        while True:
            with suppress(Skipped):
                return self.ask_secret_or_skip(id_)

    def ask_secret_or_skip(self, id_: str) -> str:
        """The same; raises `Skipped` at Enter alone."""
        # Echo is off before the question is there: a quick hand shows nothing.
        answer = getpass(f"{tell(id_)} ").strip()
        if not answer:
            raise Skipped
        return answer

    def ask_number(self, id_: str, *, default: float | None = None, **values: object) -> float:
        """A number from 0 up, or -1."""
        shown = None if default is None else f"{default:g}"
        while True:
            answer = self._answer(tell(id_, count=None, **values), shown).replace(",", ".")
            try:
                number = float(answer)
            except ValueError:
                number = float("nan")
            if number == -1 or 0 <= number <= MOST:
                return number
            self.say("init.number_wanted", most=MOST)

    def ask_whole(self, id_: str, *, default: int) -> int:
        """The same without a fraction."""
        while True:
            number = self.ask_number(id_, default=default)
            if number == int(number):
                return int(number)
            self.say("init.whole_wanted")

    def ask_choice(self, id_: str, can: Sequence[str]) -> str:
        """One of these, by its name or its number; Enter alone is the first."""
        for number, each in enumerate(can, 1):
            self._console.print(f"  {number}  {printable(each)}")
        while True:
            answer = self._answer(tell(id_), "1")
            for number, each in enumerate(can, 1):
                if answer.casefold() in (str(number), each.casefold()):
                    return each
            self.say("init.choice_wanted", most=len(can))

    def ask_yes(self, id_: str, **values: object) -> bool:
        """Yes or no; Enter alone is no."""
        yes, no = tell("init.yes"), tell("init.no")
        while True:
            answer = self._answer(tell(id_, count=None, **values), no).casefold()
            if answer in (yes, no):
                return answer == yes
            self.say("init.yes_wanted", yes=yes, no=no)

    def is_skipped(self, seconds: float, /) -> bool:
        """Wait that long for Enter, with which people go on without waiting."""
        readable, _, _ = select.select([sys.stdin], [], [], seconds)
        if readable and not sys.stdin.readline():
            raise EOFError
        return bool(readable)

    def _answer(self, question: str, default: str | None, /) -> str:
        shown = f" [{printable(default)}]" if default else ""
        answer = self._console.input(f"{question}{shown} ", markup=False).strip()
        return answer or default or ""


class Nobody(Talk):
    """Without one: defaults count, offers are declined, and what is wrong ends it."""

    def complain(self, error: BotError | Problem) -> None:
        """There will be no better answer."""
        raise Misconfigured([error]) if isinstance(error, Problem) else error

    def is_skipped(self, _seconds: float, /) -> bool:
        """Nobody waits."""
        return True

    def _answer(self, _question: str, default: str | None, /) -> str:
        if default is None:
            raise Refused("no_terminal")
        return default

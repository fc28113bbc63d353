"""Ask a person at a terminal, one question at a time; or take defaults, for scripts."""

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
    """Raised if the person pressed only Enter, where that is an answer."""


class Talk:
    """A dialogue with a person. An answer that can't be read is asked for again."""

    welcome = "init.welcome"
    """The message id of the first sentence."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)

    def say(self, id_: str, **values: object) -> None:
        """Print the sentence with this id."""
        self.print(tell(id_, count=None, **values))

    def print(self, sentence: str) -> None:
        """Print a complete sentence."""
        self._console.print(sentence)

    def lead(self, *lines: str) -> None:
        """Print the lines that lead to a question, such as its choices."""
        for line in lines:
            self.print(line)

    def complain(self, error: BotError | Problem) -> None:
        """Print the last answer's mistake; the question is asked again."""
        said = error.sentence("en") if isinstance(error, Problem) else explain(error)
        self._console.print(said, style="yellow")

    def ask_line(self, id_: str, *, default: str | None = None) -> str:
        """Ask for a text."""
        while True:
            answer = self._answer(tell(id_), default)
            if answer:
                return answer

    def ask_or_skip(self, id_: str, **values: object) -> str:
        """Ask for a text, which may be empty."""
        return self._answer(tell(id_, count=None, **values), "")

    def ask_secret(self, id_: str) -> str:
        """Ask for a text that is not shown while it is typed."""
        while True:
            with suppress(Skipped):
                return self.ask_secret_or_skip(id_)

    def ask_secret_or_skip(self, id_: str) -> str:
        """Ask for a hidden text. Raises `Skipped` if the person pressed only Enter."""
        # `getpass` turns echo off before it shows the question, so early typing stays hidden.
        answer = getpass(f"{tell(id_)} ").strip()
        if not answer:
            raise Skipped
        return answer

    def ask_number(self, id_: str, *, default: float | None = None, **values: object) -> float:
        """Ask for a number: 0 or more, or -1."""
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
        """Ask for a whole number: 0 or more, or -1."""
        while True:
            number = self.ask_number(id_, default=default)
            if number == int(number):
                return int(number)
            self.say("init.whole_wanted")

    def ask_choice(self, id_: str, can: Sequence[str]) -> str:
        """Ask for one of `can`, by name or number. Enter alone means the first."""
        self.lead(*(f"  {number}  {printable(each)}" for number, each in enumerate(can, 1)))
        while True:
            answer = self._answer(tell(id_), "1")
            for number, each in enumerate(can, 1):
                if answer.casefold() in (str(number), each.casefold()):
                    return each
            self.say("init.choice_wanted", most=len(can))

    def ask_yes(self, id_: str, **values: object) -> bool:
        """Ask yes or no. Enter alone means no."""
        yes, no = tell("init.yes"), tell("init.no")
        while True:
            answer = self._answer(tell(id_, count=None, **values), no).casefold()
            if answer in (yes, no):
                return answer == yes
            self.say("init.yes_wanted", yes=yes, no=no)

    def is_skipped(self, seconds: float, /) -> bool:
        """Wait up to `seconds` for Enter. True if the person pressed Enter to stop waiting."""
        readable, _, _ = select.select([sys.stdin], [], [], seconds)
        if readable and not sys.stdin.readline():
            raise EOFError
        return bool(readable)

    def _answer(self, question: str, default: str | None, /) -> str:
        shown = f" [{printable(default)}]" if default else ""
        answer = self._console.input(f"{question}{shown} ", markup=False).strip()
        return answer or default or ""


class Nobody(Talk):
    """A dialogue without a person: take defaults, decline offers, and raise on a mistake."""

    welcome = "init.welcome_unattended"

    def lead(self, *_lines: str) -> None:
        """Print nothing, because no question follows."""

    def complain(self, error: BotError | Problem) -> None:
        """Raise the mistake: no person can correct the answer."""
        raise Misconfigured([error]) if isinstance(error, Problem) else error

    def is_skipped(self, _seconds: float, /) -> bool:
        """Return True: never wait."""
        return True

    def _answer(self, _question: str, default: str | None, /) -> str:
        if default is None:
            raise Refused("no_terminal")
        return default

"""Words of a person in what others say: messages quote what they are about, in whole or in part.

They decide nothing about an account: else one person's prompt could stop a service for everybody.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

_LEAST_QUOTE = 12
"""Letters of a text from which on a message that has all of them surely quotes it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message without what it quotes in whole; and the texts that it may quote in part."""

    text: str
    suspects: tuple[str, ...]

    def quotes(self, parts: Iterable[str]) -> bool:
        """Whether a person may have written all these parts of it."""
        parts = tuple(parts)
        return any(all(part in suspect for part in parts) for suspect in self.suspects)


class Written:
    """All that a person wrote for one order, a text a line: the prompt, and what to avoid."""

    def __init__(self, text: str, *, plain: Callable[[str], str]) -> None:
        """`plain` leaves away what varies from one message to the next."""
        self.texts = tuple(dict.fromkeys(filter(None, map(str.strip, text.splitlines()))))
        self._spelt, self._plain = plain, tuple(filter(None, map(plain, self.texts)))
        self._letters = tuple(filter(None, map(letters, self.texts)))

    def message(self, text: str) -> Message:
        """A message in words of its own, as far as that can be told."""
        said = self._spelt(text)
        left = []
        for quoted in self._plain:
            if said == quoted:
                return Message("", ())
            if len(quoted) >= _LEAST_QUOTE and quoted in said:
                said = said.replace(quoted, "\0")
            else:
                left.append(quoted)
        return Message(said, tuple(left))

    def has(self, text: str) -> bool:
        """Whether all letters of `text` stand in one text of theirs: gateways escape and cut."""
        said = letters(text)
        return bool(said) and any(said in written for written in self._letters)

    def has_code(self, code: str) -> bool:
        """Whether they may have written a code; and a number, if quoting them may make a table."""
        head, _, number = code.rpartition(".")
        is_number = head and number.isdigit() and any('"' in text for text in self.texts)
        return self.has(number if is_number else code)


def letters(text: str) -> str:
    """Its letters and digits alone."""
    return "".join(char for char in text.casefold() if char.isalnum())

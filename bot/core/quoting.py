"""Find a person's words in a gateway's messages, which quote prompts in whole or in part.

Quoted words must not decide anything about the account. Otherwise one person's prompt could stop
the service for everybody.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

_LEAST_QUOTE = 12
"""Least characters of a person's text whose occurrence in a message is surely a quotation."""


@dataclass(frozen=True, slots=True)
class Message:
    """A gateway's message without the texts that it quotes in whole.

    `suspects` are the person's texts that the message may still quote in part.
    """

    text: str
    suspects: tuple[str, ...]

    def quotes(self, parts: Iterable[str]) -> bool:
        """Whether one text of the person contains all these parts of the message."""
        parts = tuple(parts)
        return any(all(part in suspect for part in parts) for suspect in self.suspects)


class Written:
    """The texts that a person wrote for one order: each line of the prompt and of what to avoid."""

    def __init__(self, text: str, *, plain: Callable[[str], str]) -> None:
        """`plain` normalizes a text: it removes what varies between messages."""
        self.texts = tuple(dict.fromkeys(filter(None, map(str.strip, text.splitlines()))))
        self._spelt, self._plain = plain, tuple(filter(None, map(plain, self.texts)))
        self._letters = tuple(filter(None, map(letters, self.texts)))

    def message(self, text: str) -> Message:
        """Remove the texts that `text` quotes in whole, as far as they can be recognized."""
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
        """Whether one text of the person contains all letters of `text`, in order and in a row.

        Only letters and digits are compared, because gateways escape and cut what they quote.
        """
        said = letters(text)
        return bool(said) and any(said in written for written in self._letters)

    def has_code(self, code: str) -> bool:
        """Whether the person may have written this error code.

        For a code like `error.400` the number alone is compared if a text of the person contains a
        double quote: a text with quotes can look like a JSON object in the gateway's message.
        """
        head, _, number = code.rpartition(".")
        is_number = head and number.isdigit() and any('"' in text for text in self.texts)
        return self.has(number if is_number else code)


def letters(text: str) -> str:
    """Return only the letters and digits of a text, in lower case."""
    return "".join(char for char in text.casefold() if char.isalnum())

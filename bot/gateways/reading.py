"""All that one answer says, each thing found once, and what the table of answers makes of it.

`creations` and `looks` decide by it what an order or a job has come to.
"""

from functools import cached_property

from bot.core.outcomes import Locked, Trouble
from bot.gateways.envelopes import LONGEST, NAMES, Table, enveloped, parsed, spots_in
from bot.gateways.links import Link, links_in, said_links
from bot.gateways.meanings import Found, Meaning, Meanings, Place, Said, lock_of
from bot.gateways.places import ids_in, outer_words, progress_in, status_words
from bot.gateways.said import problems_in, said_in
from bot.net.answers import Answer

OVER = frozenset({Meaning.FAILED, Meaning.MODERATED, Meaning.EXPIRED})
"""States in which a job ended without a video."""


class Reading:
    """One answer, read for an order or a job."""

    def __init__(
        self, answer: Answer, prompt: str, meanings: Meanings, *, part: Table | None = None
    ) -> None:
        """`part` is what of it is about the job, if not all."""
        self.answer, self.status = answer, answer.status
        self.prompt, self.meanings = prompt, meanings
        self.value = parsed(answer.body)
        text = answer.body[: 4 * LONGEST].decode("utf-8", "replace").strip("\ufeff \t\r\n")
        self.text = text[:LONGEST] if self.value is None and not text.startswith("<") else ""
        # Some answer with a bare address.
        is_address = text.startswith("http")
        whole = text if self.value is None and is_address else self.value
        self.body = enveloped(whole) if part is None else part
        self.table = self.body or {}
        self.spots = spots_in(self.table)

    def about(self, part: Table) -> "Reading":
        """The same answer, of which only `part` counts."""
        return Reading(self.answer, self.prompt, self.meanings, part=part)

    @cached_property
    def words(self) -> list[str]:
        """The status words, those of the job first."""
        return status_words(self.spots)

    @cached_property
    def known_word(self) -> str:
        """The first of them that the table knows."""
        return next((word for word in self.words if self.meanings.word(word)), "")

    @cached_property
    def state(self) -> Meaning | None:
        """The meaning of that word."""
        # An envelope's "success" says nothing of the job in it, even if nobody knows that one's.
        is_first = self.known_word in self.words[:1]
        is_envelopes = self.known_word.casefold() in NAMES["answered"]
        return self.meanings.word(self.known_word) if is_first or not is_envelopes else None

    @property
    def has_failed(self) -> bool:
        """Whether its job ended without a video: a part that failed ends no job that goes on."""
        outer = {self.meanings.word(word) for word in outer_words(self.spots)}
        return self.state in OVER and not outer & {Meaning.RUNNING, Meaning.WAITING}

    @cached_property
    def ids(self) -> list[str]:
        """Every usable id, the likeliest first."""
        return ids_in(self.spots)

    @cached_property
    def links(self) -> list[Link]:
        """Addresses under names for them."""
        return links_in(self.spots)

    @property
    def said_links(self) -> tuple[str, ...]:
        """Addresses of a video in the words of a chat model."""
        return said_links(self.table, self.prompt)

    @property
    def progress(self) -> int | None:
        """Percent."""
        return progress_in(self.spots)

    @cached_property
    def said(self) -> Said:
        """Codes and messages; of what is no JSON, the text itself."""
        if self.body is None:
            texts = (self.text,) if self.text else ()
            return Said((), texts, self.prompt)
        return said_in(self.spots, self.prompt)

    @cached_property
    def problem(self) -> str | None:
        """Code and message of its error; None if there is none."""
        return next((words for words, _ in problems_in(self.table) if words), None)

    @cached_property
    def says_no(self) -> bool:
        """Whether it names an error: a code or a message alone may be those of a success."""
        is_sure = any(is_sure for words, is_sure in problems_in(self.table) if words)
        return is_sure or self.table.get("success") is False

    @property
    def detail(self) -> str:
        """Its words for the operator."""
        return self.answer.detail(self.problem)

    @property
    def trouble(self) -> Trouble:
        """An answer that says nothing of a job."""
        return Trouble(self.detail, self.answer.wait())

    def find(self, at: Place, *, status: int | None = None) -> Found | None:
        """The row of the table that tells what it means."""
        return self.meanings.find(self.said, status=status or self.status, at=at)

    def locked(self, found: Found | None) -> Locked | None:
        """An error about the account."""
        lock = lock_of(self.status, found) if self.status >= 400 else None
        return Locked(lock, self.detail) if lock else None

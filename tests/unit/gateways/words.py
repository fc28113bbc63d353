"""Answers to a poll as several modules of tests write them."""


def words(text: str) -> list[str]:
    return text.split()

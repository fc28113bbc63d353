"""A helper for lists of status words in tests."""


def words(text: str) -> list[str]:
    return text.split()

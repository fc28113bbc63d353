"""Amounts and currencies in the configuration."""

import re
from typing import Annotated

from pydantic import AfterValidator

UNLIMITED = -1


def _money(value: float) -> float:
    if UNLIMITED < value < 0:
        raise ValueError("money")
    return value


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError("currency")
    return value


Money = Annotated[float, AfterValidator(_money)]
CurrencyCode = Annotated[str, AfterValidator(_currency)]

"""How servers that are built with FastAPI check forms, and how they say what is wrong."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.simulator import paging
from bot.simulator.bodies import Body, Upload, plain
from bot.simulator.refusals import Refused

Issue = dict[str, object]
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
TRUE, FALSE = ("1", "true", "t", "on", "yes", "y"), ("0", "false", "f", "off", "no", "n")
TOO_LONG = "Part exceeded maximum size of 1024KB."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule for a form's field: its type, its limits if it is a number, its pattern if a text."""

    kind: type = str
    required: bool = False
    least: float | None = None
    most: float | None = None
    pattern: str = ""


WORD, WHOLE, NUMBER, SWITCH = Rule(), Rule(kind=int), Rule(kind=float), Rule(kind=bool)


class Invalid(Refused):
    """An error: a form has invalid fields, each with an issue."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("validation error", 422, body={"detail": list(issues)})
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Filled:
    """A valid form: its values by name, and its files."""

    values: Mapping[str, object]
    files: Mapping[str, Sequence[Upload]]

    def text(self, name: str) -> str:
        """Return a text; "" if it was not sent."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def whole(self, name: str) -> int | None:
        """Return a whole number, or None if it was not sent."""
        value = self.values.get(name)
        return value if isinstance(value, int) else None


def read(body: Body, rules: Mapping[str, Rule], files: Sequence[str]) -> Filled:
    """Read a form; unknown fields are ignored. Raises `Invalid` with all issues."""
    issues: list[Issue] = []
    values: dict[str, object] = {}
    form = body.kind in FORMS
    for name, rule in rules.items():
        text = body.all(name)[-1] if form and body.all(name) else ""
        # An empty text counts as not sent.
        if text == "" and rule.required:
            issues.append(issue("missing", name, "Field required", None))
        elif text != "":
            value = parsed(name, text, rule)
            if isinstance(value, dict):
                issues.append(value)
            else:
                values[name] = value
    for name in files:
        if form and any(body.all(name)):
            words = "Value error, Expected UploadFile, received: <class 'str'>"
            issues.append(issue("value_error", name, words, body.all(name)[-1], error={}))
    if issues:
        raise Invalid(issues)
    sent = {name: [it for key, it in body.files.items() if plain(key) == name] for name in files}
    return Filled(values, sent)


def issue(
    kind: str, name: str, message: str, sent: object, *, place: str = "body", **context: object
) -> Issue:
    """Return one issue in the form of FastAPI; the context has the rule's own values."""
    found: Issue = {"type": kind, "loc": [place, name], "msg": message, "input": sent}
    return {**found, "ctx": context} if context else found


def parsed(name: str, text: str, rule: Rule) -> object:
    """Return the value of a field, or a dictionary: the issue with it."""
    if rule.kind is bool:
        if text.lower() in (*TRUE, *FALSE):
            return text.lower() in TRUE
        words = "Input should be a valid boolean, unable to interpret input"
        return issue("bool_parsing", name, words, text)
    if rule.kind is str:
        if re.search(rule.pattern, text):
            return text
        words = f"String should match pattern '{rule.pattern}'"
        return issue("string_pattern_mismatch", name, words, text, pattern=rule.pattern)
    number = _number(text, rule.kind)
    if number is None:
        noun = "integer" if rule.kind is int else "number"
        word = "int_parsing" if rule.kind is int else "float_parsing"
        article = "an" if rule.kind is int else "a"
        words = f"Input should be a valid {noun}, unable to parse string as {article} {noun}"
        return issue(word, name, words, text)
    if rule.least is not None and number < rule.least:
        words = f"Input should be greater than or equal to {rule.least:g}"
        return issue("greater_than_equal", name, words, text, ge=rule.least)
    if rule.most is not None and number > rule.most:
        words = f"Input should be less than or equal to {rule.most:g}"
        return issue("less_than_equal", name, words, text, le=rule.most)
    return number


def _number(text: str, kind: type) -> float | None:
    if kind is int:
        return (
            int(text.partition(".")[0])
            if re.fullmatch(r"\s*[+-]?\d{1,18}(\.0+)?\s*", text)
            else None
        )
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def page(
    items: Sequence[Mapping[str, object]], query: Mapping[str, str], *, least: int, usual: int
) -> dict[str, object]:
    """Return one page of a list of videos. Raises `Invalid`."""
    rule = Rule(kind=int, least=least, most=paging.LONGEST_PAGE)
    limit = parsed("limit", query.get("limit", str(usual)), rule)
    issues = [{**limit, "loc": ["query", "limit"]}] if isinstance(limit, dict) else []
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        expected = "'asc' or 'desc'"
        words = f"Input should be {expected}"
        found = issue("literal_error", "order", words, order, place="query", expected=expected)
        issues.append(found)
    if issues:
        raise Invalid(issues)
    ordered = list(items) if order == "asc" else list(reversed(items))
    if "after" in query:
        ids = [item["id"] for item in ordered]
        known = query["after"] in ids
        ordered = ordered[ids.index(query["after"]) + 1 :] if known else []
    assert isinstance(limit, int)
    return paging.cut(ordered, limit)

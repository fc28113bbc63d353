"""What an answer says of a gateway, a key, its models and its balance."""

import json

import pytest

from bot.core.errors import Broken
from bot.gateways.answers import Answer
from bot.gateways.survey import (
    Balance,
    check_address,
    check_key,
    is_exposed,
    read_balance,
    read_models,
    survey,
)
from tests.fakes.gateways import UNKNOWN_TASK, OddGateway

URL = "https://gateway.example"


def said(body: object, status: int = 200, **headers: str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, headers, text.encode())


def envelope(message: str) -> object:
    return {"error": {"message": message, "type": "invalid_request_error"}}


SOUND = {
    "no such video, as documented": said(envelope("there is no video with this id"), 404),
    "no such video, as new-api": said({"code": "task_not_exist", "message": "x"}, 400),
    "no such video, as litellm": said(envelope("x"), 500),
    "no such video, as FastAPI": said({"detail": "Not Found"}, 404),
    "it wants a key": said(envelope("no key"), 401),
}


@pytest.mark.parametrize("answer", SOUND.values(), ids=SOUND)
def test_a_gateway_is_recognized(answer: Answer) -> None:
    check_address(answer, URL)


STRANGE = {
    "page": (said("<!doctype html>"), "gateway_is_page"),
    "page of an error": (said("\n<html>", 404), "gateway_is_page"),
    "guarded page": (said("<html>", 403), "gateway_is_page"),
    "another API": (
        said(envelope("Invalid URL (GET /v1/videos/x)"), 404),
        "gateway_without_videos",
    ),
    "any server": (said("404 page not found", 404), "gateway_without_videos"),
    "proxy": (said("<html>Bad Gateway", 502), "gateway_down"),
    "proxy of another kind": (said("error code: 520", 520), "gateway_down"),
    "no place for more": (said(envelope("no available channel"), 503), "gateway_down"),
    "busy": (said(envelope("slow down"), 429), "gateway_busy"),
    "busy page": (said("<html>", 429), "gateway_busy"),
    "moved": (said("", 301, Location="https://www.gateway.example/x"), "gateway_moved"),
    "moved nowhere": (said("", 302), "gateway_moved_nowhere"),
    "to a page": (said("", 302, Location="/login"), "gateway_moved_nowhere"),
    "to a person": (said("", 302, Location="mailto:x@y"), "gateway_moved_nowhere"),
    "to a file": (said("", 302, Location="ftp://gateway/v1/x"), "gateway_moved_nowhere"),
    "to a blank": (said("", 302, Location="about:blank"), "gateway_moved_nowhere"),
    "to nonsense": (said("", 302, Location="http://[bad"), "gateway_moved_nowhere"),
}


@pytest.mark.parametrize(("answer", "code"), STRANGE.values(), ids=STRANGE)
def test_what_is_no_gateway_is_named(answer: Answer, code: str) -> None:
    with pytest.raises(Broken) as broken:
        check_address(answer, URL)
    assert broken.value.code == code


MOVED = {
    "another name": (URL, "//new.example/v1/videos/x", "https://new.example"),
    "a path of its own": (
        "http://gateway.example/openai",
        "https://gateway.example/openai/v1/videos/x",
        "https://gateway.example/openai",
    ),
    "another path": (URL, "/openai/v1/videos/x?a=b", f"{URL}/openai"),
    "another page": (URL, "https://new.example/welcome", "https://new.example"),
    "with a password": (
        URL,
        "https://me:mine@new.example:81/v1/videos/x",
        "https://new.example:81",
    ),
}


@pytest.mark.parametrize(("url", "location", "to"), MOVED.values(), ids=MOVED)
def test_the_new_address_is_told_as_it_has_to_be_written(url: str, location: str, to: str) -> None:
    with pytest.raises(Broken) as broken:
        check_address(said("", 308, Location=location), url)
    assert broken.value.values["to"] == to


def test_who_speaks_https_alone_is_told_with_its_path() -> None:
    with pytest.raises(Broken) as broken:
        check_address(said("<html>sent to HTTPS port", 400), "http://gateway.example:81/openai")
    assert broken.value.values["to"] == "https://gateway.example:81/openai"


async def test_the_gateways_clock_is_read_when_it_was_told() -> None:
    """The answers after it may take their time."""
    odd = OddGateway(v1__videos=UNKNOWN_TASK)
    async with odd.serve() as url:
        seen = await survey(url, "sk-1", now=lambda: float(len(odd.requests)))
    assert (seen.received, len(odd.requests)) == (1.0, 3)


@pytest.mark.parametrize("answer", [said(envelope("x"), 404), said("", 400), said("", 500)])
def test_a_key_that_is_not_refused_is_good(answer: Answer) -> None:
    check_key(answer)


REFUSED = {
    "bad": (said(envelope("Invalid token"), 401), "gateway_key_bad"),
    "nameless": (said("", 403), "gateway_key_bad"),
    "not allowed": (said(envelope("access denied"), 403), "gateway_key_bad"),
    "its allowance used up": (said(envelope("该令牌额度已用尽"), 401), "gateway_key_spent"),
    "balance": (
        said({"code": "insufficient_user_quota", "message": "x"}, 403),
        "gateway_key_spent",
    ),
    "payment required": (said("", 402), "gateway_key_spent"),
}


@pytest.mark.parametrize(("answer", "code"), REFUSED.values(), ids=REFUSED)
def test_a_key_that_is_refused_is_told_apart(answer: Answer, code: str) -> None:
    with pytest.raises(Broken) as broken:
        check_key(answer)
    assert broken.value.code == code


MODELS = {
    "a list": (said({"data": [{"id": "a"}, {"id": "b"}]}), ("a", "b")),
    "an empty list": (said({"data": []}), ()),
    "odd members": (said({"data": [{"id": 1}, "x", {}, {"id": "a"}]}), ("a",)),
    "refused": (said({"data": [{"id": "a"}]}, 403), None),
    "something else": (said({"data": {"a": 1}}), None),
    "a page": (said("<html>"), None),
    "too deep": (said("[" * 100_000), None),
}


@pytest.mark.parametrize(("answer", "names"), MODELS.values(), ids=MODELS)
def test_models_are_read_where_they_are_listed(
    answer: Answer, names: tuple[str, ...] | None
) -> None:
    assert read_models(answer) == names


BALANCES = {
    "left": (said({"data": {"total_available": 5}}), Balance(available=5)),
    "none": (said({"data": {"total_available": -3}}), Balance(available=-3)),
    "no limit": (
        said({"data": {"total_available": 0, "unlimited_quota": True}}),
        Balance(available=None),
    ),
    "no such page": (said(envelope("x"), 404), None),
    "refused": (said({"success": False, "message": "x"}), None),
    "a web page": (said("<html>"), None),
}


@pytest.mark.parametrize(("answer", "balance"), BALANCES.values(), ids=BALANCES)
def test_the_balance_is_read_where_it_is_told(answer: Answer, balance: Balance | None) -> None:
    assert read_balance(answer) == balance


@pytest.mark.parametrize(
    ("url", "exposed"),
    [
        ("http://gateway.example", True),
        ("http://93.184.216.34:3000", True),
        ("https://gateway.example", False),
        ("http://127.0.0.1:9100", False),
        ("http://[::1]:9100", False),
        ("http://192.168.1.5", False),
        ("http://new-api:3000", False),
        ("http://box.lan", False),
    ],
)
def test_a_key_is_exposed_only_where_strangers_carry_it(url: str, exposed: bool) -> None:
    assert is_exposed(url) is exposed

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
)

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
    "busy": said("", 429),
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
    "moved": (said("", 301, Location="https://www.gateway.example/x"), "gateway_moved"),
    "moved nowhere": (said("", 302), "gateway_moved"),
}


@pytest.mark.parametrize(("answer", "code"), STRANGE.values(), ids=STRANGE)
def test_what_is_no_gateway_is_named(answer: Answer, code: str) -> None:
    with pytest.raises(Broken) as broken:
        check_address(answer, URL)
    assert broken.value.code == code


def test_the_new_address_is_told_without_its_path() -> None:
    with pytest.raises(Broken) as broken:
        check_address(said("", 308, Location="//new.example/v1/videos/x"), URL)
    assert broken.value.values["to"] == "https://new.example"


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

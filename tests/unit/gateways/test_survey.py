"""Reading answers for facts about a gateway, a key, its models and its balance."""

import json
import math
from contextlib import nullcontext
from dataclasses import replace

import pytest

from bot.core.errors import Broken
from bot.core.jobs import Reason
from bot.core.outcomes import Locked, Open, Probe, Trouble
from bot.gateways.meanings import Meaning, Row
from bot.gateways.survey import (
    check_address,
    check_key,
    read_balance,
    read_models,
    survey,
)
from bot.gateways.videos_api import GatewayOptions, open_gateways
from bot.net.answers import Answer
from bot.net.guard import is_exposed
from tests.fakes.gateways import (
    BAD_KEY,
    NO_DATABASE,
    SPENT_KEY,
    UNKNOWN_TASK,
    KeyedGateway,
    OddGateway,
    Said,
    models,
    usage,
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
}


@pytest.mark.parametrize("answer", SOUND.values(), ids=SOUND)
def test_an_answer_of_a_gateway_is_recognized_as_a_gateways(answer: Answer) -> None:
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
def test_an_answer_of_something_else_is_refused_with_its_own_code(
    answer: Answer, code: str
) -> None:
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
def test_a_moved_gateway_is_reported_with_its_new_base_url(
    url: str, location: str, to: str
) -> None:
    with pytest.raises(Broken) as broken:
        check_address(said("", 308, Location=location), url)
    assert broken.value.values["to"] == to


def test_a_gateway_that_speaks_https_only_is_reported_with_its_https_address() -> None:
    with pytest.raises(Broken) as broken:
        check_address(said("<html>sent to HTTPS port", 400), "http://gateway.example:81/openai")
    assert broken.value.values["to"] == "https://gateway.example:81/openai"


async def test_the_gateways_clock_is_compared_with_ours_at_the_moment_of_the_answer() -> None:
    """The later answers of the survey may take their time."""
    odd = OddGateway(v1__videos=UNKNOWN_TASK)
    async with odd.serve() as url:
        seen = await survey(url, "sk-1", now=lambda: float(len(odd.requests)))
    assert (seen.received, len(odd.requests)) == (1.0, 4)


@pytest.mark.parametrize("answer", [said(envelope("x"), 404), said("", 400), said("", 500)])
def test_a_key_that_is_not_refused_counts_as_good(answer: Answer) -> None:
    check_key(answer)


# --- good and wrong keys, at every kind of gateway -----------------------------------------------

VENDOR = Said(
    401,
    envelope(
        "litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key"
    ),
)
"""For an id that litellm did not make, it asks the vendor's own host and passes its answer on."""
BARE_VENDOR = Said(401, envelope("Incorrect API key provided: sk-o***. You can find your key at"))
NOT_IN_DB = Said(
    401, {"error": {"message": "Authentication Error", "type": "token_not_found_in_db"}}
)
NO_VIDEO = Said(404, envelope("Video not found"))
WRONG_KEY = Said(401, envelope("Incorrect API key provided: sk-***"))
NO_SCOPE = Said(403, envelope("You have insufficient permissions. Missing scopes: api.model.read"))
NO_VIDEOS = Said(401, envelope("Missing scopes: api.videos.read"))
SHOWN = models("sora-2")


def table(listed: Said | None, videos: Said) -> dict[str, Said]:
    """Return the answers to one kind of key."""
    return ({} if listed is None else {"/v1/models": listed}) | {"/v1/videos": videos}


KEYS = {
    "litellm with its database": (table(SHOWN, BARE_VENDOR), table(NOT_IN_DB, NOT_IN_DB)),
    "litellm without": (table(SHOWN, VENDOR), table(NO_DATABASE, NO_DATABASE)),
    "litellm whose vendor says 403": (
        table(SHOWN, Said(403, envelope("Country not supported"))),
        table(NO_DATABASE, NO_DATABASE),
    ),
    "new-api": (table(SHOWN, UNKNOWN_TASK), table(BAD_KEY, BAD_KEY)),
    "openai": (table(SHOWN, NO_VIDEO), table(WRONG_KEY, WRONG_KEY)),
    "a key of openai that may not list": (table(NO_SCOPE, NO_VIDEO), table(WRONG_KEY, WRONG_KEY)),
    "models for everybody": (table(SHOWN, NO_VIDEO), table(SHOWN, WRONG_KEY)),
    "no list of models": (table(None, NO_VIDEO), table(None, WRONG_KEY)),
    "a list that is none": (table(Said(200, "<html>"), NO_VIDEO), table(Said(200), WRONG_KEY)),
    "a wrong key is forbidden": (table(SHOWN, NO_VIDEO), table(NO_SCOPE, Said(403, ""))),
}


@pytest.mark.parametrize(("to_good", "to_others"), KEYS.values(), ids=KEYS)
async def test_at_every_kind_of_gateway_a_good_key_is_accepted_and_a_wrong_one_refused(
    to_good: dict[str, Said], to_others: dict[str, Said]
) -> None:
    gateway = KeyedGateway("sk-good", to_good, to_others)
    async with gateway.serve() as url:
        await survey(url, "sk-good")
        with pytest.raises(Broken, match="gateway_key_bad"):
            await survey(url, "sk-wrong")

    assert gateway.requests[0][1] == "/v1/models", "is asked first"
    assert {method for method, _, _ in gateway.requests} == {"GET"}


async def test_at_a_litellm_without_keys_the_vendors_refusal_decides_nothing() -> None:
    """Everybody may use this litellm, so the refused key is the vendor's, which we can't check."""
    odd = OddGateway(v1__models=SHOWN, v1__videos=VENDOR)
    async with odd.serve() as url:
        assert (await survey(url, "sk-any")).models == ("sora-2",)


@pytest.mark.parametrize(
    ("said_of_video", "code"),
    [
        (NO_VIDEOS, "gateway_key_bad"),
        (Said(402, ""), "gateway_key_spent"),
        (Said(403, {"code": "insufficient_user_quota", "message": "x"}), "gateway_key_spent"),
    ],
)
async def test_a_good_key_may_still_be_spent_or_not_allowed_to_make_videos(
    said_of_video: Said, code: str
) -> None:
    gateway = KeyedGateway("sk-good", table(SHOWN, said_of_video), table(BAD_KEY, BAD_KEY))
    async with gateway.serve() as url:
        with pytest.raises(Broken, match=code):
            await survey(url, "sk-good")


# --- walls and redirects before a gateway --------------------------------------------------------

CHALLENGE = "<html><title>Just a moment...</title>"
WALLS = {
    "Cloudflare's page": (said(CHALLENGE, 403, Server="cloudflare"), "Cloudflare"),
    "Cloudflare's line": (said("error code: 1010", 403, Server="cloudflare"), "Cloudflare"),
    "its challenge": (said(CHALLENGE, 503, **{"cf-mitigated": "challenge"}), "Cloudflare"),
    "Akamai": (said("<HTML>Access Denied", 403, Server="AkamaiGHost"), "Akamai"),
    "CloudFront": (said("<HTML>ERROR", 403, Server="CloudFront"), "CloudFront"),
    "AWS": (said("<html>", 403, **{"x-amzn-waf-action": "captcha"}), "AWS WAF"),
    "Imperva": (said("<html>", 403, **{"x-iinfo": "1-2-3"}), "Imperva"),
    "DDoS-Guard": (said("<html>", 403, Server="ddos-guard"), "DDoS-Guard"),
    "Sucuri": (said("<html>", 403, **{"x-sucuri-id": "1"}), "Sucuri"),
}


@pytest.mark.parametrize(("answer", "wall"), WALLS.values(), ids=WALLS)
def test_a_wall_that_turns_programs_away_is_reported_by_its_name(answer: Answer, wall: str) -> None:
    with pytest.raises(Broken) as broken:
        check_address(answer, URL)
    assert (broken.value.code, broken.value.values["wall"]) == ("gateway_walled", wall)


@pytest.mark.parametrize("status", [401, 403, 404, 400])
def test_a_gateways_own_error_behind_cloudflare_is_not_taken_for_a_wall(status: int) -> None:
    check_address(said(envelope("no"), status, Server="cloudflare"), URL)


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("/v1/videos/", "gateway_sends_on"),
        ("", "gateway_sends_on"),
        ("https://new.example/v1/videos", "gateway_moved"),
    ],
)
async def test_a_gateway_that_redirects_orders_is_detected_by_gets_alone(
    location: str, code: str
) -> None:
    moved = Said(308, "", {"Location": location} if location else {})
    odd = OddGateway(v1__videos__zoetrope=UNKNOWN_TASK, v1__videos=moved)
    async with odd.serve() as url:
        with pytest.raises(Broken, match=f"^{code}[(]"):
            await survey(url, "sk-1")
    assert {method for method, _, _ in odd.requests} == {"GET"}


PROBES = {
    "a good key": ({"v1__models": models("sora-2")}, Open()),
    "a bad key": ({"v1__videos": BAD_KEY, "v1__models": BAD_KEY}, Reason.BAD_KEY),
    "a spent key": ({"v1__videos": SPENT_KEY, "v1__models": SPENT_KEY}, Reason.NO_BALANCE),
    "nothing left": ({"api__usage": usage(0)}, Reason.NO_BALANCE),
    "something left": ({"api__usage": usage(1)}, Open()),
    "no limit of its own": ({"api__usage": usage(0, unlimited=True)}, Open()),
    "down": ({"v1__videos": Said(502, "<html>")}, Trouble("gateway_down")),
    "busy": ({"v1__videos": Said(429)}, Trouble("gateway_busy")),
}


@pytest.mark.parametrize(("answers", "meaning"), PROBES.values(), ids=PROBES)
async def test_a_probe_sends_only_gets_and_tells_about_key_and_balance(
    answers: dict[str, Said], meaning: Probe | Reason
) -> None:
    odd = OddGateway(**{"v1__videos": UNKNOWN_TASK, **answers})
    async with odd.serve() as url, open_gateways([settings(url)]) as gateways:
        probe = await gateways["main"].probe()
    assert (probe.reason if isinstance(probe, Locked) else probe) == meaning
    assert {(method, key) for method, _, key in odd.requests} == {("GET", "Bearer sk-1")}


async def test_a_probe_uses_the_operators_own_rows_of_the_table_of_answers() -> None:
    refused = Said(403, {"error": {"code": "purse_empty", "message": "x"}})
    odd = OddGateway(v1__videos=refused, v1__models=refused)
    own = Row(by="club", meaning=Meaning.NO_BALANCE, codes=("purse_empty",))
    for answers, reason in (((own,), Reason.NO_BALANCE), ((), Reason.BAD_KEY)):
        async with odd.serve() as url:
            table = replace(settings(url), answers=answers)
            async with open_gateways([table]) as gateways:
                probe = await gateways["main"].probe()
        assert isinstance(probe, Locked)
        assert probe.reason is reason


async def test_a_probe_of_an_unreachable_gateway_gives_trouble() -> None:
    async with open_gateways([settings("http://127.0.0.1:9")]) as gateways:
        assert await gateways["main"].probe() == Trouble("gateway_unreachable")


def settings(url: str) -> GatewayOptions:
    return GatewayOptions(name="main", base_url=url, api_key="sk-1")


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
def test_each_kind_of_refused_key_is_reported_with_its_own_code(answer: Answer, code: str) -> None:
    with pytest.raises(Broken) as broken:
        check_key(answer)
    assert broken.value.code == code


def test_a_401_for_a_proven_key_is_ignored_even_if_it_speaks_of_an_empty_account() -> None:
    """Such words at 401 are a vendor's, about another account; 402 and 403 are the gateway's."""
    for answer, code in REFUSED.values():
        is_ours = code == "gateway_key_spent" and answer.status in (402, 403)
        with pytest.raises(Broken, match=code) if is_ours else nullcontext():
            check_key(answer, is_proven=True)


MODELS = {
    "a list": (said({"data": [{"id": "a"}, {"id": "b"}]}), ("a", "b")),
    "an empty list": (said({"data": []}), ()),
    "odd members": (said({"data": [{"id": 1}, "x", {}, {"id": "a"}]}), ("a",)),
    "names of nothing": (said({"data": [{"id": "\ud800"}, {"id": " "}, {"id": "a"}]}), ("a",)),
    "refused": (said({"data": [{"id": "a"}]}, 403), None),
    "something else": (said({"data": {"a": 1}}), None),
    "a page": (said("<html>"), None),
    "too deep": (said("[" * 100_000), None),
}


@pytest.mark.parametrize(("answer", "names"), MODELS.values(), ids=MODELS)
def test_the_models_are_read_from_an_answer_that_lists_them(
    answer: Answer, names: tuple[str, ...] | None
) -> None:
    assert read_models(answer) == names


BALANCES = {
    "left": (said({"data": {"total_available": 5}}), 5),
    "none": (said({"data": {"total_available": -3}}), -3),
    "no limit": (
        said({"data": {"total_available": 0, "unlimited_quota": True}}),
        math.inf,
    ),
    "no such page": (said(envelope("x"), 404), None),
    "refused": (said({"success": False, "message": "x"}), None),
    "a web page": (said("<html>"), None),
}


@pytest.mark.parametrize(("answer", "balance"), BALANCES.values(), ids=BALANCES)
def test_the_balance_is_read_from_an_answer_that_contains_it(
    answer: Answer, balance: float | None
) -> None:
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
def test_a_key_counts_as_exposed_only_over_plain_http_to_a_public_host(
    url: str, exposed: bool
) -> None:
    assert is_exposed(url) is exposed

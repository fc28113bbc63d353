"""Checks a gateway and a key free of charge, with GETs only.

A key is good if the gateway lists its models for that key and not for a made-up one. Otherwise a
GET of a video with a nonsense id tells a good key ("no such video") from a bad one. With litellm
that GET proves nothing: litellm asks the vendor with its own key and passes on the vendor's answer.
The balance is read if the gateway shows it. Problems are raised as our own errors.

Only `identify` sends POSTs as well: two at most, without model and prompt, and not even readable
as a request. Only `init` and `doctor` call it.
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
from yarl import URL

from bot.core.errors import Broken, GatewayMoved
from bot.core.jobs import Reason
from bot.core.outcomes import Locked, Open, Probe, Trouble
from bot.gateways.envelopes import is_usable
from bot.gateways.polls import read_refusal
from bot.gateways.table import PACKAGED, Meanings
from bot.gateways.which import NEW_API, UNKNOWN, Which, software_of, strange
from bot.net.answers import NET, Answer, open_session, read
from bot.net.bounds import Bounds

BOUNDS = Bounds(poll=20.0, answer=4_000_000)
"""A person waits for the result, so timeouts are short. Some gateways list a thousand models."""
VIDEOS, MODELS, BALANCE, STATUS = "/v1/videos", "/v1/models", "/api/usage/token/", "/api/status"
VIDEO = f"{VIDEOS}/zoetrope-asks-whether-this-key-works"
NO_KEY = "sk-zoetrope-asks-who-may-see-the-models"
MALFORMED = ("application/json", b"{")
EMPTY_FORM = ("application/x-www-form-urlencoded", b"")
"""Media type and body of a POST that is not readable as a request for a video."""
_SCOPES = b"missing scopes"
"""OpenAI's message for a good key that lacks the permission for this request."""
_LOCKS = {"gateway_key_bad": Reason.BAD_KEY, "gateway_key_spent": Reason.NO_BALANCE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    models: tuple[str, ...] | None
    """The names of the models at the gateway; None if the gateway does not list them."""
    balance: float | None
    """The balance in the gateway's own units: infinite for a key with no limit, None if unknown."""
    date: str
    """The gateway's `Date` header; "" if there is none."""
    received: float
    """When the `Date` header came, by our clock: seconds since the epoch."""
    answers: Mapping[str, Answer]
    """The responses by the name of the request, such as "models"."""


async def find(base_url: str) -> None:
    """Check without a key that a gateway answers. Raises `Broken`: what answers instead."""
    async with open_session(BOUNDS, most=BOUNDS.poll) as session:
        check_address(await ask(session, base_url, VIDEO), base_url)


async def survey(
    base_url: str,
    api_key: str,
    *,
    now: Callable[[], float] = time.time,
    meanings: Meanings = PACKAGED,
) -> Survey:
    """Check the key. Raises `Broken`: about the address, or `gateway_key_…` about the key."""
    async with open_session(BOUNDS, most=BOUNDS.poll) as session:
        listed = await ask(session, base_url, MODELS, api_key)
        received = now()
        video = await ask(session, base_url, VIDEO, api_key)
        check_address(video, base_url)
        # Some keys may make videos but not list models: 403 says nothing about the key.
        if listed.status in (400, 401) and not _lacks_scope(listed):
            check_key(listed, meanings)
        is_proven = read_models(listed) is not None and refuses_key(video)
        # litellm's message about its own keys differs from its message about a vendor's key.
        if is_proven and b"litellm." not in video.body:
            # The list proves a key only if the gateway refuses to show it to a made-up key.
            is_proven = refuses_key(await ask(session, base_url, MODELS, NO_KEY))
        check_key(video, meanings, is_proven=is_proven)
        check_orders(await ask(session, base_url, VIDEOS, api_key), base_url)
        return Survey(
            models=read_models(listed),
            balance=read_balance(await ask(session, base_url, BALANCE, api_key)),
            date=listed.headers.get("Date", ""),
            received=received,
            answers={"models": listed, "video": video},
        )


async def probe(base_url: str, api_key: str, *, meanings: Meanings = PACKAGED) -> Probe:
    try:
        found = await survey(base_url, api_key, meanings=meanings)
    except Broken as broken:
        reason = _LOCKS.get(broken.code)
        return Locked(reason, str(broken)) if reason else Trouble(broken.code)
    if found.balance is not None and found.balance <= 0:
        return Locked(Reason.NO_BALANCE, "nothing is left on the key")
    return Open()


async def identify(base_url: str, api_key: str, surveyed: Mapping[str, Answer]) -> Which:
    """Return the software, by a survey's responses and at most three requests. Begins no job."""
    answers = dict(surveyed)
    async with open_session(BOUNDS, most=BOUNDS.poll) as session:
        with suppress(Broken):
            answers["status"] = await ask(session, base_url, STATUS)
        if software_of(answers).software not in (NEW_API, UNKNOWN):
            return software_of(answers)
        with suppress(Broken):
            said = await ask(session, base_url, VIDEOS, api_key, post=MALFORMED)
            answers["json"] = said
            found = software_of(answers)
            # A gateway that does not even read the first POST would not read a second one.
            if found.software == NEW_API and found.generation is None and said.status == 400:
                answers["form"] = await ask(session, base_url, VIDEOS, api_key, post=EMPTY_FORM)
    return software_of(answers)


# --- reading -------------------------------------------------------------------------------------


def check_address(answer: Answer, base_url: str) -> None:
    """Raise `Broken` unless this looks like the response of a gateway that makes videos."""
    if 300 <= answer.status < 400:
        if to := _moved(base_url, answer):
            raise GatewayMoved(url=base_url, to=to)
        raise Broken("gateway_moved_nowhere", url=base_url)
    if answer.wants_tls:
        raise GatewayMoved(url=base_url, to=str(URL(base_url).with_scheme("https")))
    if sign := strange(answer):
        raise Broken(sign.code, url=base_url, wall=sign.software, status=answer.status)


def check_orders(answer: Answer, base_url: str) -> None:
    """Raise `Broken` if the gateway redirects `/v1/videos`: an order never follows a redirect.

    If a gateway redirects only POSTs, this can't be found without ordering a video.
    """
    if not 300 <= answer.status < 400:
        return
    if (to := _moved(base_url, answer)) not in (None, base_url):
        raise GatewayMoved(url=base_url, to=to)
    location = answer.headers.get("Location", "")
    raise Broken("gateway_sends_on", url=base_url, status=answer.status, to=location)


def refuses_key(answer: Answer) -> bool:
    """Whether a response may refuse the key. litellm without a database says `no_db_connection`."""
    is_unheard = answer.status == 400 and b'"no_db_connection"' in answer.body
    return is_unheard or answer.status in (401, 402, 403)


def check_key(answer: Answer, meanings: Meanings = PACKAGED, *, is_proven: bool = False) -> None:
    """Raise `Broken` if the gateway does not accept the key.

    A key that is proven good can only be out of balance or without permission for videos.
    """
    if not refuses_key(answer):
        return
    refusal = read_refusal(answer, meanings=meanings)
    is_spent = isinstance(refusal, Locked) and refusal.reason is Reason.NO_BALANCE
    if is_proven and not (is_spent and answer.status in (402, 403)) and not _lacks_scope(answer):
        return
    raise Broken("gateway_key_spent" if is_spent else "gateway_key_bad", detail=refusal.detail)


def read_models(answer: Answer) -> tuple[str, ...] | None:
    """Return the names of models in the response, or None if the response is no list of models."""
    match _data(answer):
        case [*rows]:
            names = (each.get("id") for each in rows if isinstance(each, dict))
            return tuple(name for name in names if isinstance(name, str) and is_usable(name))
    return None


def read_balance(answer: Answer) -> float | None:
    """Return a key's balance from new-api's response, or None if it is another response."""
    match _data(answer):
        case {"unlimited_quota": True}:
            return math.inf
        case {"total_available": int(available)}:
            return available
    return None


def _lacks_scope(answer: Answer) -> bool:
    return answer.status in (401, 403) and _SCOPES in answer.body.lower()


def _data(answer: Answer) -> object:
    with suppress(ValueError, RecursionError):
        match json.loads(answer.body):
            case {"data": data} if answer.status == 200:
                return data
    return None


def _moved(base_url: str, answer: Answer) -> str | None:
    """Return the base URL that a redirect points to, or None if it points to no other gateway."""
    base = URL(base_url)
    with suppress(ValueError):
        target = base.join(URL(answer.headers.get("Location", "")))
        path, is_ours, _ = target.raw_path.partition("/v1/")
        is_other = bool(is_ours) or target.origin() != base.origin()
        if target.scheme in ("http", "https") and is_other:
            return f"{target.origin()}{path if is_ours else ''}"
    return None


# --- asking --------------------------------------------------------------------------------------


def bearer(api_key: str) -> dict[str, str]:
    """Return the header with the API key; none for a server without a key."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


async def ask(
    session: aiohttp.ClientSession,
    base_url: str,
    path: str,
    api_key: str = "",
    *,
    post: tuple[str, bytes] | None = None,
) -> Answer:
    """Send a GET, or for `identify` only a POST. Raises `Broken` if no response comes."""
    headers = bearer(api_key)
    method, data = "GET", None
    if post is not None:
        method, (headers["Content-Type"], data) = "POST", post
    try:
        async with session.request(
            method, f"{base_url}{path}", headers=headers, data=data, allow_redirects=False
        ) as response:
            return await read(response, most=BOUNDS.answer)
    except aiohttp.ClientConnectorCertificateError as error:
        raise Broken("gateway_certificate", url=base_url) from error
    except aiohttp.ClientSSLError as error:
        raise Broken("gateway_without_tls", url=base_url) from error
    except NET as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise Broken("gateway_unreachable", url=base_url, why=why) from error

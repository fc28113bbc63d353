"""Discord's answers become errors that the core can act on."""

from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest
from discord.gateway import ReconnectWebSocket

from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.platforms.discord.errors import LATER, REFUSED, lost, translated


def answer(status: int, code: int = 0, wait: str | None = None) -> discord.HTTPException:
    headers = {} if wait is None else {"Retry-After": wait}
    response: Any = SimpleNamespace(status=status, reason="", headers=headers)
    return discord.HTTPException(response, {"code": code, "message": "no"})


def kind(error: BotError) -> tuple[type[BotError], str]:
    root = next(each for each in (Refused, Temporary, Broken) if isinstance(error, each))
    return root, error.code


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (answer(401), (Broken, "discord_token_bad")),
        (answer(404, 10003), (Refused, "channel_gone")),
        (answer(404, 10008), (Refused, "card_gone")),
        (answer(403, 50001), (Refused, "forbidden")),
        (answer(403, 50013), (Refused, "forbidden")),
        (answer(403, 50007), (Refused, "person_unreachable")),
        (answer(429), (Temporary, "discord_busy")),
        (answer(429, 30046), (Refused, "card_too_old")),
        (answer(413, 40005), (Refused, "file_too_large")),
        (answer(413), (Refused, "file_too_large")),
        (answer(400, 50045), (Refused, "file_too_large")),
        (answer(400, 400001), (Refused, "files_forbidden")),
        (answer(400, 50035), (Refused, "message_invalid")),
        (answer(400, 99999), (Refused, "message_refused")),
        (answer(403, 99999), (Refused, "forbidden")),
        (answer(403), (Temporary, "discord_unreachable")),
        (answer(403, 40333), (Temporary, "discord_busy")),
        (answer(400, 20028), (Temporary, "discord_busy")),
        (answer(500), (Temporary, "discord_unreachable")),
        (answer(503, 50013), (Temporary, "discord_unreachable")),
        (discord.RateLimited(70.0), (Temporary, "discord_busy")),
        (aiohttp.ServerDisconnectedError(), (Temporary, "discord_unreachable")),
        (ConnectionResetError(104, "reset"), (Temporary, "discord_unreachable")),
        (TimeoutError(), (Temporary, "discord_unreachable")),
    ],
)
def test_each_answer_of_discord_becomes_its_error_code(
    error: Exception, ours: tuple[type[BotError], str]
) -> None:
    assert kind(translated(error)) == ours


def test_a_missing_permission_for_a_file_refuses_only_the_file() -> None:
    assert kind(translated(answer(403, 50013), with_file=True)) == (Refused, "files_forbidden")
    assert kind(translated(answer(403, 50001), with_file=True)) == (Refused, "forbidden")


def test_the_wait_in_discords_rate_limit_answer_becomes_retry_after() -> None:
    asked = [
        translated(answer(429, wait="7.5")),
        translated(discord.RateLimited(70.0)),
        translated(answer(400, 40003)),
        translated(answer(429)),
    ]
    assert [cast(Temporary, error).retry_after for error in asked] == [7.5, 70.0, 600.0, None]


def test_no_discord_error_code_is_both_final_and_temporary() -> None:
    assert not REFUSED.keys() & LATER.keys()


def closed(code: int) -> discord.ConnectionClosed:
    socket: Any = SimpleNamespace(close_code=code)
    return discord.ConnectionClosed(socket, shard_id=None)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (discord.LoginFailure(), (Broken, "discord_token_bad")),
        (answer(401), (Broken, "discord_token_bad")),
        (closed(4004), (Broken, "discord_token_bad")),
        (closed(4013), (Broken, "discord_intents")),
        (closed(4014), (Broken, "discord_intents")),
        (closed(4010), (Temporary, "discord_closed")),
        (closed(4011), (Temporary, "discord_closed")),
        (closed(4012), (Temporary, "discord_closed")),
        (closed(1000), (Temporary, "discord_closed")),
        (ReconnectWebSocket(None), (Temporary, "discord_closed")),
        (answer(503), (Temporary, "discord_unreachable")),
        (answer(403), (Temporary, "discord_unreachable")),
        (aiohttp.ClientError(), (Temporary, "discord_unreachable")),
        (TimeoutError(), (Temporary, "discord_unreachable")),
        (AttributeError(), (Temporary, "unforeseen")),
        (KeyError("heartbeat_interval"), (Temporary, "unforeseen")),
    ],
)
def test_only_a_mistake_that_the_operator_must_mend_ends_the_discord_connection(
    error: Exception, expected: tuple[type[BotError], str]
) -> None:
    assert kind(lost(error)) == expected


def test_a_403_without_a_discord_code_is_temporary_and_sets_no_wait() -> None:
    problem = lost(answer(403))
    assert isinstance(problem, Temporary)
    assert problem.retry_after is None

"""All keys of the configuration, with their types, defaults and descriptions.

The descriptions are the documentation. A test compares `config.example.toml` with them.
"""

import re
from collections.abc import Callable, Collection
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bot.config import stores
from bot.config.money import UNLIMITED, CurrencyCode, Money
from bot.config.pasted import api_key, bot_token, gateway_address, telegram_token, web_address
from bot.config.plugins import Generation, Version
from bot.config.problems import wrong
from bot.config.table import Table
from bot.config.upkeep import Backup, Retention, TimeOfDay
from bot.core.access import Default
from bot.core.service import AnimateOthers
from bot.gateways.dialects import DEFAULT as USUAL
from bot.gateways.dialects import DIALECTS
from bot.gateways.meanings import Meaning, Row, Stage, problem_with
from bot.gateways.which import LABELS, UNKNOWN
from bot.i18n import DEFAULT, nearest

_WIDEST = {4: 8, 6: 16}
"""The shortest network prefix in bits, by IP version. No provider has larger networks."""


def _network(value: str) -> str:
    """Return the network. Raises `ValueError` if it is too wide: its members have no rate limit."""
    try:
        network = ip_network(value.strip(), strict=False)
    except ValueError as error:
        raise ValueError("network") from error
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError("network_wide")
    return value.strip()


def _bot_api_address(value: str) -> str:
    """Return the address. Raises `ValueError` if a token was copied with it."""
    if re.search(r"(?i)/bot\d+(:|%3a)", value):
        raise ValueError("address_holds_token")
    return web_address(value)


def _language(value: str) -> str:
    if nearest(value) == DEFAULT and value.replace("-", "_").partition("_")[0] != DEFAULT:
        raise ValueError("language")
    return value


def _dialect(value: str) -> str:
    return _known(value, DIALECTS)


def _software(value: str) -> str:
    return _known(value, (*LABELS, UNKNOWN))


def _known(value: str, can: Collection[str]) -> str:
    if value not in can:
        raise wrong("not_one_of", given=repr(value), can=", ".join(map(repr, can)))
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("time_zone") from error
    return value


def _text(given: object, read: Callable[[str], str]) -> object:
    """Apply `read` to a string; leave other values for pydantic to refuse."""
    return read(given) if isinstance(given, str) else given


BotApiAddress = Annotated[str, AfterValidator(_bot_api_address)]
Network = Annotated[str, AfterValidator(_network)]
WebAddress = Annotated[str, AfterValidator(web_address)]
GatewayAddress = Annotated[str, AfterValidator(gateway_address)]
BotToken = Annotated[SecretStr, BeforeValidator(lambda given: _text(given, bot_token))]
TelegramToken = Annotated[SecretStr, BeforeValidator(lambda given: _text(given, telegram_token))]
ApiKey = Annotated[SecretStr, BeforeValidator(lambda given: _text(given, api_key))]
Limit = Annotated[int, Field(ge=UNLIMITED)]
Dialect = Annotated[str, AfterValidator(_dialect)]
Software = Annotated[str, AfterValidator(_software)]


class Discord(Table):
    """`[discord]`"""

    token: BotToken | None = Field(None, description="secret; environment only")
    upload_limit_mib: float = Field(
        10,
        gt=0,
        description="the largest file in MiB that Discord accepts on a server without boosts",
    )
    message_content_intent: bool = Field(
        False, description="whether Discord granted the application this privileged intent"
    )
    api_url: WebAddress | None = Field(
        None, description="the address of a proxy for Discord's REST API"
    )
    gateway_url: str | None = Field(
        None, description="the websocket address of that proxy; needs api_url"
    )


class Telegram(Table):
    """`[telegram]`"""

    token: TelegramToken | None = Field(None, description="secret; environment only")
    api_url: BotApiAddress | None = Field(
        None, description="the address of your own Bot API server, which sends files up to 2 GB"
    )
    local: bool = Field(
        False, description="whether your Bot API server runs with --local and shares this disk"
    )
    upload_limit_mb: float = Field(
        50, gt=0, le=2000, description="the largest file in megabytes that the bot sends"
    )
    webhook: bool = Field(
        False,
        description="whether Telegram sends updates to web.public_url; if not, the bot asks",
    )


class Playground(Table):
    """`[playground]`"""

    enabled: bool = Field(
        False, description="whether the chat room in the browser is on, for this machine alone"
    )


class AnswerTable(Table):
    """`[[gateways.<name>.answers]]`: an extra row of the table of answers, before all others."""

    meaning: Meaning
    codes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    at: tuple[Stage, ...] = ()
    together: bool = False
    unasked: bool = False
    by: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> "AnswerTable":
        if problem := problem_with(self.row("")):
            raise ValueError(problem)
        return self

    def row(self, gateway: str) -> Row:
        """Return this row as the gateways' clients read it."""
        return Row(**{"by": gateway, **self.model_dump(exclude_defaults=True)})


class Gateway(Table):
    """`[gateways.<name>]`"""

    base_url: GatewayAddress = Field(
        description="the gateway's address, with or without a trailing /v1"
    )
    dialect: Dialect = Field(
        USUAL, description=f"how the gateway speaks /v1/videos: {', '.join(DIALECTS)}"
    )
    api_key: ApiKey | None = Field(
        None,
        validate_default=True,
        description="secret; environment only",
    )
    own: bool = Field(
        False,
        description="whether the server is yours: its videos are free, and deleted once posted",
    )
    software: Software | None = Field(
        None,
        description="the gateway's software; default: as `init` and `doctor` found it",
    )
    generation: Generation | None = Field(
        None,
        description="new-api's generation: A, B or C; default: as `init` and `doctor` found it",
    )
    plugins: dict[str, Version] = Field(
        default_factory=dict,
        description='versions of the plugins of generation C, such as kling = "1.1.0"',
    )
    models: tuple[str, ...] | None = Field(
        None,
        description="the models that the gateway has; default: as `init` and `doctor` found them",
    )
    guesses: bool | None = Field(
        None,
        description="whether models are offered whose facts are guesses; default: only if `own`",
    )
    poll_step: float = Field(10, gt=0, description="seconds between two polls of a running job")
    media_origins: tuple[WebAddress, ...] = Field(
        (),
        description="origins of videos that are allowed besides public https addresses",
    )
    refunds_failed: bool = Field(True, description="whether the gateway refunds a failed video")
    cost_currency: CurrencyCode | None = Field(
        None,
        description="the currency of costs in the gateway's answers; default: the dialect's",
    )
    trust_json_5xx: bool | None = Field(
        None,
        description="whether the gateway's own JSON error with HTTP 5xx means: not accepted",
    )
    answers: tuple[AnswerTable, ...] = Field(
        (), description="meanings of the gateway's answers, besides those in docs/answers.md"
    )

    @field_validator("api_key")
    @classmethod
    def _is_needed(cls, given: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if given is None and not DIALECTS[info.data.get("dialect", USUAL)].keyless:
            raise PydanticCustomError("missing", "Field required")
        return given

    @model_validator(mode="after")
    def _can_delete(self) -> "Gateway":
        if self.own and not DIALECTS[self.dialect].deletes:
            can = ", ".join(name for name, each in DIALECTS.items() if each.deletes)
            raise wrong("own_undeletable", below="own", given=self.dialect, can=can)
        return self

    @property
    def key(self) -> str:
        """The API key; "" if requests go without one."""
        return self.api_key.get_secret_value() if self.api_key else ""


class Limits(Table):
    """`[limits]`: -1 is no limit, 0 is nothing at all."""

    person_videos_per_day: Limit = Field(3, description="videos per day for each person")
    person_at_once: Limit = Field(
        1, description="unfinished videos that one person may have at once"
    )
    community_videos_per_day: Limit = Field(
        20, description="videos per day for each server or group"
    )
    purse_videos_per_day: Limit = Field(50, description="videos per day for everybody together")
    purse_money_per_day: Money = Field(
        UNLIMITED,
        ge=UNLIMITED,
        description="money per day for everybody together; needs a price for every model",
    )


class Community(Limits):
    """`[communities."<platform>:<id>"]`: keys that are left out have the value of `[limits]`."""

    gateway: str | None = Field(
        None,
        description="the gateway that the community pays for; all its orders go there",
    )


class Web(Table):
    """`[web]`"""

    host: str = Field("127.0.0.1", description="the address that the web server listens on")
    port: int = Field(
        8080,
        ge=0,
        le=65535,
        description="the port that the web server listens on; 0 picks a free one",
    )
    public_url: WebAddress | None = Field(
        None,
        description="the web server's public address; without it there are no links",
    )
    link_days: float = Field(7, gt=0, le=7, description="how many days a link to a video works")
    trusted_proxies: tuple[Network, ...] = Field(
        (),
        description="networks of reverse proxies with public addresses",
    )


class Settings(Table):
    """The whole configuration file."""

    secrets: str | None = Field(
        None,
        description="a file of NAME=value lines with the secrets, which only its owner may read",
    )
    data_dir: str = Field("data", description="the folder of the database and the media")
    database_url: Annotated[str, AfterValidator(stores.database_url)] | None = Field(
        None, description="the database, as an SQLAlchemy address; default: SQLite in data_dir"
    )
    storage_url: Annotated[str, AfterValidator(stores.storage_url)] | None = Field(
        None,
        description="a folder or bucket for videos; default: the folder media in data_dir",
    )
    language: Annotated[str, AfterValidator(_language)] = Field(
        "en", description="the language for people whose own language is unknown"
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "UTC", description="the time zone in which days begin"
    )
    digest: TimeOfDay = Field(
        "09:00", description="the time when owners get the news of the last day; off: never"
    )
    currency: str = Field("USD", description="the currency of the prices, for display only")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        description="the least severe level that is logged; DEBUG logs everything",
    )
    access: Default = Field(
        Default.CLOSED, description="whether the bot works in places where no owner has decided"
    )
    contact: str = Field(
        "", description="how people reach the operator; /help shows this text", max_length=300
    )
    animate_others: AnimateOthers = Field(
        AnimateOthers.ASK,
        description="whether people may animate other people's files: free (yes); ask, own (no)",
    )
    default_model: str | None = Field(
        None,
        description="the family of orders that name none; default: the first that can",
    )
    default_gateway: str | None = Field(
        None, description="the gateway of models that name none; default: the only gateway"
    )
    discord: Discord = Discord()
    telegram: Telegram = Telegram()
    playground: Playground = Playground()
    web: Web = Web()
    backup: Backup = Backup()
    retention: Retention = Retention()
    limits: Limits = Limits()
    gateways: dict[str, Gateway] = Field(default_factory=dict)
    communities: dict[str, Community] = Field(default_factory=dict)
    models: dict[str, dict[str, Any]] = Field(default_factory=dict)
    families: dict[str, dict[str, Any]] = Field(default_factory=dict)
    presets: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @property
    def own_gateway(self) -> str | None:
        """The operator's default gateway. A gateway that a community pays for is never chosen."""
        others = [name for name in self.gateways if name not in self.claimed]
        return self.default_gateway if self.default_gateway in others else next(iter(others), None)

    @property
    def claimed(self) -> frozenset[str]:
        """The gateways that communities pay for. Only their communities' orders go there."""
        named = (community.gateway for community in self.communities.values())
        return frozenset(gateway for gateway in named if gateway is not None)

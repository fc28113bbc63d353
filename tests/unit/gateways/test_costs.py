"""The cost that an answer tells: read where it is money, and left out where it may not be."""

import json
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.outcomes import Accepted, Done, Failed, Polled, Running, Unread
from bot.core.prices import Cost
from bot.gateways.costs import with_cost
from bot.gateways.dialects import DIALECTS, Dialect
from bot.gateways.polls import read_poll
from bot.gateways.videos_api import GatewayOptions, open_gateways
from tests.fakes.gateways import OddGateway, Said
from tests.unit.gateways.samples import create, request

from .spoken import answer

ID = "video_1"


def told(body: object, *, currency: str = "USD", status: int = 200) -> Cost | None:
    """Return the cost in an answer to a poll of the job `ID`."""
    seen = read(body, currency=currency, status=status)
    return seen.cost if isinstance(seen, Done | Failed | Running) else None


def read(body: object, *, currency: str = "USD", status: int = 200) -> Polled:
    """Read an answer to a poll of the job `ID`."""
    said = answer(status, body)
    return with_cost(read_poll(said, gateway_id=ID), said, ID, currency=currency)


def done(**more: object) -> dict[str, object]:
    return {"id": ID, "status": "completed", **more}


def usd(micro: int, *, is_fee: bool = False) -> Cost:
    return Cost(micro=micro, currency="USD", is_fee=is_fee)


@pytest.mark.parametrize(
    "body",
    [
        done(usage={"cost": 0.42, "is_byok": False}, urls=["https://a.example/v.mp4"]),
        done(cost=0.42, object="video"),
        done(outputs={"cost": 0.42, "video_url": "https://a.example/v.mp4"}),
        done(usage={"cost": "0.42"}),
        {"code": 0, "data": done(usage={"cost": 0.42})},
        done(usage=[{"cost": 0.42}]),
        [done(cost=0.42), {"id": "video_2", "status": "completed", "cost": 7}],
    ],
)
def test_a_cost_is_read_where_gateways_write_it(body: object) -> None:
    assert told(body) == usd(420_000)


@pytest.mark.parametrize(
    "cost",
    [
        *(-0.42, float("nan"), float("inf"), 1e300, 10**30, 1_000_001, True, False, None, "", "-1"),
        *("free", "0.42 USD", "$0.42", "1e3", "NaN", "٤", "9" * 400, [], [0.42, 0.42], {}),
        {"amount": 0.42},
    ],
    ids=lambda cost: repr(cost)[:20],
)
def test_a_value_that_can_be_no_cost_is_left_out_and_the_job_goes_on_as_without_it(
    cost: object,
) -> None:
    body = done(usage={"cost": cost})
    assert told(body) is None
    assert read(body) == Done()
    assert told(done(usage={"cost": 0.42})) == usd(420_000), "only the value differs"


@pytest.mark.parametrize(
    ("cost", "micro"),
    [(0, 0), (0.0000004, 0), (0.0000006, 1), (1_000_000, 10**12), ("7", 7_000_000)],
)
def test_a_cost_is_rounded_to_micro_units(cost: object, micro: int) -> None:
    assert told(done(cost=cost)) == usd(micro)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["cost", "usage", "currency", "is_byok", "data", "id"]), inner
            )
        ),
    )
)
def test_any_json_as_usage_yields_a_bounded_cost_or_none(usage: object) -> None:
    cost = told(json.dumps(done(usage=usage)))
    assert cost is None or (0 <= cost.micro <= 10**12 and len(cost.currency) == 3)


def test_an_amount_is_no_money_at_a_gateway_whose_costs_have_no_known_currency() -> None:
    """A reseller passes on its vendor's answer with the vendor's costs, and new-api has quota."""
    assert told(done(usage={"cost": 0.42}), currency="") is None
    assert told(done(quota=210_000, usage={"total_tokens": 5})) is None


@pytest.mark.parametrize(
    ("said", "currency"),
    [("EUR", "EUR"), (" eur ", "EUR"), ("", "USD"), (None, "USD")],
)
def test_a_currency_in_the_answer_counts_before_that_of_the_gateway(
    said: object, currency: str
) -> None:
    cost = told(done(usage={"cost": 1, "currency": said}))
    assert cost == Cost(micro=1_000_000, currency=currency)


@pytest.mark.parametrize("said", ["credits", "points", "$", 7, True, ["USD"], "US D", "ＵＳＤ"])
def test_an_amount_in_another_unit_than_a_currency_is_left_out(said: object) -> None:
    assert told(done(usage={"cost": 1, "currency": said})) is None


def test_a_cost_with_the_operators_own_key_at_the_vendor_is_only_the_gateways_fee() -> None:
    assert told(done(usage={"cost": 0.02, "is_byok": True})) == usd(20_000, is_fee=True)
    for said in (False, None, "true", 1):
        assert told(done(usage={"cost": 0.02, "is_byok": said})) == usd(20_000)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "video_2", "status": "completed", "cost": 0.42},
        [{"id": "video_2", "status": "completed", "cost": 0.42}, {"id": "video_3", "status": "x"}],
        done(items=[{"cost": 1}, {"cost": 2}]),
        done(input={"cost": 0.42}),
        done(error={"cost": 0.42}),
    ],
)
def test_a_cost_of_another_job_or_of_another_thing_is_left_out(body: object) -> None:
    assert told(body) is None


def test_a_failed_job_and_one_under_way_tell_their_cost_too() -> None:
    failed = {"id": ID, "status": "failed", "error": "boom", "usage": {"cost": 0.1}}
    for status in (200, 422):
        seen = read(failed, status=status)
        assert isinstance(seen, Failed)
        assert seen.cost == usd(100_000)
    assert told({"id": ID, "status": "in_progress", "cost": 0.3}) == usd(300_000)


@pytest.mark.parametrize(
    ("own", "spoken", "currency"),
    [("", "", None), ("USD", "", "USD"), ("", "USD", "USD"), ("USD", "EUR", "USD")],
)
async def test_the_client_reads_the_cost_in_the_answers_to_an_order_and_to_polls(
    monkeypatch: pytest.MonkeyPatch, own: str, spoken: str, currency: str | None
) -> None:
    dialect = replace(DIALECTS["openai"], name="priced", currency=spoken)
    monkeypatch.setitem(cast(dict[str, Dialect], DIALECTS), "priced", dialect)
    answers = {
        "v1__videos__made": done(usage={"cost": 0.42}),
        "v1__videos__making": {"id": "making", "status": "in_progress", "cost": 0.3},
        "v1__videos__quiet": {"id": "quiet", "status": "in_progress", "progress": 7},
        "v1__videos": {"id": ID, "status": "pending", "usage": {"cost": 0.5}},
    }
    odd = OddGateway(**{path: Said(200, body) for path, body in answers.items()})
    async with odd.serve() as url:
        options = GatewayOptions(name="g", base_url=url, api_key="sk", dialect="priced")
        async with open_gateways([replace(options, cost_currency=own)]) as gateways:
            created = await create(gateways["g"], request(), [])
            assert created == Accepted(ID, cost=usd(500_000) if currency else None)
            made = await gateways["g"].glance("made")
            assert isinstance(made, Unread)
            assert made.read("a cat") == Done(cost=usd(420_000) if currency else None)
            making = await gateways["g"].retrieve("making")
            assert making == Running(cost=usd(300_000) if currency else None)
            assert isinstance(await gateways["g"].glance("making"), Unread if currency else Running)
            quiet = await gateways["g"].glance("quiet")
            assert quiet == Running(7), "an answer without a cost takes the fast path"

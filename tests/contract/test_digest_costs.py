"""The digest of a day has costs that gateways told, and prices that are too low."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core import moves
from bot.core.briefs import brief
from bot.core.causes import Kind
from bot.core.jobs import Job, Reason, Status
from bot.core.prices import Cost
from bot.i18n import say
from tests.contract.rows import PRICE, Store, a_job
from tests.contract.test_digest import Morning, morning

__all__ = ["morning"]
SECOND = PRICE // 5
"""The price of a second of the sample jobs, which last five seconds."""


async def told(store: Store, micro: int | None, *, job: Job | None = None, **more: Any) -> None:
    """Make a video whose gateway told this cost."""
    row = await store.in_state(Status.IN_PROGRESS, job)
    cost = None if micro is None else Cost(**{"micro": micro, "currency": "USD", **more})
    await store.moved(row, moves.completed(row, now=row.created_at, sources=(), cost=cost))


async def lines(morning: Morning) -> list[str]:
    """Return the lines of the digest that speak of costs."""
    await morning.check()
    (report,) = await morning.sent()
    words = [say(text, "en") for text in brief(report.kind, report.facts).facts]
    start = next(at for at, each in enumerate(words) if each.startswith("Now:")) + 1
    end = next(at for at, each in enumerate(words) if each.startswith("Left for today"))
    return words[start:end]


async def test_the_digest_shows_the_estimate_beside_the_told_cost_of_the_same_videos(
    morning: Morning,
) -> None:
    for micro in (PRICE, PRICE - 200_000, None):
        await told(morning.store, micro)
    await told(morning.store, 50, job=replace(a_job(), spend_cost=1))
    assert await lines(morning) == ["Estimated 1.40 USD, told 1.20 USD for 2 of 4 videos"]


async def test_the_digest_says_nothing_of_costs_that_no_gateway_told(morning: Morning) -> None:
    await told(morning.store, None)
    assert await lines(morning) == []


async def test_other_currencies_and_fees_are_told_in_lines_of_their_own(morning: Morning) -> None:
    await told(morning.store, 250_000, currency="EUR")
    await told(morning.store, 20_000, is_fee=True)
    euros, fee = await lines(morning)
    assert euros == "Told in another currency: 0.25 EUR (videos: 1)"
    assert fee.startswith("Told as the gateway's fee alone, because your own key pays the vendor:")
    assert fee.endswith(": 0.02 USD (videos: 1)")


async def test_a_price_that_is_too_low_is_named_with_the_right_one(morning: Morning) -> None:
    for quality, micro in (("720p", 1_000_000), ("720p", 900_000), ("", 2 * PRICE)):
        job = a_job()
        request = replace(job.request, quality=quality or None)
        await told(morning.store, micro, job=replace(job, request=request))
    costs, first, second = await lines(morning)
    assert costs == "Estimated 2.10 USD, told 3.30 USD for 3 of 3 videos"
    by_quality, alone = sorted((first, second), key=lambda line: "720p" not in line)
    assert by_quality == (
        "The price of wan2.5-t2v-preview in 720p is too low: estimated 1.40 USD, told 1.90 USD"
        " (videos: 2). Right would be 0.19 a second for 720p in"
        ' models."wan2.5-t2v-preview".price. Until you correct it, more is spent than the limits'
        " say."
    )
    assert 'Right would be 0.28 a second in models."wan2.5-t2v-preview".price.' in alone


@pytest.mark.parametrize(
    ("micro", "warned"), [(PRICE * 11 // 10, False), (PRICE * 11 // 10 + 1, True)]
)
async def test_a_price_is_too_low_if_told_costs_are_more_than_a_tenth_above(
    morning: Morning, micro: int, warned: bool
) -> None:
    await told(morning.store, micro)
    assert any("too low" in line for line in await lines(morning)) is warned


async def test_a_price_that_was_corrected_since_is_not_named(morning: Morning) -> None:
    await told(morning.store, 2 * PRICE)
    morning.price = 2 * SECOND
    assert await lines(morning) == ["Estimated 0.70 USD, told 1.40 USD for 1 of 1 videos"]


async def test_a_price_of_videos_without_sound_has_its_own_setting(morning: Morning) -> None:
    job = a_job()
    request = replace(job.request, audio=False)
    await told(morning.store, 2 * PRICE, job=replace(job, request=request))
    _, low = await lines(morning)
    assert 'in models."wan2.5-t2v-preview".silent_price.' in low


async def test_failed_videos_that_cost_money_and_count_nothing_are_named_and_blame_no_price(
    morning: Morning,
) -> None:
    store = morning.store
    row = await store.in_state(Status.IN_PROGRESS)
    cost = Cost(micro=600_000, currency="USD")
    await store.moved(row, moves.failed(row, Reason.REFUSED, charged=False, cost=cost))
    await told(store, PRICE)
    costs, unrefunded = await lines(morning)
    assert costs == "Estimated 0.70 USD, told 1.30 USD for 2 of 2 videos"
    assert unrefunded == (
        "Failed videos that no limit counts cost 0.60 USD (videos: 1). If their gateway does not"
        " refund them, set gateways.<name>.refunds_failed = false."
    )


def test_a_digest_of_an_earlier_version_is_shown_without_costs() -> None:
    """Its facts are in the database, and its message may be written again."""
    assert [text.id for text in brief(Kind.DIGEST, {}).facts][:2] == ["digest.now", "digest.room"]

"""An owner's button: the rows decide who may press it, and use cases decide what it does."""

from collections.abc import Sequence

import pytest

from bot.core.accounts import Terms
from bot.core.acts import Values
from bot.core.briefs import brief
from bot.core.causes import Cause, Kind
from bot.core.decisions import Decisions, pause, raise_token, token_of
from bot.core.errors import AnewStopped, Refused
from bot.core.orders import Person
from bot.core.quotas import Limits
from bot.core.replies import Reply, error
from bot.core.sources import Used, Whose
from bot.i18n import say
from bot.platforms.discord import messages as discord
from bot.platforms.playground import messages as playground
from bot.platforms.telegram import messages as telegram
from tests.unit.core.orders import CATALOG

OLGA, EVE = Person(id="7", name="Olga"), Person(id="8", name="Eve")
FOUND = {
    "id": "video_1",
    "confidence": "likely",
    "model": "Wan",
    "status": "done",
    "created_at": 0.0,
}
SWEPT = {"videos": {"rows": 1, "files": 2, "bytes": 3_000_000_000}}
ANSWERS: dict[str, Values] = {
    "jobs.candidates": {
        "job": "abcd", "status": "unconfirmed", "gateway": "main", "sent_at": 0.0, "list": "whole",
        "person": "Bob", "family": "Wan 2.5",
        "candidates": [FOUND | {"created_at": 0.0}],
    },
    "jobs.cost": {"status": "unconfirmed", "cost": 9_000, "model": "wan-t2v", "family": "Wan 2.5"},
    "jobs.retry": {"status": "in_progress"},
    "db.backup": {"folder": "/backups/1"},
    "media.due": SWEPT,
    "media.sweep": SWEPT,
}  # fmt: skip


class Office:
    """Use cases that only record their calls, and one purse."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, object]]] = []
        self.granted = 0
        self.now = 0.0
        self.refusals: dict[str, Refused] = {}
        self.answers = dict(ANSWERS)
        names = ("jobs.found", "jobs.not_charged", "jobs.again", "jobs.cancel", "quota.grant")
        others = ("stop", "go", "gateways.pause", "gateways.resume")
        self.decisions = Decisions(
            use_cases={name: self._use_case(name) for name in (*ANSWERS, *names, *others)},
            is_owner=self.is_owner,
            rooms=["room"],
            limits=self.limits,
            gateways=["main", "a b:c"],
            currency="USD",
        )

    def _use_case(self, name: str):  # type: ignore[no-untyped-def]
        async def asked(*, actor: str, **values: object) -> Values:
            self.asked.append((name, actor, values))
            if name == "quota.grant":
                self.granted += int(str(values["videos"]))
            if name in self.refusals:
                raise self.refusals[name]
            return self.answers.get(name, {})

        return asked

    async def is_owner(self, platform: str, person: str) -> bool:
        return (platform, person) == ("chat", OLGA.id)

    async def limits(self) -> Sequence[Used]:
        terms = Terms(catalog=CATALOG, limits=Limits(purse_videos=20))
        whose = Whose(terms=terms, figures=("purse_videos",))
        limit = 20 + self.granted
        return [
            Used(whose=whose, figure="purse_videos", used=10, limit=limit, more=10, now=self.now)
        ]

    async def press(self, subject: str, wish: str, *, by: Person = OLGA) -> Reply:
        reply = await self.decisions.decide("chat", by, subject, wish)
        for text in (reply.text, *reply.facts, *(it.label for it in reply.buttons)):
            words = say(text, "en")
            assert not words.startswith(("decide.", "button.")), words
        return reply


WISHES = {
    "free": ["jobs.not_charged"],
    "open": ["jobs.candidates"],
    f"found.{token_of('video_1')}": ["jobs.candidates", "jobs.found"],
    "again": ["jobs.cost"],
    "yes": ["jobs.again"],
    "look": ["jobs.retry"],
    "cancel": ["jobs.cancel"],
    "stop": ["stop"],
    "go": ["go"],
    "backup": ["db.backup"],
    "sweep": ["media.due"],
    "swept": ["media.sweep"],
}


@pytest.mark.parametrize("wish", WISHES)
async def test_an_owners_button_calls_its_use_case_in_the_name_of_the_owner_who_pressed(
    wish: str,
) -> None:
    office = Office()
    await office.press("abcd", wish)
    assert [name for name, _, _ in office.asked] == WISHES[wish]
    assert {actor for _, actor, _ in office.asked} == {"chat:7"}


@pytest.mark.parametrize("wish", [*WISHES, "raise", "pause", "resume", "nonsense", ""])
async def test_an_owners_button_pressed_by_a_stranger_is_refused(wish: str) -> None:
    office = Office()
    with pytest.raises(Refused, match="owners_only"):
        await office.press("abcd", wish, by=EVE)
    assert office.asked == []


async def test_an_order_decided_as_not_charged_can_only_still_be_found() -> None:
    office = Office()
    (still,) = (await office.press("abcd", "free")).buttons
    office.answers["jobs.candidates"] = {**ANSWERS["jobs.candidates"], "status": "failed"}
    (found,) = (await office.press(still.about, still.value or "")).buttons
    assert found.value == f"found.{token_of('video_1')}"


async def test_a_new_try_during_a_stop_offers_to_end_the_stop_first() -> None:
    office = Office()
    office.refusals["jobs.again"] = AnewStopped()
    reply = await office.press("abcd", "yes")
    go, again = reply.buttons
    assert "zoetrope" not in say(reply.text, "en")
    del office.refusals["jobs.again"]
    for each in (go, again):
        await office.press(each.about, each.value or "")
    assert [name for name, _, _ in office.asked] == ["jobs.again", "go", "jobs.again"]


async def test_in_the_operators_room_everybody_may_press_owners_buttons() -> None:
    office = Office()
    await office.decisions.decide("room", EVE, "abcd", "free")
    assert office.asked == [("jobs.not_charged", "room:8", {"job": "abcd"})]


async def test_a_decision_says_whose_order_it_is_about_and_the_models_family() -> None:
    office = Office()
    asked, again = [say((await office.press("abcd", it)).text, "en") for it in ("open", "again")]
    assert asked.startswith("Bob's order (Wan 2.5) was sent to “main” ")
    assert all("Bob's order" in each for each in drawings(await office.press("abcd", "open")))
    assert asked.count("abcd") == 1
    assert again.startswith("Order abcd again with Wan 2.5 for ")


async def test_before_the_confirmation_a_button_only_reads_and_changes_nothing() -> None:
    office = Office()
    again = await office.press("abcd", "again")
    sweep = await office.press("all", "sweep")
    assert [name for name, _, _ in office.asked] == ["jobs.cost", "media.due"]
    assert [it.value for it in (*again.buttons, *sweep.buttons)] == ["yes", "swept"]


async def test_a_raise_for_today_is_given_once_however_often_its_button_is_pressed() -> None:
    """The button carries its day and its limit, so a second press matches neither."""
    office = Office()
    (used,) = await office.limits()
    facts = {"figure": used.figure, "of": "", "level": 50, "limit": 20, "more": 10}
    shown = {"shown": "20", "more_shown": "10", "day": used.day}
    cause = Cause(kind=Kind.LIMIT, about=used.about, facts=facts | shown)
    more, _ = brief(cause.kind, cause.facts).buttons
    await office.press(more.about, more.value or "")
    with pytest.raises(Refused, match="decide_outdated"):
        await office.press(more.about, more.value or "")
    assert [values for _, _, values in office.asked] == [
        {"kind": "purse", "of": "", "again": True, "videos": 10}
    ]


async def test_a_raise_button_of_yesterday_raises_nothing() -> None:
    """The button was made for a day that is over."""
    office = Office()
    (used,) = await office.limits()
    token = raise_token(used.about, used.day, used.limit, used.more)
    office.now = 86_400.0
    with pytest.raises(Refused, match="decide_outdated"):
        await office.press(token, "raise")
    assert office.asked == []


async def test_a_gateway_of_any_name_can_be_paused_and_resumed_by_buttons() -> None:
    office = Office()
    button = pause("a b:c")
    reply = await office.press(button.about, button.value or "")
    (resume,) = reply.buttons
    await office.press(resume.about, resume.value or "")
    assert [(name, values["name"]) for name, _, values in office.asked] == [
        ("gateways.pause", "a b:c"),
        ("gateways.resume", "a b:c"),
    ]


CLOCK = Refused("sweep_unsettled", time="2026-02-15 12:00 UTC")
TYPED = {
    "swept": ("media.sweep", CLOCK, "Please press again later"),
    "look": ("jobs.retry", Refused("again_unconfirmed", job="abcd"), "abcd is already over"),
    "free": (
        "jobs.not_charged",
        Refused("not_unconfirmed", job="abcd", status="failed"),
        "already",
    ),
    "yes": ("jobs.again", Refused("job_not_found", id="abcd", least=4), "don't know that order"),
    "cancel": ("jobs.cancel", Refused("cancel_unconfirmed"), "Nobody knows"),
}


async def test_an_order_that_is_already_decided_is_not_offered_for_a_new_try() -> None:
    office = Office()
    office.answers["jobs.cost"] = {"status": "delivered", "cost": None}
    with pytest.raises(Refused, match="decide_done"):
        await office.press("abcd", "again")


@pytest.mark.parametrize("wish", TYPED)
async def test_a_refusal_at_a_button_mentions_no_command_line(wish: str) -> None:
    office = Office()
    use_case, refusal, words = TYPED[wish]
    office.refusals[use_case] = refusal
    with pytest.raises(Refused) as problem:
        await office.press("abcd", wish)
    for shown in drawings(error(problem.value)):
        assert words in shown
        assert "zoetrope" not in shown
        assert "--" not in shown


async def test_a_list_of_candidates_without_times_numbers_them() -> None:
    office = Office()
    bare = {"created_at": None, "status": ""}
    found = {**ANSWERS["jobs.candidates"], "candidates": [FOUND, FOUND | bare]}
    office.answers["jobs.candidates"] = found
    for shown in drawings(await office.press("abcd", "open")):
        assert "2: Wan, video" in shown


async def test_in_the_room_the_past_time_of_an_order_is_not_shown_as_future() -> None:
    (sent,) = [
        it
        for it in playground.news(await Office().press("abcd", "open"))["text"]
        if "relative" in it
    ]
    assert sent == {"relative": 0.0}


def drawings(reply: Reply) -> list[str]:
    """Return everything that each platform makes of the reply."""
    shown = str(discord.notice(reply, "en").content).replace("\\", "")
    return [shown, telegram.notice(reply, "en").text, str(playground.news(reply))]


async def test_a_candidate_that_left_the_list_cannot_be_chosen() -> None:
    with pytest.raises(Refused, match="decide_outdated"):
        await Office().press("abcd", "found.0000000000")


def test_the_longest_owners_button_fits_into_telegrams_64_bytes() -> None:
    """The longest one is the button of a job with a candidate."""
    longest = ":".join(("v1", "owner", 16 * "x", f"found.{token_of('video_1')}"))
    assert len(longest.encode()) <= 64

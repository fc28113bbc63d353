"""The meaning of each trouble of a gateway, as a table; no trouble ends a job falsely.

The client meets every trouble that the simulator knows by name, under every profile. A story is the
list of outcomes in the order in which the client found them, without repetitions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.core import fetching
from bot.core.jobs import Reason
from bot.core.orders import VideoRequest
from bot.core.outcomes import (
    Accepted,
    Busy,
    Creation,
    Done,
    Failed,
    Fetch,
    Fetched,
    Locked,
    Made,
    Polled,
    Rejected,
    Uncertain,
)
from bot.gateways.videos_api import GatewayOptions, VideosApi, open_gateways
from bot.net.bounds import Bounds
from bot.simulator.presets import PRESETS
from bot.simulator.profiles import PROFILES
from bot.simulator.server import Simulator
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, file_store, samples

from .test_gateway import BlankRenderer
from .test_reach import SPEAKERS

HOUR = 3600.0
POLLS = (0.0, 60.0, 660.0, 26 * HOUR, 30 * HOUR)
"""Seconds after the order at which the job is polled, until an answer is final."""
FETCHES = 5
DIALECTS = {**SPEAKERS, "new-api-c": "new-api"}
MODELS = {
    "documented": "sora-2",
    "new-api": "kling-v1",
    "new-api-a": "wan2.5-t2v-preview",
    "openai": "sora-2",
    "new-api-c": "wan2.5-t2v-preview",
}
"""Profile → the model to order there. Kling and Wan stand for new-api's own answers."""
HASTE = {
    "answer-late": Bounds(post=0.5),
    "poll-late": Bounds(poll=0.5),
    "content-drips": Bounds(stall=0.5),
    "content-endless": Bounds(video=1_000_000),
}
"""Slow troubles → the timeouts of a client that does not wait for them."""


# ---------------------------------------------------------------------------------- the table


def all_of(words: str, story: str) -> dict[str, str]:
    """Return the same story for each of the troubles named in `words`."""
    return dict.fromkeys(words.split(), story)


MEANINGS: Mapping[str, str] = {
    # The answer to the POST. "!": the gateway itself says that there is no content.
    **all_of("answer-lost answer-late reset", "Uncertain"),
    **all_of("create-500 create-502 create-503 create-504", "Uncertain"),
    **all_of("create-429 create-429-hint create-429-empty html-429", "Busy"),
    **all_of("bad-key plan-403", "Locked(bad_key)"),
    **all_of(
        "no-balance no-balance-a no-balance-token quota-429 arrears suspended",
        "Locked(no_balance)",
    ),
    "prompt-blocked": "Rejected(moderated)",
    "bot-wall": "Rejected(blocked)",
    **all_of("denied no-channel", "Rejected(unknown_model)"),
    "too-large": "Rejected(picture_too_large)",
    **all_of("ok-but-error price-missing usage-invalid", "Rejected(refused)"),
    "plugin-refuses": "Rejected(bad_size)",
    **all_of("begun-failed begun-invalid", "Uncertain"),
    "moved": "Rejected(wrong_address)",
    # Status words of success, of failure, and all others.
    **all_of(
        "is-completed is-succeeded is-succeed is-success is-done is-loud wrapped",
        "Accepted Running Done Fetched",
    ),
    **all_of(
        "is-failed is-fail is-failure is-error is-canceled is-cancelled is-rejected url-is-error",
        "Accepted Running Failed(moderated)",
    ),
    "is-expired": "Accepted Running Failed(expired)",
    "no-reason": "Accepted Running Failed(refused)",
    **all_of(
        "is-queued is-queueing is-in_queue is-pending is-submitted is-created is-preparing"
        " is-not_start is-in_progress is-processing is-running is-generating is-unknown"
        " is-suspended is-empty is-null is-number is-missing",
        "Accepted Running Done Fetched",
    ),
    # Other answers to a poll.
    **all_of(
        "progress-text progress-float progress-null progress-full progress-falls created-ms"
        " completed-early url-empty other-id",
        "Accepted Running Done Fetched",
    ),
    **all_of("error-only swept", "Accepted Running"),
    "not-yet": "Accepted Missing Done Fetched",
    "lost": "Accepted Missing",
    **all_of(
        "poll-429 poll-500 poll-502 poll-late poll-malformed poll-truncated",
        "Accepted Trouble Done Fetched",
    ),
    "stuck": "Accepted Running",
    "late": "Accepted Running Done Fetched",
    "moderated-late": "Accepted Running Failed(moderated)",
    **all_of(
        "made-at-once made-at-once-unknown made-at-once-list made-at-once-said",
        "Accepted Done Fetched",
    ),
    "made-at-once-video": "Made",
    "moderated-charged": "Accepted Running Failed(withheld) charged",
    "moderated-silent": "Accepted Running Done Trouble!",
    "vendor-away": "Accepted Running Failed(refused)",
    **all_of("failed-400 failed-500", "Accepted Running Failed(moderated)"),
    # The content: requested by our own id first, then by the links that the poll gave.
    **all_of(
        "content-typed content-unmeasured content-gzip content-206 content-url content-webm"
        " content-tail content-noise",
        "Accepted Running Done Fetched",
    ),
    **all_of(
        "content-endless content-oversized",
        "Accepted Running Done Unusable(content_too_large)",
    ),
    **all_of("content-html content-json", "Accepted Running Done Trouble! Fetched"),
    **all_of("content-400 content-404", "Accepted Running Done Trouble! Fetched"),
    **all_of(
        "content-403 content-502 content-drips content-truncated content-moved",
        "Accepted Running Done Trouble Fetched",
    ),
    "url-expired": "Accepted Running Done Trouble",
}
NO_LINKS = all_of("content-moved", "Accepted Running Done Trouble")
"""This gateway gives no links in its answers."""
GIVES_UP = all_of("stuck late", "Accepted Running Failed(refused)")
"""This gateway gives up after a day and says so."""
STRANGE = all_of("begun-failed begun-invalid", "Uncertain")
"""A 5xx of a gateway that is not known to be new-api is not believed."""
ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "documented": STRANGE,
    "new-api": GIVES_UP,
    "new-api-a": {
        "vendor-away": "Accepted Running"
    },  # this profile shows the vendor's last word for ever
    "openai": {**NO_LINKS, **STRANGE},
    "new-api-c": {
        **NO_LINKS,
        **GIVES_UP,
        "moderated-silent": "Accepted Running Done Unusable(withheld)",
    },
}
"""Profile → the stories that differ there from `MEANINGS`."""


# --------------------------------------------------------------------------------- the stories


@dataclass
class Story:
    """The outcomes of one trouble, and what the simulated gateway's books say about it."""

    outcomes: list[Creation | Polled | Fetch] = field(default_factory=list)
    posts: int = 0
    charged: bool = False
    refunded: bool = False

    def __str__(self) -> str:
        words: list[str] = []
        for word in map(named, self.outcomes):
            if words[-1:] != [word]:
                words.append(word)
        return " ".join(words)


def named(outcome: Creation | Polled | Fetch) -> str:
    """Return the class of an outcome with its reason and charge."""
    reason = getattr(outcome, "reason", None)
    kind = type(outcome).__name__ + (f"({reason})" if reason else "")
    kind += " charged" if getattr(outcome, "charged", False) else ""
    return kind + ("!" if getattr(outcome, "definite", False) else "")


@dataclass
class Teller:
    """Meets troubles, one after another, at one simulator, and returns their stories."""

    simulator: Simulator
    clock: FakeClock
    family: str
    into: Path

    async def tell(self, name: str, gateway: VideosApi) -> Story:
        story, before = Story(), len(self.simulator.journal)
        order = changed(bodies.PLAIN, family=self.family, prompt=f"a cat [{name}]")
        _, request = bodies.catalog(gateway.dialect).choose(order)
        created = await samples.create(gateway, request, [], into=self.into)
        story.outcomes.append(created)
        if isinstance(created, Accepted):
            await self._follow(story, gateway, created)
        posts = [it for it in self.simulator.journal[before:] if it.operation == "create"]
        story.posts = len(posts)
        story.charged, story.refunded = posts[0].charged, posts[0].refunded
        return story

    async def _follow(self, story: Story, gateway: VideosApi, created: Accepted) -> None:
        await self.simulator.rendered()
        ordered_at = self.clock.now()
        for at in POLLS:
            await self.clock.advance(ordered_at + at - self.clock.now())
            poll = await fetching.poll(gateway, created.gateway_id, created.sources, prompt="")
            story.outcomes.append(poll)
            if isinstance(poll, Done):
                await self._fetch(story, gateway, created, poll)
            if isinstance(poll, Done | Failed):
                return

    async def _fetch(self, story: Story, gateway: VideosApi, created: Accepted, done: Done) -> None:
        sources = created.sources
        for _ in range(FETCHES):
            fetch = await file_store.fetched(gateway, created.gateway_id, sources, self.into)
            story.outcomes.append(fetch)
            if isinstance(fetch, Fetched):
                return
            sources = done.sources


def spoken_to(url: str, profile: str) -> GatewayOptions:
    """Return the options of a gateway as it is configured by default."""
    dialect = DIALECTS[profile]
    trusted = dialect == "new-api"
    return GatewayOptions(
        name="g", base_url=url, api_key="sk-sim", dialect=dialect, trust_json_5xx=trusted
    )


async def told(profile: str, into: Path) -> dict[str, Story]:
    """Return the story of every trouble under a profile."""
    clock = FakeClock()
    simulator = Simulator(profile=PROFILES[profile], now=clock.now, renderer=BlankRenderer())
    teller = Teller(simulator, clock, MODELS[profile], into)
    stories = {}
    async with simulator.serve() as url:
        for name in PRESETS:
            bounds = HASTE.get(name, Bounds())
            async with open_gateways([spoken_to(url, profile)], bounds=bounds) as gateways:
                stories[name] = await teller.tell(name, gateways["g"])
    return stories


SHOWN = "new-api"
"""The profile that every run of the tests tries; the others are proofs."""


@pytest.mark.parametrize(
    "profile",
    [pytest.param(it, marks=() if it == SHOWN else pytest.mark.proof) for it in MODELS],
)
async def test_each_trouble_of_a_gateway_has_its_meaning_in_the_table_and_no_false_end(
    profile: str, tmp_path: Path
) -> None:
    stories = await told(profile, tmp_path / "video.mp4")

    meanings = {**MEANINGS, **ELSEWHERE.get(profile, {})}
    assert {name: str(story) for name, story in stories.items()} == meanings
    assert {name for name, story in stories.items() if not is_true(story)} == set()


def is_true(story: Story) -> bool:
    """Whether the story agrees with the gateway's books, which know what became of the order."""
    first, last = story.outcomes[0], story.outcomes[-1]
    over = [it for it in story.outcomes if isinstance(it, Done | Failed)]
    doubtful = isinstance(first, Accepted | Made | Uncertain) or getattr(first, "charged", False)
    return (
        story.posts == 1
        and (doubtful or not story.charged)
        and all(story.refunded is (isinstance(it, Failed) and not it.charged) for it in over)
        and (not isinstance(last, Fetched) or story.charged)
    )


@pytest.mark.parametrize(
    "story",
    [
        Story([Rejected(Reason.REFUSED, "")], posts=1, charged=True),
        Story([Locked(Reason.BAD_KEY, "")], posts=1, charged=True),
        Story([Busy(None)], posts=2),
        Story([Accepted("v"), Failed(Reason.REFUSED, "")], posts=1, charged=True),
        Story([Accepted("v"), Done()], posts=1, charged=True, refunded=True),
    ],
    ids=str,
)
def test_negative_control_an_end_that_the_gateways_books_deny_is_noticed(story: Story) -> None:
    assert not is_true(story)


# --- what the gateway itself refuses --------------------------------------------------------------


def asked(model: str = "sora-2", *, size: str = "1280x720", **changed: Any) -> VideoRequest:
    """Return a request that the catalog would not make."""
    return samples.request(model, parameters=(("size", size),), **({"seconds": 4} | changed))


NEW_API = {
    "no such model": (asked("nobody"), "Rejected(unknown_model)"),
    "no prompt": (asked("kling-v1", prompt=" "), "Rejected(refused)"),
    "a size that it knows to be none": (asked(size="1x1"), "Rejected(bad_size)"),
    "a size that it cannot convert": (asked("wan2.5-t2v-preview"), "Rejected(bad_size)"),
    "a vendor's no": (asked("kling-v1", seconds=7), "Rejected(refused)"),
    "a vendor's 500": (asked("jimeng_vgfm_i2v_l20"), "Rejected(refused) charged"),
}
OTHERS = {
    "no such model": (asked("nobody"), "Rejected(refused)"),
    "no prompt": (asked(prompt=" "), "Rejected(refused)"),
    "a bad size": (asked(size="1x1"), "Rejected(bad_size)"),
}
REFUSALS = {"documented": OTHERS, "new-api": NEW_API, "new-api-a": NEW_API, "openai": OTHERS}


@pytest.mark.parametrize("profile", SPEAKERS)
async def test_a_request_that_breaks_a_rule_of_the_gateway_is_rejected(profile: str) -> None:
    """The charge stays in doubt only if a vendor was asked and answered with a 500."""
    simulator = Simulator(profile=PROFILES[profile], renderer=BlankRenderer())
    refused = {}
    async with simulator.serve() as url, open_gateways([spoken_to(url, profile)]) as gateways:
        for name, (request, _) in REFUSALS[profile].items():
            outcome = await samples.create(gateways["g"], request, [])
            refused[name] = named(outcome)

    assert refused == {name: meaning for name, (_, meaning) in REFUSALS[profile].items()}
    assert len(simulator.journal) == len(refused)

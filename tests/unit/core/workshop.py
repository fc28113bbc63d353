"""The steps and the service over real rows in SQLite, with a scripted gateway, chat and studio."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.core import moves
from bot.core.accounts import Accounts, Terms
from bot.core.bells import Bells
from bot.core.cards import Cards
from bot.core.context import PAUSE, StepContext
from bot.core.conversions import Conversions
from bot.core.fronts import Fronts
from bot.core.jobs import CLAIM, Job, Status
from bot.core.learned import Learned
from bot.core.orders import (
    Order,
)
from bot.core.posting import Link, Posting
from bot.core.service import Service
from bot.core.steps.content import Content
from bot.core.steps.jobs import Steps
from bot.core.steps.polling import Polling
from bot.core.steps.probing import Probing
from bot.core.steps.submission import Submission
from bot.core.steps.telling import Telling
from bot.core.wake import Wake
from bot.store.conversions import ConversionQueue
from bot.store.database import Database
from bot.store.jobs import Jobs
from bot.store.notices import Notices
from bot.store.pauses import Pauses
from bot.store.polls import Polls
from bot.store.posts import Posts
from bot.store.preferences import PreferencesOf
from bot.store.settings import StoredValues
from bot.store.spool import Spool
from tests.service import build_service, open_access
from tests.unit.core.entries import open_entry
from tests.unit.core.orders import CATALOG, changed, order
from tests.unit.core.scripted import (
    FREE,
    STATES,
    HandClock,
    ScriptedChat,
    ScriptedGateway,
    ScriptedStudio,
)


class Workshop:
    """One service with its steps, which a test drives by hand."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        gateway: ScriptedGateway | None = None,
        clock: HandClock | None = None,
    ) -> None:
        self.clock = clock or HandClock()
        self.bells = Bells.new()
        self.states: Sequence[tuple[Status, ...]] = STATES
        """The states whose steps are taken."""
        self.database = database
        self.jobs = Jobs(database)
        self.learned = Learned(self.jobs)
        self.posts = Posts(database)
        self.pauses = Pauses(database)
        self.notices = Notices(database)
        self.spool = Spool(folder)
        self.fronts = Fronts(StoredValues(database), self.clock)
        self.gateway = gateway or ScriptedGateway()
        self.studio = ScriptedStudio(folder)
        self.chat = ScriptedChat()
        self._card_grace = {"chat": self.chat.can.card_grace}
        self.wake_posts = self.bells.cards
        self.at_once: int | None = None
        self._ids = 0
        self.access = open_access(database, self.clock)
        self.own: dict[tuple[str, str], Terms] = {}
        """Communities with terms of their own, by platform and id."""
        self.accounts = Accounts(Terms(catalog=CATALOG, limits=FREE), self.own)
        self.preferences = PreferencesOf(database)
        self.service = build_service(
            database,
            self.clock,
            accounts=self.accounts,
            access=self.access,
            jobs=self.jobs,
            media=self.studio,
            card_grace=self._card_grace,
            new_id=self._new_id,
            base_urls=dict.fromkeys(("main", "club"), self.gateway.base_url),
            bells=self.bells,
            kind=Service,
        )
        self.context = context = StepContext(
            jobs=self.jobs,
            learned=self.learned,
            pauses=self.pauses,
            gateways={"main": self.gateway},
            clock=self.clock,
            bells=self.bells,
        )
        self.line = ConversionQueue(database)
        self.conversions = Conversions(self.line, StoredValues(database), self.clock)
        self.steps = Steps(
            context,
            submission=Submission(
                context,
                fronts=self.fronts,
                spool=self.spool,
                media=self.studio,
                at_once=lambda _model: self.at_once,
                links=lambda job: [f"{job.id} {self.clock.now():.0f}" for _ in job.order.pictures],
            ),
            content=Content(context, media=self.studio, conversions=self.conversions),
            platforms={"chat": self.chat},
            media=self.studio,
        )
        self.polls = Polls(database)
        self.polling = Polling(
            context=context,
            polls=self.polls,
            steps=self.steps,
            wake=self.bells.each_job[Status.IN_PROGRESS,],
            people=self.service.people,
        )
        self.probing = Probing(
            pauses=self.pauses, gateways={"main": self.gateway}, clock=self.clock, wake=Wake()
        )
        self.telling = Telling(
            notices=self.notices, platforms={"chat": self.chat}, variable=str, clock=self.clock
        )
        self.link: Link | None = None
        self.cards = Cards(
            jobs=self.jobs,
            learned=self.learned,
            posts=self.posts,
            accounts=self.accounts,
            conversions=self.conversions,
            at_once=lambda _model: self.at_once,
            currency="USD",
            clock=self.clock,
        )
        self.entry = open_entry(
            self.service, self.access, database, self.clock, cards=self.cards, seen=["chat"]
        )
        self.posting = Posting(
            jobs=self.jobs,
            posts=self.posts,
            platforms={"chat": self.chat},
            media=self.studio,
            accounts=self.accounts,
            link=lambda _job: self.link,
            cards=self.cards,
            clock=self.clock,
            wake=self.bells.cards,
        )

    def without_answers(self) -> None:
        """From now on, give commands no answer that could become the card."""
        self.chat.can = replace(self.chat.can, card_grace=0.0)
        self._card_grace["chat"] = 0.0

    async def submit(self, given: Order) -> Job:
        """Submit the order as a new event, and return its job, whose command was answered."""
        job = await self.service.submit(changed(given, event_id=f"event {self._ids}"))
        if moves.awaits_answer(job):
            await self.context.save(job, replace(job, due_at=self.clock.now()))
        return await self.job(job.id)

    async def job(self, job_id: str) -> Job:
        """Return the row as it is now."""
        row = await self.jobs.get(job_id)
        assert row is not None
        return row

    async def work(self, seconds: float = 3 * 86_400.0) -> None:
        """Take every step that becomes due within `seconds`, and let that much time pass."""
        end = self.clock.time + seconds
        await self._round()
        while True:
            due = [(await self.jobs.next_due(states), states) for states in self.states]
            paused = await self.pauses.next_due()
            soonest = min((time for time in (paused, *dict(due)) if time is not None), default=end)
            if soonest >= end:
                self.clock.time = end
                return
            self.clock.time = now = max(self.clock.time, soonest)
            if paused is not None and paused <= now:
                await self._probe()
            for at, states in due:
                if at is not None and at <= now:
                    await self._step(states)

    async def asked(self, prompt: str) -> Job:
        """Order a video, post its card, and return the job."""
        job = await self.submit(order(prompt=prompt))
        await self.posts.posted(job, "card", "hall")
        return job

    async def made(self, given: Order) -> Job:
        """Return a job with a posted card and a stored video, so that its result is due."""
        job = await self.submit(given)
        await self.posts.posted(job, "card", "hall")
        await self.work(60)
        return await self.job(job.id)

    async def in_line(self, prompt: str) -> Job:
        """Return a job whose card is posted and whose video waits for its conversion."""
        self.studio.unplayable, self.states = True, STATES[:-1]
        job = await self.asked(prompt)
        await self.work(20)
        self.states = STATES
        return await self.job(job.id)

    async def speak(self, seconds: float = 86_400.0) -> None:
        """Send every post that becomes due within `seconds`, and let that much time pass."""
        end = self.clock.time + seconds
        while True:
            now = self.clock.time
            claimed = await self.posts.claim(["chat"], now=now, until=now + CLAIM, most=9)
            for post in claimed:
                await self.posting.take(post)
            if claimed:
                continue
            due = await self.posts.next_due(["chat"])
            if due is None or due >= end:
                self.clock.time = end
                return
            self.clock.time = max(now, due)

    async def tell(self, seconds: float = 60.0) -> None:
        """Tell operators all that becomes due within `seconds`, and let that much time pass."""
        end = self.clock.time + seconds
        while (due := await self.notices.next_due(["chat"])) is not None and due <= end:
            now = self.clock.time = max(self.clock.time, due)
            for notice in await self.notices.claim(["chat"], now=now, until=now + CLAIM, most=9):
                await self.telling.take(notice)
        self.clock.time = end

    async def _round(self) -> None:
        await self._probe()
        for states in self.states:
            await self._step(states)

    async def _probe(self) -> None:
        now = self.clock.time
        for paused in await self.pauses.claim(now=now, until=now + PAUSE, most=9):
            await self.probing.take(paused)

    async def _step(self, states: Sequence[Status]) -> None:
        now = self.clock.time
        for job in await self.jobs.claim(states, now=now, until=now + CLAIM, most=9):
            await self.steps.take(job)

    def _new_id(self) -> str:
        self._ids += 1
        return f"job{self._ids:013}"

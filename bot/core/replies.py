"""Replies: turn a job or an error into message ids, values and buttons, without text or markup.

Networks render a reply in the person's language; the sentences are in `locales/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core import quotas
from bot.core.clips import VideoFit
from bot.core.errors import BotError, OverLimit
from bot.core.jobs import Job, Reason, Status
from bot.core.orders import (
    PICTURE_BYTES,
    PICTURE_PIXELS,
    SOUND_BYTES,
    VIDEO,
    VIDEO_BYTES,
    Address,
    SoundFit,
    VideoRequest,
)
from bot.core.quotas import Limits, Usage
from bot.core.wishes import OPTIONS, SWITCHES, WORDS, Wish


class Tone(StrEnum):
    """The mood of a reply. Networks show it as a colour or an icon."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    NEUTRAL = "neutral"


class Action(StrEnum):
    """A button's action. Messages in chat carry these values, so a value must never change."""

    CANCEL = "cancel"
    DONT_POST = "silence"
    RETRY = "retry"
    REMIX = "remix"
    DELETE = "delete"
    EDIT = "edit"
    """Orders a video with another prompt, after a video that was not made."""
    CONTINUE = "continue"
    FINER = "finer"
    SHORTER = "shorter"
    TRY_ON = "tryon"
    OWNER = "owner"
    """Any decision of an owner; the button's value says which."""
    CONFIRM = "confirm"
    """Confirms that a video will be deleted."""
    SHOW = "show"
    """Shows a finished video again."""
    ORIGINAL = "original"
    """Sends the unchanged file that the gateway made."""
    LIST = "list"
    """Replaces a list with another: the subject is the new list's name, the value its page."""
    OPEN = "open"
    """Replaces a list with one of its entries; the value is the page to go back to."""
    STOP = "stop"
    """Cancels a job from a list, or keeps its video from being posted if it is too late."""
    SETTING = "setting"
    """Saves a person's preference: the subject is the setting, the value the choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A message id with the values of its sentence; `count` chooses the plural form."""

    id: str
    values: Mapping[str, object] = field(default_factory=dict)
    count: int | None = None


BAR = 12
"""Characters in a full progress bar."""
MOST_CARRIED = 32
"""The most bytes of a button's value, so that every network can carry it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a message: its action, its subject and a value, if any."""

    action: Action
    about: str
    value: str | None = None
    """A choice such as a quality, seconds or a family, so that a press does what the label says.

    At most `MOST_CARRIED` bytes without white space.
    """
    shown: str | None = None
    """The value in the label, if people know it by another name."""
    word: str | None = None
    """Selects the label, if the action has several."""
    said: Text | None = None
    """The whole label, if this button has its own."""
    is_chosen: bool = False
    """Whether this button stands for the current value."""

    @property
    def label(self) -> Text:
        """Return the text on the button."""
        if self.said is not None:
            return self.said
        id_ = f"button.{self.word or self.action}"
        return Text(id=id_, values={"value": self.shown or self.value})


Ways = Sequence[Button]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The content of one message."""

    text: Text
    tone: Tone = Tone.NEUTRAL
    prompt: str | None = None
    facts: tuple[Text, ...] = ()
    progress: int | None = None
    """Percent, for a bar."""
    buttons: tuple[Button, ...] = ()
    ping: str | None = None
    """Id of the one person this message may ping."""
    link: str | None = None
    """A URL that stands alone on its own line, so that networks show a preview."""
    jump: Address | None = None
    """The message that this reply is about; networks that can link to it do so."""

    @property
    def bar(self) -> str:
        """Return the progress bar as text, or an empty text if there is no progress."""
        if self.progress is None:
            return ""
        full = self.progress * BAR // 100
        return f"{'▰' * full}{'▱' * (BAR - full)}  {self.progress} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The number of videos that a person has left today, and when the day ends."""

    videos: int
    resets_at: float

    @classmethod
    def of(cls, usage: Usage, limits: Limits, *, now: float) -> "Left | None":
        """Return the videos left at `now`, or None if no limit applies."""
        videos = quotas.left(usage, limits)
        return None if videos is None else cls(videos=videos, resets_at=limits.day(now)[1])

    @property
    def fact(self) -> Text:
        """Return the sentence that says how many videos are left."""
        values = {"resets_at": self.resets_at}
        if not self.videos:
            return Text(id="fact.none_left", values=values)
        return Text(id="fact.left", values=values, count=self.videos)

    @property
    def fact_after(self) -> Text:
        """Return the sentence that says how many videos are left after a finished video."""
        values = {"until": self.resets_at}
        if not self.videos:
            return Text(id="fact.none_left_after", values=values)
        return Text(id="fact.left_after", values=values, count=self.videos)


def result(
    job: Job,
    *,
    link: str | None = None,
    link_expires_at: float | None = None,
    shrunk: bool = False,
    ways: Ways = (),
) -> Reply:
    """Return the message with the finished video: as a file (no link), or as a signed link.

    `ways` are more buttons.
    """
    notes = [Text(id="fact.link_expires", values={"until": link_expires_at})] if link else []
    if shrunk:
        notes.append(Text(id="fact.shrunk"))
    elif job.video and not job.video.plays:
        notes.append(Text(id="fact.not_converted"))
    said = Text(id="result.ready", values={"person": job.order.call.person.id})
    return _of_result(job, said, *notes, ways=ways, link=link)


def kept(job: Job, *, fits: bool, ways: Ways = ()) -> Reply:
    """Return the message for a video that can neither be attached here nor be linked to."""
    megabytes = (job.video.size if job.video else 0) / 1_000_000
    values = {"person": job.order.call.person.id, "megabytes": megabytes}
    said = Text(id="result.not_attachable" if fits else "result.too_large", values=values)
    return _of_result(job, said, ways=ways)


def _of_result(job: Job, said: Text, *notes: Text, ways: Ways, link: str | None = None) -> Reply:
    own = (Action.RETRY, Action.REMIX, Action.DELETE)
    again, remix, delete = (Button(action=action, about=job.id) for action in own)
    return Reply(
        text=said,
        tone=Tone.DONE,
        prompt=job.request.shown,
        facts=(label(job), *notes),
        buttons=(again, remix, *ways, delete),
        ping=job.order.call.person.id,
        link=link,
    )


def failure(job: Job, *, ways: Ways = ()) -> Reply:
    """Return the message that says why there is no video, and that it does not count."""
    unsure = job.status is Status.UNCONFIRMED
    lost = "gateway_error" if job.reason is Reason.GATEWAY_ERROR else "unconfirmed"
    said = f"failure.{lost if unsure else job.reason or Reason.REFUSED}"
    if job.reason is Reason.PICTURE_GONE and any(each.last_of for each in job.order.pictures):
        said = "failure.video_gone"
    kind = next((each.kind for each in job.order.pictures if each.kind), None)
    if job.reason is Reason.PICTURE_UNKNOWN and kind:
        said = "failure.picture_moves" if kind == VIDEO else "failure.picture_kind"
    size = sum(each.size for each in job.order.files)
    if job.reason is Reason.PICTURE_TOO_LARGE and not size:
        said = "failure.frame_too_large" if job.order.files else "failure.request_too_large"
    video_fit = job.request.video_fit
    values = {
        "person": job.order.call.person.id,
        "family": job.request.label,
        "kind": kind,
        "megabytes": size / 1e6,
        "least": (video_fit or job.request.sound_fit or SoundFit()).least_seconds,
        "most": (video_fit or VideoFit()).most_seconds,
        "most_video": VIDEO_BYTES / 1e6,
        "most_picture": PICTURE_BYTES / 1e6,
        "most_pixels": PICTURE_PIXELS / 1e6,
        "most_sound": SOUND_BYTES / 1e6,
    }
    return Reply(
        text=Text(id=said, values=values),
        tone=Tone.FAILED,
        prompt=job.request.shown,
        facts=(*_which(job), Text(id="fact.not_counted")),
        # Never empty: networks recognize our messages by the text that their buttons carry.
        buttons=tuple(ways) or (Button(action=Action.RETRY, about=job.id),),
        ping=job.order.call.person.id,
    )


def error(problem: BotError) -> Reply:
    """Return the message for an error, which only its person sees."""
    counted = ("limit",) if isinstance(problem, OverLimit) else ("days", "minutes")
    numbers = (problem.values.get(name) for name in counted)
    count = next((number for number in numbers if isinstance(number, int)), None)
    said = Text(id=f"error.{problem.code}", values=problem.values, count=count)
    if problem.which:
        values = {"said": said, "which": _numbered(*problem.which)}
        said = Text(id="error.of_several", values=values)
    said = Text(id="error.in_reply", values={"said": said}) if problem.in_reply else said
    return Reply(text=said, tone=Tone.FAILED)


def _which(job: Job) -> list[Text]:
    """Return the sentence that says which of several pictures could not be used."""
    pictures = job.order.pictures
    bad = [number for number, each in enumerate(pictures, 1) if each.is_bad]
    is_one = len(pictures) > 1 and str(job.reason).startswith("picture_")
    return [_numbered(number, len(pictures)) for number in bad if is_one]


def _numbered(number: int, of: int) -> Text:
    return Text(id="fact.which_picture", values={"number": number, "of": of})


def quota(left: Left | None, usage: Usage, limits: Limits) -> list[Text]:
    """Return the facts about a person's videos of today and those still left."""
    used, allowed = usage.person_videos, quotas.allowed(limits, usage.granted)
    most = allowed["person_videos"]
    if left is None:
        facts = [Text(id="quota.unlimited", count=used)]
    elif most is None:
        facts = [Text(id="quota.today", count=used)]
    else:
        facts = [Text(id="quota.day", values={"used": used}, count=most)]
        if (doubt := usage.person_paid - used) > 0:
            values = {"most": allowed["person_paid"]}
            facts.append(Text(id="quota.in_doubt", values=values, count=doubt))
    if left is not None:
        facts.append(left.fact)
    if limits.person_at_once is not None:
        values = {"used": usage.person_at_once, "most": limits.person_at_once}
        facts.append(Text(id="quota.at_once", values=values))
    return facts


def request_fact(request: VideoRequest) -> Text:
    """Return one line with model, length, aspect ratio and quality."""
    return Text(
        id="fact.request_auto" if request.auto else "fact.request",
        values={
            "family": request.label,
            "seconds": request.seconds,
            "shape": " · ".join(filter(None, (request.aspect, request.quality))),
        },
    )


def cost_fact(request: VideoRequest, cost: str) -> Text:
    """Return the price, or the highest price if the model chooses the length."""
    return Text(id="fact.cost_most" if request.auto else "fact.cost", values={"cost": cost})


def switched(wish: Wish) -> list[Text]:
    """Return the facts about the person's switches and their texts except the prompt."""
    words = {name: wish.words[it.field] for name, it in OPTIONS.items() if it.field in WORDS}
    texts = ((name, " ".join(text.split())) for name, text in words.items())
    written = [Text(id=f"fact.{name}", values={"words": text}) for name, text in texts if text]
    return [*positions(wish), *written]


def positions(wish: Wish) -> list[Text]:
    """Return one line for each switch that the person set: that it is on, or off."""
    given = ((word, getattr(wish, field)) for word, field in SWITCHES.items())
    return [position(word, on=on) for word, on in given if on is not None]


def position(switch: str, *, on: bool) -> Text:
    """Return the fact that a switch is on or off."""
    return Text(id=f"switch_on.{switch}" if on else f"switch_off.{switch}")


def label(job: Job) -> Text:
    """Return the line on every video: that AI made it, with which model, and who ordered it."""
    return Text(
        id="fact.made_by", values={"family": job.request.label, "name": job.order.call.person.name}
    )

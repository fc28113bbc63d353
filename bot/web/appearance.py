"""How the pages look: pure functions from what is to be shown to HTML, and the policy it needs.

There are no scripts. All that a person wrote is escaped here; the only markup of ours is in the
templates beside this module.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from bot.core.jobs import Job, Video
from bot.core.prompts import shortened
from bot.core.replies import Text, label
from bot.i18n import moment, nearest, say
from bot.web import unfurl

TITLE = 90
"""Characters of a prompt in a tab's title and in a link's preview."""
HEADING = 140
"""Characters of a prompt beside its video; the whole of a longer one is unfolded by hand."""


ORIGINAL = "original"
"""After its own path, as an ending: the file as the gateway made it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A document, and the Content-Security-Policy under which it works as it should."""

    text: str
    policy: str


def player(job: Job, video: Video, *, name: str, expires_at: float, address: str | None) -> Page:
    """The page of a finished video in its person's language.

    `name` is the last part of its own path, below which file and still are found: relative, so
    that it holds behind a proxy that serves us under a path of its own. `address` is where the
    world sees it, if it does.
    """
    locale, prompt = job.order.call.locale, job.request.shown
    made_by, title = say(label(job), locale), shortened(prompt, TITLE)
    main = _template("player.html").substitute(
        shape="tall" if video.height >= video.width else "wide",
        width=video.width,
        height=video.height,
        source=escape(f"{name}.mp4"),
        whole_file=escape(f"{name}.mp4" if video.converted else f"{name}.{ORIGINAL}"),
        poster=f'poster="{escape(name)}.jpg"' if video.thumbnail else "",
        video_of=_said("page.video_of", locale, prompt=title),
        heading=escape(shortened(prompt, HEADING)),
        whole=_unfolding(prompt, locale) if len(prompt) > HEADING else "",
        label=escape(made_by),
        download=_said("page.download", locale, megabytes=_megabytes(video.size)),
        other=_other(video, name, locale),
        remark="" if video.plays else f"<p>{_said('fact.not_converted', locale)}</p>",
        expires=_expires(expires_at, locale),
    )
    tags = unfurl.tags(video, title=title, description=made_by, address=address)
    # As variables, because a style of a single element would need a laxer policy.
    size = f":root{{--width:{video.width};--height:{video.height}}}"
    return _framed(main, locale=locale, title=title, tags=tags, style=size)


def _other(video: Video, name: str, locale: str) -> str:
    """A link to the file as its gateway made it, where another one plays."""
    if video.converted is None:
        return ""
    words = _said("page.original", locale, megabytes=_megabytes(video.converted.size))
    return f'<a href="{escape(name)}.{ORIGINAL}" download>{words}</a>'


def _megabytes(size: int) -> float:
    return max(0.1, size / 1_000_000)


def gone(locale: str, days_kept: int | None = None) -> Page:
    """Said of every link that leads to no video, whatever the cause.

    `days_kept`: for how many days there was one, where nothing else is the cause.
    """
    why, hint = _said("page.gone_why", locale), _said("page.gone_hint", locale)
    if days_kept is not None:
        kept = Text(id="page.kept", count=days_kept) if days_kept else Text(id="page.kept_briefly")
        why, hint = escape(say(kept, locale)), _said("page.kept_hint", locale)
    main = _template("gone.html").substitute(heading=_said("page.gone", locale), why=why, hint=hint)
    return _framed(main, locale=locale, title=say(Text(id="page.gone"), locale))


def _framed(
    main: str, *, locale: str, title: str, tags: Iterable[unfurl.Tag] = (), style: str = ""
) -> Page:
    style = f"{style}\n{_read('page.css')}"
    text = _template("frame.html").substitute(
        language=nearest(locale).replace("_", "-"),
        title=escape(title),
        tags="\n".join(_meta(*tag) for tag in tags),
        style=style,
        site=unfurl.SITE,
        main=main,
    )
    return Page(text, _policy(style))


def _policy(style: str) -> str:
    """Only this very style sheet, our own files, and the icon that stands in the page."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; media-src 'self'; img-src 'self' data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _meta(name: str, content: str) -> str:
    kind = "property" if name.startswith("og:") else "name"
    return f'<meta {kind}="{name}" content="{escape(content)}">'


def _said(sentence: str, locale: str, **values: object) -> str:
    return escape(say(Text(id=sentence, values=values), locale))


def _unfolding(prompt: str, locale: str) -> str:
    return _template("prompt.html").substitute(
        summary=_said("page.whole_prompt", locale), prompt=escape(prompt)
    )


def _expires(at: float, locale: str) -> str:
    exact = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    shown = f'<time datetime="{exact}">{escape(moment(at, locale))}</time>'
    text = Text(id="fact.link_expires", values={"until": at})
    return say(text, locale, formats={"until": lambda _: shown})


@cache
def _read(name: str) -> str:
    return files("bot.web").joinpath(name).read_text("utf-8")


@cache
def _template(name: str) -> Template:
    return Template(_read(name))

"""Renders the pages: pure functions from data to HTML and its Content-Security-Policy.

The pages have no scripts. Everything that a person wrote is escaped here; almost all markup is in
the templates beside this module.
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
"""The most characters of a prompt in a tab's title and in a link's preview."""
HEADING = 140
"""The most characters of a prompt beside its video; a longer one can be unfolded."""


ORIGINAL = "original"
"""The ending, after a page's own path, of the link to the original."""


@dataclass(frozen=True, slots=True)
class Page:
    """A document and the Content-Security-Policy that it needs."""

    text: str
    policy: str


def player(job: Job, video: Video, *, name: str, expires_at: float, address: str | None) -> Page:
    """Render the page of a finished video in its person's language.

    `name` is the last part of the page's path; the links to file and still are relative to it, so
    that they work behind a proxy that adds a path. `address` is the page's public URL, if any.
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
    # CSS variables, because an inline style of an element would need a less strict policy.
    size = f":root{{--width:{video.width};--height:{video.height}}}"
    return _framed(main, locale=locale, title=title, tags=tags, style=size)


def _other(video: Video, name: str, locale: str) -> str:
    """Return a link to the original, or "" if the video was not converted."""
    if video.converted is None:
        return ""
    words = _said("page.original", locale, megabytes=_megabytes(video.converted.size))
    return f'<a href="{escape(name)}.{ORIGINAL}" download>{words}</a>'


def _megabytes(size: int) -> float:
    return max(0.1, size / 1_000_000)


def gone(locale: str, days_kept: int | None = None) -> Page:
    """Render the page for a link that leads to no video, whatever the cause.

    `days_kept` is the number of days that the video was kept, if it was removed after them.
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
    """Return a policy that allows only this style sheet, our own files and inline icons."""
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

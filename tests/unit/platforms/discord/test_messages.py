"""Texts of Discord messages: nothing that a stranger typed has an effect, and nothing is longer
than Discord allows.
"""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import cards, replies
from bot.core.cards import Timing
from bot.core.errors import FamilyUnknown, OverLimit
from bot.core.jobs import WITHDRAWN, Reason, Status
from bot.core.orders import Address, Person
from bot.core.posts import PostKind
from bot.core.replies import Action, Button, Reply, Text
from bot.platforms.discord import messages
from tests.unit.core.orders import job, order

OWNER = Person(id="123456789012345678", name="Ann")
MARKUP = st.sampled_from(
    [
        "@everyone",
        "@here",
        "<@123456789012345679>",
        "<@&123456789012345679>",
        "<#123456789012345679>",
        "</video:123456789012345679>",
        "<t:1:R>",
        "https://example.com/a_b",
        "discord.gg/abc",
        "discordapp.com/invite/abc",
        "dsc.gg/abc",
        "Discord.GG:443/abc",
        "[a](https://example.com)",
        "**bold**",
        "`code`",
        "# big",
        "> quote",
        "||spoiler||",
        "\n",
        "\\",
    ]
)
WORDS = st.lists(st.one_of(MARKUP, st.text(max_size=40)), max_size=40).map(" ".join)


def asked(prompt: str = "a cat", name: str = "Ann", **changes: object) -> Reply:
    wish = order(person=Person(id=OWNER.id, name=name))
    plain = job(order=wish, status=Status.COMPLETED)
    return replies.result(
        replace(plain, request=replace(plain.request, prompt=prompt)),
        **changes,  # type: ignore[arg-type]
    )


def result_text(reply: Reply) -> str:
    content = messages.post(reply, "en", kind=PostKind.RESULT).content
    assert content is not None
    return content


def card_text(reply: Reply) -> str:
    description = messages.card(reply, "en", job_id="j1").embeds[0].description
    assert description is not None
    return description


@given(prompt=WORDS, name=WORDS)
def test_a_result_mentions_its_person_and_nobody_else(prompt: str, name: str) -> None:
    content = result_text(asked(prompt, name))
    assert re.findall(r"<[@#/:t][^<\n]*>", content) == [f"<@{OWNER.id}>"]
    assert not re.search(r"@(everyone|here)", content)


@given(prompt=WORDS, name=WORDS)
def test_only_our_own_link_unfurls_and_stands_alone_in_the_last_line(
    prompt: str, name: str
) -> None:
    link = "https://videos.test/v/abc"
    content = result_text(asked(prompt, name, link=link, link_expires_at=1.5))
    assert content.splitlines()[-1] == link
    strangers = content.removesuffix(link)
    assert re.findall(r"\w://|\.[^\s/\u200b]+/", strangers) == []


@given(prompt=WORDS, name=WORDS)
def test_no_message_is_longer_than_discord_allows(prompt: str, name: str) -> None:
    reply = asked(prompt * 20, name * 20, link="https://videos.test/" + "x" * 480)
    assert len(result_text(reply)) <= 2000
    assert len(card_text(reply)) <= 4096
    refused = FamilyUnknown(family=prompt * 20, can=name * 20)
    assert len(messages.notice(replies.error(refused), "en").content or "") <= 2000


@given(prompt=WORDS)
def test_a_quoted_prompt_is_one_line_of_what_was_typed(prompt: str) -> None:
    shown = messages.plain(prompt, most=10_000)
    assert "\n" not in shown
    bare = re.sub(r"\\(?=[^\w\s])", "", shown.replace("\u200b", ""))
    assert bare.replace("\\", "") == " ".join(prompt.split()).replace("\\", "").replace(
        "\u200b", ""
    )


def test_every_message_lists_the_only_person_it_may_ping() -> None:
    reply = asked()
    pinging: object = messages.post(reply, "en", kind=PostKind.RESULT).mentions.to_dict()
    assert pinging == {"parse": [], "users": [int(OWNER.id)]}
    for rendered in (messages.card(reply, "en", job_id="j1"), messages.notice(reply, "en")):
        silent: object = rendered.mentions.to_dict()
        assert silent == {"parse": []}


def test_a_result_says_which_model_made_it_and_for_whom() -> None:
    assert result_text(asked("a *cat*")).splitlines() == [
        f"<@{OWNER.id}>, here is your video.",
        "> a \\*cat\\*",
        "-# AI-generated · Wan · for Ann",
    ]


def test_a_card_shows_its_state_progress_and_times() -> None:
    running = job(status=Status.IN_PROGRESS, progress=42)
    card = cards.card(running, Timing(ready_at=1_800_000_000.9))
    rendered = messages.card(card, "en", job_id=running.id)
    (embed,) = rendered.embeds
    assert (embed.description or "").splitlines() == [
        "Your video is being made.",
        "> a cat",
        "▰▰▰▰▰▱▱▱▱▱▱▱  42 %",
        "-# Wan · 5 s · 16:9 · 720p",
        "-# Ready <t:1800000000:R>",
    ]
    assert embed.colour == messages.COLOURS[replies.Tone.WORKING]
    assert rendered.content is None


@pytest.mark.parametrize("kind", list(PostKind))
def test_every_button_id_names_its_action_job_and_kind_of_post(kind: PostKind) -> None:
    buttons = tuple(Button(action=a, about="j-1", value="720p") for a in Action)
    reply = replace(asked(), buttons=(replace(buttons[0], value=None), *buttons[1:]))
    rows = messages.post(reply, "en", kind=kind).view.to_components()
    shown = [button["custom_id"] for row in rows for button in row["components"]]
    assert shown == [
        f"v1:cancel:j-1:{kind}",
        *(f"v1:{action}:j-1:{kind}:720p" for action in list(Action)[1:]),
    ]


def test_more_than_25_choices_become_two_menus_that_mark_the_chosen_one() -> None:
    choices = [
        Button(action=Action.OPEN, about=f"j-{n}", shown=f"cat {n}", is_chosen=n == 1)
        for n in range(30)
    ]
    back = Button(action=Action.LIST, about="history", word="back")
    rendered = messages.notice(replace(asked(), buttons=(*choices, back)), "en")
    first, second, last = rendered.view.to_components()
    menus = [row["components"][0] for row in (first, second)]
    assert [len(menu["options"]) for menu in menus] == [25, 5]
    assert [it["label"] for it in menus[0]["options"] if it["default"]] == ["cat 1"]
    assert menus[1]["options"][0]["value"] == "v1:open:j-25:note"
    assert [it["custom_id"] for it in last["components"]] == ["v1:list:history:note"]


def test_an_entry_of_a_list_quotes_its_prompt() -> None:
    entry = replace(asked("a *cat*"), buttons=(), ping=None)
    lines = (messages.notice(entry, "en").content or "").splitlines()
    assert lines[1:] == ["> a \\*cat\\*", "• AI-generated · Wan · for Ann"]


def test_a_reply_about_a_message_has_a_button_that_leads_there() -> None:
    there = Address(platform="discord", channel="2", community="1", message="3")
    (row,) = messages.notice(replace(asked(), buttons=(), jump=there), "en").view.to_components()
    assert row["components"][0]["url"] == "https://discord.com/channels/1/2/3"
    alone = replace(there, community=None)
    (row,) = messages.notice(replace(asked(), buttons=(), jump=alone), "en").view.to_components()
    assert row["components"][0]["url"] == "https://discord.com/channels/@me/2/3"


async def test_views_are_finished_so_that_discord_py_forgets_them() -> None:
    assert messages.post(asked(), "en", kind=PostKind.RESULT).view.is_finished()
    assert messages.card(cards.card(job()), "en", job_id="j").view.is_finished()


@pytest.mark.parametrize("reason", list(Reason))
def test_every_failure_text_begins_with_a_mention_of_its_person(reason: Reason) -> None:
    ends_nothing = (Reason.UNDELIVERABLE, Reason.AT_ONCE, Reason.PAUSED)
    if reason in (*ends_nothing, Reason.BY_PERSON, Reason.BY_ADMIN, *WITHDRAWN):
        return
    failed = job(status=Status.FAILED, reason=reason, order=order(person=OWNER))
    rendered = messages.post(replies.failure(failed), "en", kind=PostKind.FAILURE)
    assert (rendered.content or "").startswith(f"<@{OWNER.id}>, ")


def test_a_limit_text_says_when_new_videos_are_available() -> None:
    refused = OverLimit("limit_person_videos", limit=3, used=3, resets_at=1_800_000_000.0)
    said = messages.notice(replies.error(refused), "de").content
    assert said == "You have had your 3 videos for today. You get new ones <t:1800000000:R>."


def test_a_missing_permission_is_named_as_discord_names_it() -> None:
    reply = Reply(text=Text(id="error.cannot_post_here", values={"permission": "attach_files"}))
    assert "(Attach Files is missing)" in (messages.notice(reply, "en").content or "")

"""The filters of `zoetrope jobs`, and its output."""

import json
from dataclasses import replace
from typing import Any

import pytest
from rich.text import Text

from bot.cli import drawing, times
from bot.cli.jobs import asked, facts, sheet, table, wording
from bot.core import moves
from bot.core.errors import Refused
from bot.core.jobs import Job, Reason, Status
from bot.core.orders import Person, Picture, Sound
from bot.core.posts import Form, Post, PostKind
from bot.core.prices import Cost
from bot.core.wishes import WORDS
from tests.contract.rows import NOON, VIDEO, a_job
from tests.unit.core.orders import changed

SIGNED = "https://cdn.example/video.mp4?X-Signature=CANARY"


def _rich() -> Job:
    """Return a job with every fact filled in, and with secrets that must not be shown."""
    job = a_job(id_="abcd1234")
    picture = Picture(source="https://chat/CANARY", filename="CANARY.png", size=5, key="in/1.jpg")
    sound = Sound(source="CANARY", filename="CANARY.mp3", size=7)
    return replace(
        job,
        order=changed(job.order, pictures=(picture,), sound=sound, seed=7),
        status=Status.COMPLETED,
        reason=Reason.CONTENT_GONE,
        detail=f"no a cat on the moon: {SIGNED} http://me:CANARY@host/x sk-CANARYCANARY \x1b[2J",
        sources=(SIGNED, SIGNED),
        gateway_id="task_9",
        video=VIDEO,
        told_cost=Cost(micro=640_500, currency="EUR"),
    )


POST = Post(
    id=1,
    job_id="abcd1234",
    kind=PostKind.RESULT,
    due_at=NOON + 60,
    form=Form.LINK,
    direct=True,
    attempts=2,
    message_id="77",
    channel_id="lounge",
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("queued", Status.QUEUED), (" In-Progress", Status.IN_PROGRESS), ("FAILED", Status.FAILED)],
)
def test_a_job_state_is_recognized_in_any_spelling(typed: str, meant: Status) -> None:
    assert asked.status(typed) is meant


@pytest.mark.parametrize(
    ("typed", "code", "near"),
    [
        ("delivred", "status_unknown_near", "delivered"),
        ("unconfirm", "status_unknown_near", "unconfirmed"),
        ("zzz", "status_unknown", None),
        ("", "status_unknown", None),
    ],
)
def test_an_unknown_job_state_is_refused_with_the_nearest_name(
    typed: str, code: str, near: str | None
) -> None:
    with pytest.raises(Refused) as refused:
        asked.status(typed)
    assert (refused.value.code, refused.value.values.get("near")) == (code, near)


@pytest.mark.parametrize(
    ("platform", "community", "place"),
    [
        (None, None, (None, None)),
        ("Discord", "12", ("discord", "12")),
        (None, "telegram:-100", ("telegram", "-100")),
        (None, "-100", (None, "-100")),
    ],
)
def test_a_community_filter_is_read_as_it_is_written_in_the_configuration(
    platform: str | None, community: str | None, place: tuple[str | None, str | None]
) -> None:
    assert asked.place(platform, community) == place


def test_a_person_filter_is_read_as_in_the_other_commands() -> None:
    assert asked.whose(None, "discord:12") == ("discord", "12")
    assert asked.whose("telegram", "Ann: the first") == ("telegram", "Ann: the first")
    assert asked.whose(None, None) == (None, None)


def test_a_list_of_job_states_may_have_commas_and_repetitions() -> None:
    assert asked.statuses(["failed,queued,", "failed"]) == {Status.FAILED, Status.QUEUED}
    assert asked.statuses([]) == frozenset()
    with pytest.raises(Refused, match="status_unknown"):
        asked.statuses([""])


@pytest.mark.parametrize("number", [0, -1, 1001, 10**30])
def test_a_limit_of_jobs_below_1_or_above_1000_is_refused(number: int) -> None:
    with pytest.raises(Refused, match="jobs_limit"):
        asked.most(number)


@pytest.mark.parametrize("typed", ["", " ", "\n\t"])
def test_an_empty_job_id_is_refused(typed: str) -> None:
    with pytest.raises(Refused, match="job_id_missing"):
        asked.beginning(typed)


def test_a_job_without_a_price_has_no_cost_in_the_json() -> None:
    job = a_job(id_="abcd1234")
    costs = [facts.of(replace(job, spend_cost=cost))["spend_cost"] for cost in (0, 1, 1_500_000)]
    assert costs == [0, None, 1_500_000]


def test_an_unknown_platform_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(Refused, match="platform_unknown_near"):
        asked.place("discrod", None)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("90s", NOON - 90),
        ("90m", NOON - 5400),
        ("2h", NOON - 7200),
        ("7 d", NOON - 604_800),
        ("1w", NOON - 604_800),
        ("2026-01-15T12:00:00+00:00", NOON),
        ("2026-01-15 14:00+02:00", NOON),
    ],
)
def test_the_since_option_accepts_an_age_or_a_date(typed: str, seconds: float) -> None:
    assert times.ago(typed, now=NOON) == seconds


@pytest.mark.parametrize("typed", ["", "yesterday", "h", "-3h", "2026-13-01", "3y"])
def test_the_since_option_refuses_text_that_is_neither_an_age_nor_a_date(typed: str) -> None:
    with pytest.raises(Refused, match="since_unreadable"):
        times.ago(typed, now=NOON)


@pytest.mark.parametrize("prompt", [False, True])
def test_no_output_about_a_job_shows_a_secret_part_of_a_url(
    prompt: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    job = _rich()
    table.show([job], {job.status: 1}, currency="USD", now=NOON)
    sheet.show(job, [POST], currency="USD", prompt=prompt, now=NOON)
    said = capsys.readouterr().out + json.dumps(facts.whole(job, [POST], prompt=prompt))
    assert "CANARY" not in said
    assert "\x1b" not in said
    assert ("a cat on the moon" in said) is prompt, "the prompt is its person's own"
    assert said.count("https://cdn.example/…") + said.count("https://cdn.example/\\u2026") == 2


@pytest.mark.parametrize("prompt", [False, True])
def test_what_a_person_wrote_is_shown_only_with_the_prompt_option(
    prompt: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    written = {field: f"secret-{field}" for field in WORDS}
    job = replace(_rich(), detail=f"refused: {', '.join(written.values())}")
    job = replace(job, order=changed(job.order, **written))
    sheet.show(job, [], currency="USD", prompt=prompt, now=NOON)
    sheet_, json_ = capsys.readouterr().out, json.dumps(facts.whole(job, [], prompt=prompt))
    for said in ("".join(sheet_.split()), json_):
        assert [said.count(each) for each in written.values()] == [2 * prompt] * len(WORDS)
    assert "{" not in sheet_, "no sentence lacks its values"


def test_the_job_sheet_says_since_when_swept_files_are_gone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = _rich()
    order = changed(job.order, prompt="", negative_prompt="")
    gone: dict[str, Any] = {"video_gone_at": NOON, "inputs_gone_at": NOON, "words_gone_at": NOON}
    sheet.show(
        replace(job, order=order, video=None, **gone), [], currency="USD", prompt=True, now=NOON
    )
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for name in ("Picture", "Prompt", "Video"):
        assert f"{name} gone since 2026-01-15, at the end of its storage time" in lines
    whole = facts.whole(replace(job, **gone), [], prompt=False)
    assert [whole[name] for name in gone] == [drawing.stamp(NOON)] * 3


@pytest.mark.parametrize(
    ("columns", "left_out"),
    [
        (200, ""),
        (110, "Length, Community, Gateway"),
        (80, "Model, Length, Community, Gateway"),
    ],
)
def test_on_a_narrow_terminal_columns_are_left_out_and_job_ids_stay_whole(
    columns: int,
    left_out: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("COLUMNS", str(columns))):
        monkeypatch.setenv(name, value)
    community = "123456789012345678"
    job = a_job(id_="4fk2abcdq7mnxw3z", community=community)
    job = replace(
        job, order=changed(job.order, person=Person(id="ada", name="Ada, Countess of Lovelace"))
    )
    lost = replace(job, status=Status.UNCONFIRMED)
    table.show([job, lost], {Status.QUEUED: 2}, currency="USD", now=NOON)
    said = Text.from_ansi(capsys.readouterr().out).plain
    table_ = said.partition("\n\n")[0]
    assert max(map(len, table_.splitlines())) <= columns
    assert table_.count("4fk2abcdq7mnxw3z") == 2
    assert table_.count("! unconfirmed") == 1
    assert ("Left out because" in said) is bool(left_out)
    assert left_out in said
    assert table_.count(f"discord:{community}") == (0 if left_out else 2)


def test_the_list_of_jobs_marks_videos_that_were_swept(capsys: pytest.CaptureFixture[str]) -> None:
    there = replace(a_job(id_="one"), status=Status.DELIVERED, video=VIDEO)
    swept = replace(there, id="two", video=None, video_gone_at=NOON)
    unposted = replace(swept, id="six", status=Status.COMPLETED, reason=Reason.UNDELIVERABLE)
    deleted = replace(there, id="ten", video=None)
    shown = [there, swept, unposted, deleted]
    table.show(shown, {Status.DELIVERED: 3, Status.COMPLETED: 1}, currency="USD", now=NOON)
    said = capsys.readouterr().out
    assert "means unfinished" not in said, "no state has a mark"
    rows = [" ".join(line.split()) for line in said.splitlines()][1:5]
    gone = "video removed 2026-01-15"
    assert [row.partition(" wan2.5")[0] for row in rows] == [
        "one delivered",
        f"two delivered {gone}",
        f"six completed could not be posted anywhere; {gone}",
        "ten delivered",
    ]
    told = [facts.of(job)["video_gone_at"] for job in shown]
    assert told == [None, drawing.stamp(NOON), drawing.stamp(NOON), None]


def test_the_job_sheet_shows_every_fact_about_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    sheet.show(_rich(), [POST], currency="USD", prompt=False, now=NOON + 120)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "abcd1234: completed, video not available from the gateway"
    for line in (
        "Who Ada (discord:ada)",
        "Where discord:club",
        "Model wan-2.5, wan2.5-t2v-preview (t2v)",
        "Shape 5 s, 1280*720",
        "Picture in/1.jpg, 5 bytes",
        "Sound not downloaded, or deleted, 7 bytes",
        "Prompt 17 characters; --prompt shows it",
        "Gateway main, https://gateway.example",
        "Id at the gateway task_9",
        "Reason content_gone: video not available from the gateway",
        "Other addresses of the video 2",
        "Counts as 1 video",
        "Spent 0.70 USD",
        "Told cost 0.6405 EUR",
        "Video videos/ab/abc.mp4, 9 bytes, 640×360, 5 s",
    ):
        assert line in lines
    assert lines[2].startswith("Ordered 2026-01-15 ")
    assert lines[2].endswith("(2 minutes ago)")
    assert lines[-1].startswith(
        "Result link, message 77, in channel lounge, in the person's private chat, 2 failed tries,"
        " due 2026-01-15 "
    )


def test_the_job_sheet_says_what_a_told_fee_is_and_that_a_waiting_order_is_not_spent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fee = replace(_rich(), told_cost=Cost(micro=20_000, currency="USD", is_fee=True))
    sheet.show(fee, [], currency="USD", prompt=False, now=NOON)
    said = " ".join(capsys.readouterr().out.split())
    assert "Told cost 0.02 USD, which is the gateway's fee alone: your own key pays" in said
    sheet.show(a_job(), [], currency="USD", prompt=False, now=NOON)
    said = " ".join(capsys.readouterr().out.split())
    assert "Reserved 0.70 USD" in said
    assert "Spent" not in said
    assert "Told" not in said


def test_the_json_of_a_job_has_the_told_cost_with_its_currency() -> None:
    told = {"micro": 640_500, "currency": "EUR", "is_fee": False}
    assert facts.of(_rich())["told_cost"] == told
    assert facts.of(a_job())["told_cost"] is None


def test_the_job_sheet_says_which_options_were_left_to_the_model_or_switched(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = a_job()
    job = replace(
        job,
        order=changed(job.order, audio=False, watermark=True),
        request=replace(job.request, seconds=12, auto=True),
    )
    sheet.show(job, [], currency="USD", prompt=False, now=NOON)
    table.show([job], {Status.QUEUED: 1}, currency="USD", now=NOON)
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "Shape up to 12 s, 1280*720" in said
    assert "Options Without sound, With a watermark" in said
    assert any(" ≤12 s " in line for line in said)
    told = facts.whole(job, [], prompt=False)
    assert [told[key] for key in ("auto", "sound", "enhance", "watermark")] == [
        *(True, False, None, True)
    ]


def test_the_list_of_jobs_marks_unconfirmed_jobs_and_says_when_the_list_is_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = [
        a_job(id_="one"),
        replace(a_job(id_="two"), status=Status.UNCONFIRMED, spend_cost=1),
        moves.failed(a_job(id_="three"), Reason.MODERATED, charged=False),
    ]
    counts = {Status.QUEUED: 1, Status.FAILED: 4, Status.UNCONFIRMED: 1}
    table.show(shown, counts, currency="USD", now=NOON + 3600 * 3)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    rest = "wan2.5-t2v-preview 5 s Ada discord:club main"
    assert rows[1:] == [
        f"one … queued {rest} 0.70 USD 3h ago",
        f"two ! unconfirmed gateway may have accepted it {rest} no price 3h ago",
        f"three failed against the content rules {rest} 0 3h ago",
        "",
        "… means unfinished; ! means unconfirmed, so run: zoetrope jobs resolve JOB",
        "3 of 6 jobs: 1 queued, 4 failed, 1 unconfirmed. --limit shows more.",
    ]


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_of_a_job_is_described_in_plain_words(reason: Reason) -> None:
    said = wording.reason(replace(a_job(), reason=reason))
    assert " " in said
    assert "." not in said


def test_the_json_of_a_job_keeps_all_its_keys() -> None:
    """Programs read these keys: a key may be added, and none may be removed."""
    assert list(facts.whole(_rich(), [POST], prompt=False)) == [
        *("id", "status", "reason", "model", "family", "kind", "seconds", "platform", "person"),
        *("community", "gateway", "quota_cost", "spend_cost", "told_cost"),
        *("ordered_at", "video_gone_at"),
        *("submitted_at",),
        *("completed_at", "delivered_at", "ended_at", "inputs_gone_at"),
        *("words_gone_at", "due_at", "claimed_until", "base_url", "gateway_id"),
        *("progress", "attempts", "crashes", "detail", "sources", "channel", "locale", "silent"),
        "private",
        *("dialect", "size", "aspect", "quality", "seed", "auto", "sound", "enhance", "watermark"),
        *("preset", "files", "prompt_length", "video", "posts"),
    ]

"""Rules that hold for all rows of the table of answers."""

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import (
    Busy,
    Locked,
    Missing,
    Rejected,
    Running,
    Trouble,
)
from bot.gateways.creations import read_creation
from bot.gateways.meanings import ABOUT_ONE_ORDER, LOCKS, STATES, Meaning, Row, Stage, problem_with
from bot.gateways.polls import read_poll, read_refusal
from bot.gateways.spelling import key_of, spelt_out, word_of
from bot.gateways.table import PACKAGED, Meanings, Said, Step
from docs.answers_page import PAGE, page
from tests.unit.gateways.meanings import EMPTY, KEY, MODERATED, examples, openai, raw, spoken

from .spoken import HTML, answer, create, envelope, flat, kind, poll

# --- details for the operator -------------------------------------------------------------


def test_a_redirect_and_a_web_page_before_the_gateway_are_named_in_the_detail() -> None:
    moved = create(308, "", Location="https://u:p@new.example/v1/videos?key=sk-1")
    page = create(403, "<html><title>Just a moment...</title></html>", Server="cloudflare")

    assert moved == Rejected(
        Reason.WRONG_ADDRESS, "HTTP 308: redirect to https://new.example/v1/videos"
    )
    assert page == Rejected(
        Reason.BLOCKED, "HTTP 403: a web page, “Just a moment...”, from cloudflare"
    )


def test_an_error_page_of_a_wrong_address_is_not_taken_for_a_wall() -> None:
    nginx = "<html><head><title>404 Not Found</title></head><center>nginx</center></html>"
    wrong = ("Rejected", Reason.WRONG_ADDRESS)
    for status in (404, 405, 410, 421):
        assert kind(create(status, nginx, Server="nginx")) == wrong
    for words in ("The plain HTTP request was sent to HTTPS port",
                  "Client sent an HTTP request to an HTTPS server.",
                  "You're speaking plain HTTP to an SSL-enabled server port."):  # fmt: skip
        assert kind(create(400, f"<html><h1>Bad Request</h1>{words}</html>")) == wrong
        assert kind(create(400, words)) == wrong
    wall = ("Rejected", Reason.BLOCKED)
    assert kind(create(404, nginx, cf_mitigated="challenge")) == wall
    assert kind(create(403, nginx)) == wall


def test_a_busy_gateway_is_tried_again_after_the_time_it_names() -> None:
    assert create(429, HTML, Retry_After="7") == Busy(7.0)


# -------------------------------------------------------------------------------- the table


def test_every_row_of_the_table_names_its_source_and_matches_something() -> None:
    for row in PACKAGED.rows:
        assert row.by, row
        assert row.source.startswith("https://"), row
        assert row.codes or row.sentences or row.phrases or row.words, row
        assert not row.words or row.meaning in STATES, row


def test_no_row_decides_about_an_account_by_a_part_of_a_message() -> None:
    for row in PACKAGED.rows:
        assert not row.phrases or row.meaning in ABOUT_ONE_ORDER, row
        for sentence in row.sentences if row.meaning in LOCKS and not row.together else ():
            assert all(len(said.replace("x", "")) > 1 for said in examples(sentence)), row


def test_no_status_word_of_the_table_has_two_meanings() -> None:
    seen: dict[str, Meaning] = {}
    for row in PACKAGED.rows:
        for word in row.words:
            assert seen.setdefault(word_of(word), row.meaning) is row.meaning, word


def test_no_code_of_the_table_is_repeated_or_has_two_meanings_under_equal_conditions() -> None:
    """A vendor's own row may stand beside a general one, because it names its own source."""
    seen: dict[object, object] = {}
    for row in PACKAGED.rows:
        codes = [key_of(each) for code in row.codes for each in spelt_out(code)]
        assert len(set(codes)) == len(codes), row
        with_them = row.sentences if row.together else ()
        for code in codes:
            conditions = (code, row.status, row.at, with_them)
            assert seen.setdefault(conditions, row.meaning) is row.meaning, code


@pytest.mark.proof
def test_no_row_of_the_table_is_hidden_by_another_row() -> None:
    """Each code, sentence and phrase yields the meaning of its own row wherever it holds.

    A different row with the same meaning is accepted: only the meaning of a row matters, and
    whether the gateway itself gave the answer before it asked any vendor.
    """
    for row in PACKAGED.rows:
        for said, step in spoken(row):
            for at in row.at or set(Stage):
                for status in row.status or {400}:
                    found = PACKAGED.find(said, status=status, at=at)
                    if step is Step.PHRASE and at not in (Stage.CREATE, Stage.FAILURE):
                        continue
                    assert found, (row.by, said)
                    assert found.row.meaning is row.meaning, (said, found)
                    assert found.row.unasked or not row.unasked, (said, found)


def numbers() -> list[str]:
    """Return every numeric code of the table."""
    codes = (each for row in PACKAGED.rows for code in row.codes for each in spelt_out(code))
    return [code.rpartition(".")[2] for code in codes if code.rpartition(".")[2].isdigit()]


@pytest.mark.proof
@pytest.mark.parametrize("status", [500, 502, 503, 520, 530])
def test_no_numeric_code_in_a_5xx_pauses_a_gateway(status: int) -> None:
    for code in numbers():
        for number in (code, int(code)):
            for body in (
                flat(number),
                envelope("x", number),
                {"title": f"Error {code}", "status": status, "error_code": number},
                raw({"code": number}),
                {"base_resp": {"status_code": number, "status_msg": "x"}},
            ):
                assert not isinstance(create(status, body), Locked), body
                assert not isinstance(poll(body, status), Locked), body


def test_a_5xx_pauses_the_gateway_for_its_own_words_but_not_for_its_vendors() -> None:
    assert kind(create(500, flat("quota_not_enough", "x"))) == EMPTY
    assert kind(create(500, envelope("用户额度不足"))) == EMPTY
    for body in (raw({"code": "Arrearage"}), flat("x", "Account balance not enough")):
        told = create(500, body)
        assert isinstance(told, Rejected)
        assert told.charged
        assert kind(create(500, body, trust=False)) == ("Uncertain", None)
        assert kind(create(403, body)) == EMPTY


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Your account was flagged for unusual activity."),
        (401, "Your organization was disabled for a policy violation."),
        (401, "We saw things that violate our policies."),
        (403, "Your API key was flagged for abuse"),
        (403, "Your account has been banned for content policy violations"),
    ],
)
def test_a_message_about_an_account_is_not_read_as_moderation(status: int, message: str) -> None:
    assert kind(create(status, envelope(message))) == KEY


def test_a_message_about_content_is_read_as_moderation() -> None:
    for message in ("The prompt was flagged", "It shows protected intellectual property"):
        assert kind(create(400, envelope(message))) == MODERATED
    assert kind(create(400, envelope("A guardrail is missing"))) == ("Rejected", Reason.REFUSED)


def test_a_wrong_size_is_recognized_by_two_numbers_in_the_message() -> None:
    for value, reason in (("'1x1'", Reason.BAD_SIZE), ("'max'. Expected x", Reason.REFUSED)):
        assert kind(create(400, envelope(f"Invalid value: {value}"))) == ("Rejected", reason)


@pytest.mark.parametrize("said", ["Not Found", "404 page not found", "Route /v1 not found"])
def test_a_404_about_the_route_does_not_mean_that_the_job_is_missing(said: str) -> None:
    assert isinstance(poll({"detail": said}, 404), Trouble)
    assert poll({"detail": "Video video_1 not found"}, 404) == Missing()


DECIDED = [
    ({"status": "ok", "data": {"task_status": "succeed"}}, "Done"),
    ({"status": 0, "state": "success"}, "Done"),
    ({"data": {"status": 1, "task_status": "SUCCEED"}}, "Done"),
    ({"status": "completed", "result": {"state": "ok"}}, "Done"),
    ({"status": "ok", "data": {"status": "processing"}}, "Running"),
    ({"status": "completed", "data": {"status": "failed"}}, "Failed"),
    ({"status": "processing", "data": {"status": "completed"}}, "Done"),
]


@pytest.mark.parametrize(("body", "outcome"), DECIDED, ids=repr)
def test_the_innermost_known_status_word_decides(body: dict[str, object], outcome: str) -> None:
    assert type(poll(body)).__name__ == outcome


def test_the_status_word_reported_as_unknown_is_the_unknown_one() -> None:
    seen = poll({"status": "success", "data": {"state": "Marinating"}})
    assert seen == Running(None, None, "marinating")


def test_a_refused_download_that_quotes_the_prompt_pauses_no_gateway() -> None:
    told = answer(403, envelope("Insufficient balance"))
    assert isinstance(read_refusal(told), Locked)
    assert isinstance(read_refusal(told, prompt="Insufficient balance"), Trouble)


def test_the_answers_page_shows_the_current_table() -> None:
    """If the page is outdated, `python -m docs.answers_page` rewrites it."""
    assert PAGE.read_text("utf-8") == page()


def test_the_operators_own_rows_are_tried_before_the_packaged_ones() -> None:
    own = PACKAGED.under(
        [
            Row(by="club", meaning=Meaning.NO_BALANCE, codes=("purse_empty",)),
            Row(by="club", meaning=Meaning.DONE, words=("marinated",)),
            Row(by="club", meaning=Meaning.BUSY, codes=("insufficient_quota",)),
        ]
    )
    purse = answer(418, envelope("x", "Purse.Empty"))
    quota = answer(400, envelope("x", "insufficient_quota"))

    assert isinstance(read_creation(purse, trust_json_5xx=True, meanings=own), Locked)
    assert isinstance(read_creation(quota, trust_json_5xx=True, meanings=own), Busy)
    assert isinstance(read_creation(quota, trust_json_5xx=True), Locked)
    done = answer(200, {"id": "v", "status": "Marinated"})
    assert kind(read_poll(done, gateway_id="v", meanings=own)) == ("Done", None)
    assert kind(read_poll(done, gateway_id="v")) == ("Running", None)


def test_negative_control_without_the_table_no_code_is_known() -> None:
    nothing = Meanings(())
    told = answer(429, openai("insufficient_quota"))
    assert isinstance(read_creation(told, trust_json_5xx=True, meanings=nothing), Busy)


def test_a_code_without_letters_and_digits_matches_nothing() -> None:
    """The configuration refuses such a row; an empty code belongs to no row."""
    signs = Row(by="club", meaning=Meaning.NO_BALANCE, codes=("-_-", "*"))
    own = Meanings([signs])
    assert problem_with(signs) == "answer_short"
    for code in ("", "--", "…"):
        assert own.find(Said((code,)), status=400, at=Stage.CREATE) is None

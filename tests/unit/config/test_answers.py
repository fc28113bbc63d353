"""An operator's own rows in the table of answers, and the errors about wrong rows."""

import pytest

from bot.app import gateway_settings
from bot.gateways.meanings import Meaning, Row, Stage

from .conftest import GATEWAY, Complaints, Read

ROW = "[[gateways.main.answers]]\n"


def test_an_operators_row_of_answers_reaches_the_client_of_its_gateway(read: Read) -> None:
    own = 'codes = ["purse_empty"]\nmeaning = "no_balance"\nstatus = [418]\nat = ["create"]\n'
    (gateway,) = gateway_settings(read(gateway=GATEWAY + ROW + own))
    assert gateway.answers == (
        Row(
            by="main",
            meaning=Meaning.NO_BALANCE,
            codes=("purse_empty",),
            status=frozenset({418}),
            at=frozenset({Stage.CREATE}),
        ),
    )


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            'codes = ["x1"]\nmeaning = "poor"',
            (
                "gateways.main.answers.1.meaning is 'poor'; it has to be one of: 'moderated', "
                "'no_balance', 'bad_key', 'unknown_model', 'bad_size', 'too_long', 'busy', "
                "'blocked', 'begun', 'withheld', 'refused', 'no_route', 'unknown_id', 'done', "
                "'failed', 'expired', 'waiting' or 'running'."
            ),
        ),
        ('codes = ["x1"]', "gateways.main.answers.1.meaning is missing."),
        ('meaning = "busy"', "gateways.main.answers.1 is empty. Give codes,"),
        (
            'words = ["cooked"]\nmeaning = "busy"',
            "gateways.main.answers.1 has words. Words are states",
        ),
        (
            'phrases = ["no money"]\nmeaning = "no_balance"',
            "gateways.main.answers.1 has phrases. A phrase is a part of a message, and a message",
        ),
        (
            'sentences = ["*"]\nmeaning = "bad_key"',
            "gateways.main.answers.1 has a code, sentence, phrase or word with fewer than two",
        ),
        *(
            (
                f'{column} = ["{said}"]\nmeaning = "moderated"',
                "gateways.main.answers.1 has a code, sentence, phrase or word with fewer than",
            )
            for column in ("codes", "sentences", "phrases", "words")
            for said in ("-_-", "…", " . ", "", "*", "(ok!|--)")
        ),
        ('code = ["x1"]\nmeaning = "busy"', "gateways.main.answers.1.code"),
        ('codes = ["x1"]\nmeaning = "busy"\nstatus = [1]', "gateways.main.answers.1.status.1"),
        ('codes = ["x1"]\nmeaning = "busy"\nat = ["poll"]', "gateways.main.answers.1.at.1"),
    ],
)
def test_a_wrong_row_of_answers_is_reported_with_its_mistake(
    told: Complaints, row: str, sentence: str
) -> None:
    (said, *_) = told(gateway=GATEWAY + ROW + row)
    assert said.startswith(sentence)


def test_rows_of_answers_are_counted_from_one_in_errors(told: Complaints) -> None:
    rows = ROW + 'codes = ["x1"]\nmeaning = "busy"\n' + ROW + 'meaning = "busy"'
    (said, *_) = told(gateway=GATEWAY + rows)
    assert said.startswith("gateways.main.answers.2 is empty.")

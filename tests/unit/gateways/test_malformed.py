"""Bar B6: no bytes of a gateway crash us, and only a word of the lists ends a job."""

import json
import random
import re
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.jobs import Reason
from bot.core.outcomes import (
    Accepted,
    Busy,
    Done,
    Failed,
    Locked,
    Missing,
    Polled,
    Rejected,
    Running,
    Trouble,
    Uncertain,
    Unusable,
)
from bot.gateways.creations import read_creation
from bot.gateways.envelopes import TABLES
from bot.gateways.meanings import Meaning
from bot.gateways.polls import read_poll, read_refusal
from bot.gateways.spelling import word_of
from bot.gateways.table import PACKAGED
from bot.net.answers import Answer
from bot.net.bounds import Bounds
from tests.fakes import wire
from tests.fakes.wire import Wire

from .samples import create, opened, request

_MODERATED = """
flagged censored filtered content_blocked content_rejected content_flagged
content_violation content_policy_violation policy_violation input_moderated
output_moderated prompt_moderated prompt_blocked prompt_rejected prompt_flagged
image_moderated video_moderated moderation_blocked moderation_rejected failed_moderation
failed_safety rejected_by_moderation blocked_by_moderation blocked_by_safety
nsfw_detected nsfw_content nsfw_content_detected safety_blocked safety_violation
safety_filtered rai_filtered content_sensitive sensitive_content unsafe unsafe_content
audit_failed audit_rejected audit_reject review_failed review_rejected illegal
prohibited_content risk_rejected
"""
FINAL = {
    *_MODERATED.split(),
    *("completed", "complete", "succeeded", "succeed", "success", "successful", "done", "finished"),
    *("finish", "ready", "generated", "expired"),
    *(
        "failed",
        "fail",
        "failure",
        "error",
        "errored",
        "canceled",
        "cancelled",
        "cancel",
        "rejected",
    ),
    *("timeout", "timed_out", "time_out", "aborted", "terminated", "killed", "refused", "denied"),
    *(
        "invalid",
        "incomplete",
        "partially_failed",
        "generate_failed",
        "task_failed",
        "system_error",
    ),
    *("exception", "moderated", "nsfw", "blocked", "content_filtered", "content_moderated"),
    *("request_moderated", "moderation_failed", "sensitive"),
}
LINK = "https://a.example/v.mp4"
GOOD = [
    json.dumps(body, separators=(",", ":")).encode()
    for body in (
        {"id": "video_1", "object": "video", "status": "processing", "progress": 0},
        {"id": "video_1", "status": "succeeded", "progress": 100, "url": LINK, "error": None},
        {
            "task_id": "task_1",
            "status": "failed",
            "progress": "100%",
            "metadata": {"url": ""},
            "error": {"message": "no", "code": "DataInspectionFailed"},
        },
        {"code": "success", "data": {"task_id": "t", "status": "SUCCESS", "result_url": LINK}},
        {"error": {"message": "no", "type": "new_api_error", "code": "model_not_found"}},
        {"code": "task_not_exist", "message": "task_not_exist", "data": None},
        {"detail": [{"loc": ["body", "size"], "msg": "bad", "type": "enum"}]},
    )
]
GOOD += [b"<html><body>502 Bad Gateway</body></html>", b""]
VALUES = [
    b"null", b"true", b"-1", b"NaN", b"Infinity", b"1e999", b"9" * 400, b"9" * 5000, b'"\\ud800"',
    b'"\\u0000"', b"[]", b"{}", b'""', b'"succeeded"', b'"failed"', b'"unknown"', b'[{"a":[1]}]',
    b'{"message":{"message":{"message":{"message":"x"}}}}', b'"' + b"x" * 5000 + b'"',
]  # fmt: skip
STATUSES = [200, 201, 202, 204, 301, 307, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429]
STATUSES += [500, 501, 502, 503, 504, 520, 524, 599, 100, 600, 999]
HEADERS = ["", "7", "-1", "9" * 5000, "nan", "٣", "1e5", "Wed, 21 Oct 2026 07:28:00 GMT"]


# --- the judge, independent of the product ------------------------------------------------------


def parsed(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    match value:
        case [dict() as alone]:
            return alone
        case dict():
            return value
    return {}


def words_in(body: bytes) -> set[str]:
    """Return the final words that a fair reader finds where a status may be, at any depth."""
    try:
        return {word.strip().casefold() for word in told_in(json.loads(body))} & FINAL
    except (ValueError, RecursionError):
        return set()


def told_in(value: object, depth: int = 4) -> Iterator[str]:
    """Yield the texts where a status may be: in a field with its name, or alone."""
    match value:
        case str():
            yield value
        case [alone] if depth:
            yield from told_in(alone, depth - 1)
        case dict() if depth:
            for name, inner in value.items():
                if "stat" in name or isinstance(inner, dict) or (inner and isinstance(inner, list)):
                    yield from told_in(inner, depth - 1)


def link_alone_in(body: bytes) -> bool:
    """Whether a video is linked and no status word is present."""
    text = body.decode("utf-8", "replace")
    return "http" in text and not re.search(r'"(status|state|task_status)":\s*"\s*[^"\s]', text)


def is_over(seen: Done | Failed, body: bytes) -> bool:
    """Whether a fair reader would also say that the job is over."""
    if isinstance(seen, Done) and seen.sources and link_alone_in(body):
        return True
    # A known moderation code counts like a final word.
    is_moderated = isinstance(seen, Failed) and seen.reason is Reason.MODERATED
    return is_moderated or bool(words_in(body))


def judge(answer: Answer, *, poll: Callable[..., Polled] = read_poll) -> None:
    """Read `answer` in every way there is. Raises AssertionError if the reading claims too much."""
    created = [read_creation(answer, trust_json_5xx=trust) for trust in (True, False)]
    seen = poll(answer, gateway_id="video_1")
    refused = read_refusal(answer)
    assert isinstance(seen, Running | Done | Failed | Missing | Locked | Trouble)
    assert isinstance(refused, Locked | Trouble)
    if isinstance(seen, Done | Failed):
        ours = parsed(answer.body).get("id") == "video_1"
        failed = isinstance(seen, Failed) and 400 <= answer.status < 600 and ours
        assert 200 <= answer.status < 300 or failed
        assert is_over(seen, answer.body)
    if isinstance(seen, Running):
        assert seen.progress is None or 0 <= seen.progress <= 100
        assert seen.at_least is None or 0 <= seen.at_least <= 60
    for outcome in created:
        assert isinstance(outcome, Accepted | Busy | Locked | Rejected | Uncertain)
        if isinstance(outcome, Accepted):
            assert 200 <= answer.status < 300
        if isinstance(outcome, Rejected) and not 300 <= answer.status < 500:
            named = {"error", "detail", "message"} & parsed(answer.body).keys()
            # The code may be inside an envelope.
            inside = re.search(rb'"(error|detail|message)"\s*:', answer.body)
            # A known moderation code counts like an error, as it does like a final word.
            is_named = bool(named or inside) or outcome.reason is Reason.MODERATED
            assert is_named or (answer.status < 300 and words_in(answer.body))
    assert all(storable(outcome) for outcome in (*created, seen, refused))


def storable(outcome: object) -> bool:
    """Whether every text of the outcome can be written into a row and a log line."""
    names = ("detail", "gateway_id", "unknown", "shape")
    texts = [getattr(outcome, name, None) or "" for name in names]
    texts += getattr(outcome, "sources", ())
    return all(text.isprintable() and len(text) <= 4096 and text.encode() is not None
               for text in texts)  # fmt: skip


# ------------------------------------------------------------------------------- the generator


def wrong_type(chance: random.Random, body: bytes) -> bytes:
    """Replace some value by another of any type."""
    places = list(re.finditer(rb'(?<=:)("[^"]*"|[0-9]+|null|true)', body))
    if not places:
        return chance.choice(VALUES)
    place = chance.choice(places)
    return body[: place.start()] + chance.choice(VALUES) + body[place.end() :]


def cut(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def flipped(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randrange(1, 4) if body else 0):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def nested(chance: random.Random, body: bytes) -> bytes:
    """Wrap the body deeply, around every limit of depth that a parser or printer may have."""
    depth = chance.choice([3, 50, 200, 300, 450, 900, 950, 980, 990, 1000, 5000, 100_000])
    opening, closing = chance.choice(
        [(b"[", b"]"), (b'{"error":', b"}"), (b'{"data":', b"}"), (b'{"detail":[', b"]}")]
    )
    inner = opening * depth + (body or b"1") + closing * depth
    return chance.choice([inner, b'{"status":' + inner + b"}", b'{"error":' + inner + b"}"])


def encoded(chance: random.Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    return text.encode(chance.choice(["utf-16", "utf-32", "utf-8-sig", "utf-7"]))


def noise(chance: random.Random, body: bytes) -> bytes:
    return chance.randbytes(chance.randrange(200))


def doubled(chance: random.Random, body: bytes) -> bytes:
    return body + chance.choice([b"", b"\n", b","]) + body


def kept(chance: random.Random, body: bytes) -> bytes:
    return body


MUTATIONS: list[Callable[[random.Random, bytes], bytes]] = [
    wrong_type, wrong_type, wrong_type, cut, flipped, nested, encoded, noise, doubled, kept,
]  # fmt: skip


def malformed(chance: random.Random) -> Answer:
    """Return a good answer after one to three random mutations."""
    body = chance.choice(GOOD)
    for _ in range(chance.randrange(1, 4)):
        body = chance.choice(MUTATIONS)(chance, body)
    headers = {
        "Retry-After": chance.choice(HEADERS),
        "openai-poll-after-ms": chance.choice(HEADERS),
    }
    return Answer(chance.choice([200, 200, 200, *STATUSES]), headers, body)


def run(count: int) -> None:
    """Judge `count` malformed answers."""
    for seed in range(count):
        try:
            judge(malformed(random.Random(seed)))
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error


def in_little_memory(count: int) -> None:
    """Judge `count` malformed answers with less than 50 MB of further memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(count)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


# --- the tests -------------------------------------------------------------------------------


@pytest.mark.proof
def test_2000_malformed_answers_are_read_safely_in_little_memory() -> None:
    in_little_memory(2_000)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_10000_malformed_answers_are_read_safely_in_little_memory() -> None:
    in_little_memory(10_000)


@pytest.mark.proof
def test_the_generated_malformed_answers_lead_to_every_outcome() -> None:
    """Otherwise the runs above would prove little."""
    reached = set()
    for seed in range(1_000):
        answer = malformed(random.Random(seed))
        reached |= {
            type(read_creation(answer, trust_json_5xx=True)),
            type(read_poll(answer, gateway_id="video_1")),
        }

    assert reached == {
        Accepted, Busy, Locked, Rejected, Uncertain, Running, Done, Failed, Missing, Trouble,
    }  # fmt: skip


@pytest.mark.proof
def test_negative_control_a_reader_that_trusts_progress_is_caught() -> None:
    def careless(answer: Answer, *, gateway_id: str) -> Polled:
        seen = read_poll(answer, gateway_id=gateway_id)
        return Done() if isinstance(seen, Running) and seen.progress == 100 else seen

    caught = 0
    for seed in range(1_000):
        try:
            judge(malformed(random.Random(seed)), poll=careless)
        except AssertionError:
            caught += 1

    assert caught > 0


def test_negative_control_a_reader_that_catches_only_json_errors_would_crash() -> None:
    """All four errors of fact F10 occur in the runs above."""
    raised = set()
    for seed in range(1_000):
        try:
            json.loads(malformed(random.Random(seed)).body)
        except (ValueError, RecursionError) as error:
            raised.add(type(error))

    assert raised == {json.JSONDecodeError, UnicodeDecodeError, ValueError, RecursionError}


KEYS = "id task_id status data error code message detail progress url metadata"
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(sorted(FINAL)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS.split(" ")) | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
bodies = st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode())
headers = st.dictionaries(st.sampled_from(["Retry-After", "openai-poll-after-ms"]), st.text())


@pytest.mark.proof
@given(status=st.integers(0, 999), body=bodies, headers=headers)
def test_any_bytes_with_any_status_are_read_as_an_outcome(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    judge(Answer(status, headers, body))


@pytest.mark.proof
@given(body=bodies)
def test_any_bytes_with_status_200_are_read_as_an_outcome(body: bytes) -> None:
    judge(Answer(200, {}, body))


def test_a_body_of_a_million_objects_is_read_only_in_part() -> None:
    row: dict[str, object] = {"data": [{"data": [{}] * 100}] * 100}
    assert len(TABLES.spots_in({"data": [row] * 100})) < 1000


@pytest.mark.proof
def test_a_body_nested_as_deep_as_the_stack_is_read_as_an_outcome() -> None:
    most = sys.getrecursionlimit()
    for depth in range(most - 150, most):
        deep = Answer(200, {}, b"[" * depth + b"1" + b"]" * depth)
        assert isinstance(read_poll(deep, gateway_id="video_1"), Running | Trouble)


def raw(chance: random.Random) -> bytes:
    """Return a malformed answer as raw bytes, sometimes with a damaged head."""
    answer = malformed(chance)
    length = chance.choice([-1, -1, None, 0, 5, len(answer.body) + 9, 10**30])
    sent = wire.answer(answer.body, answer.status, length=length)
    return flipped(chance, sent) if chance.random() < 0.3 else sent


async def run_on_the_wire(seeds: range, into: Path) -> None:
    """Send each answer to all three calls."""
    server = Wire()
    bounds = Bounds(post=2.0, poll=2.0)
    async with server.serve() as url, opened(url, bounds=bounds) as gateway:
        for seed in seeds:
            sent = raw(random.Random(seed))
            server.plan(wire.sending(sent))
            posts = server.charges
            created = await create(gateway, request(), [])
            assert isinstance(created, Accepted | Busy | Locked | Rejected | Uncertain), seed
            seen = await gateway.retrieve("video_1")
            assert isinstance(seen, Running | Done | Failed | Missing | Locked | Trouble), seed
            if isinstance(seen, Done | Failed):
                assert is_over(seen, sent.partition(b"\r\n\r\n")[2]), seed
            fetched = await gateway.content("video_1", None, into)
            assert isinstance(fetched, Locked | Trouble | Unusable), seed
            assert server.charges == posts + 1, seed


@pytest.mark.proof
@pytest.mark.parametrize("thousand", range(2))
async def test_an_order_is_posted_once_despite_2000_malformed_http_answers(
    thousand: int, tmp_path: Path
) -> None:
    seeds = range(1_000 * thousand, 1_000 * (thousand + 1))
    await run_on_the_wire(seeds, tmp_path / "video.mp4")


@pytest.mark.long
@pytest.mark.parametrize("thousand", range(2, 10))
async def test_an_order_is_posted_once_despite_10000_malformed_http_answers(
    thousand: int, tmp_path: Path
) -> None:
    seeds = range(1_000 * thousand, 1_000 * (thousand + 1))
    await run_on_the_wire(seeds, tmp_path / "video.mp4")


def test_the_judges_final_words_equal_those_of_the_table_of_answers() -> None:
    """The judge's words and the reader's words are written down separately and agree."""
    final = (Meaning.DONE, Meaning.FAILED, Meaning.EXPIRED, Meaning.MODERATED)
    words = {word_of(it) for row in PACKAGED.rows if row.meaning in final for it in row.words}
    assert words == FINAL

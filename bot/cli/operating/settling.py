"""`zoetrope jobs cancel`, `jobs resolve` and `jobs retry`.

A new paid order needs consent: the command shows the cost, and the operator types the job's id. In
a script, `--confirm` with the whole id replaces this.
"""

import sys
from typing import Annotated

import typer

from bot.cli import drawing
from bot.cli.control import ask, configuration
from bot.cli.options import AsJson, ConfigFile, JobId, Why
from bot.cli.words import FREE, amount, tell
from bot.config import Config
from bot.core.acts import Values
from bot.core.errors import Refused

Confirm = Annotated[
    str | None,
    typer.Option(help="The whole id of the job: agrees to pay without a question."),
]
_NOTHING = {"none": "jobs.list_none", "gone": "jobs.list_gone", "trouble": "jobs.list_trouble"}
"""The sentence for each reason why no video is proposed."""
_COLUMNS = ("found_id", "confidence", "grounds", "created", "there")


def cancel(id: JobId, why: Why = "", as_json: AsJson = False, config: ConfigFile = None) -> None:  # noqa: A002
    """Cancel a waiting job; it does not count against any limit."""
    answer = ask(configuration(config), "jobs.cancel", job=id, why=why)
    _tell(answer, "jobs.cancelled" if answer["changed"] else "jobs.cancelled_before", as_json)


def resolve(
    id: JobId,  # noqa: A002
    found: Annotated[
        str | None,
        typer.Option(help="The video is at the gateway under this id: download and post it."),
    ] = None,
    not_charged: Annotated[
        bool,
        typer.Option("--not-charged", help="The gateway never took the order: it costs nothing."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Order and pay again; you are asked twice.")
    ] = False,
    confirm: Confirm = None,
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Resolve an unconfirmed job; without an option, list the gateway's videos that may be it."""
    if (found is not None) + not_charged + again > 1:
        raise typer.BadParameter("Give only one of --found, --not-charged and --again.")
    known = configuration(config)
    if found is not None:
        _found(known, id, found, why=why, as_json=as_json)
    elif not_charged:
        _not_charged(known, id, why=why, as_json=as_json)
    elif again:
        _again(known, id, confirm=confirm, why=why, as_json=as_json)
    else:
        _propose(known, id, as_json=as_json)


def retry(
    id: JobId,  # noqa: A002
    confirm: Confirm = None,
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Take a job's next step now; order and pay a failed or cancelled job again, if you agree."""
    known = configuration(config)
    cost = ask(known, "jobs.cost", job=id)
    if cost["status"] == "unconfirmed" or cost["cost"] is None:
        _tell(ask(known, "jobs.retry", job=id, why=why), "jobs.called", as_json)
        return
    sure = _sure(known, cost, confirm)
    answer = ask(known, "jobs.retry", job=id, confirm=sure, why=why)
    _tell(answer, "jobs.anew" if answer["changed"] else "jobs.anew_before", as_json)


def _propose(config: Config, job: str, *, as_json: bool) -> None:
    """Print the gateway's videos that may belong to the job, and the ways to resolve the job."""
    answer = ask(config, "jobs.candidates", job=job)
    found = drawing.rows(answer, "candidates")
    if as_json:
        stamped = [drawing.stamped(each, "created_at") for each in found]
        drawing.as_json({**drawing.stamped(answer, "sent_at"), "candidates": stamped})
        return
    sent, known = drawing.moment(answer["sent_at"]), answer["known_id"]
    said = "jobs.known_id" if known else "jobs.was_sent"
    print(tell(said, job=answer["job"], gateway=answer["gateway"], at=sent, id=known))
    if found:
        drawing.table([tell(f"jobs.{name}") for name in _COLUMNS], map(_row, found))
        if answer["list"] == "part":
            print(tell("jobs.list_part"))
    else:
        none = _NOTHING.get(str(answer["list"]), "jobs.list_nothing")
        print(tell(none, gateway=answer["gateway"], why=answer.get("why")))
    is_open = answer["status"] == "unconfirmed"
    print(tell("jobs.three_ways" if is_open else "jobs.found_late", job=answer["job"]))


def _found(config: Config, job: str, gateway_id: str, *, why: str, as_json: bool) -> None:
    answer = ask(config, "jobs.found", job=job, gateway_id=gateway_id, why=why)
    _tell(answer, "jobs.goes_on" if answer["changed"] else "jobs.known_before", as_json)
    if not (answer["known"] or as_json):
        print(tell("jobs.unasked"))


def _not_charged(config: Config, job: str, *, why: str, as_json: bool) -> None:
    answer = ask(config, "jobs.not_charged", job=job, why=why)
    _tell(answer, "jobs.released" if answer["changed"] else "jobs.released_before", as_json)
    if not as_json:
        print(tell("jobs.found_late", job=answer["job"]))


def _again(config: Config, job: str, *, confirm: str | None, why: str, as_json: bool) -> None:
    cost = ask(config, "jobs.cost", job=job)
    sure = job if cost["cost"] is None else _sure(config, cost, confirm)
    answer = ask(config, "jobs.again", job=job, confirm=sure, why=why)
    _tell(answer, "jobs.anew" if answer["changed"] else "jobs.anew_before", as_json)


def _sure(config: Config, cost: Values, confirm: str | None) -> str:
    """Return the typed id that agrees to the cost. Raises `Refused`."""
    job = str(cost["job"])
    if confirm is not None:
        return confirm  # compared with the job's id where it is used
    if not sys.stdin.isatty():
        raise Refused("again_unconfirmed", job=job)
    money = tell("jobs.unpriced")
    if (micro := int(str(cost["cost"]))) > FREE:
        money = amount(micro, config.settings.currency)
    maybe = "jobs.pay_again" if cost["status"] == "unconfirmed" else "jobs.pay"
    question = tell(maybe, model=cost["model"], person=cost["person"], money=money)
    if not typer.confirm(question, default=False):
        raise Refused("again_declined")
    if typer.prompt(tell("jobs.type_id", job=job), default="", show_default=False) != job:
        raise Refused("again_declined")
    return job


def _tell(answer: Values, id_: str, as_json: bool) -> None:
    if as_json:
        drawing.as_json(answer)
    else:
        print(tell(id_, job=answer["job"], of=answer.get("of")))


def _row(candidate: Values) -> list[str]:
    grounds = candidate["grounds"]
    assert isinstance(grounds, list)
    later = candidate["later"]
    created = drawing.moment(candidate["created_at"])
    if later is not None:
        created += f" ({float(str(later)):+.0f} s)"
    there = ", ".join(str(candidate[name]) for name in ("model", "status") if candidate[name])
    named = [tell(f"ground.{each}") for each in grounds]
    confidence = tell(f"confidence.{candidate['confidence']}")
    return [str(candidate["id"]), confidence, ", ".join(named), created, there]

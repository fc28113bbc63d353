"""The commands by which an operator changes something, and their options."""

from typing import Annotated

import typer

from bot.cli.options import AsJson, ConfigFile, Why

gateways_app = typer.Typer(no_args_is_help=True)
user_app = typer.Typer(no_args_is_help=True)
quota_app = typer.Typer(no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="Its id, or the first four characters and more.")]
Confirm = Annotated[
    str | None,
    typer.Option(help="The whole id of the job: agrees to pay, where nobody can be asked."),
]
Gateway = Annotated[str, typer.Argument(help="Its name in the configuration.")]
Kind = Annotated[str, typer.Argument(help="person, community or purse.")]
Of = Annotated[
    str,
    typer.Argument(
        help="Network and id, as discord:123; of a purse, the gateway of a community's own."
    ),
]
Where = Annotated[
    str, typer.Option("--in", help="The community a person orders in, where it has own money.")
]
PersonId = Annotated[str, typer.Argument(help="Network and id, as discord:123.")]


def add_to(app: typer.Typer, jobs: typer.Typer) -> None:
    """Add them to the command and to its group of jobs."""
    for command in (stop, go, stats, acts):
        app.command()(command)
    jobs.command("cancel")(jobs_cancel)
    jobs.command("resolve")(jobs_resolve)
    jobs.command("retry")(jobs_retry)
    app.add_typer(gateways_app, name="gateways", help="See gateways, pause them, and resume.")
    app.add_typer(quota_app, name="quota", help="See today's limits, and let somebody have more.")
    app.add_typer(user_app, name="user", help="Block somebody, and see who is blocked.")


def stop(why: Why = "", as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Stop everything that costs: no orders, no sending. What is paid for still arrives."""
    from bot.cli.operating import stopping

    stopping.stop(config, why=why, as_json=as_json)


def go(why: Why = "", as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Go on after `zoetrope stop`."""
    from bot.cli.operating import stopping

    stopping.go(config, why=why, as_json=as_json)


def stats(
    by: Annotated[
        str, typer.Option(help="A row for each: day, model, gateway, person or community.")
    ] = "day",
    since: Annotated[
        str | None,
        typer.Option(help="Ordered since then: 12h, 7d, or 2026-01-31; by default 30 days."),
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Show what was made, what failed, and what was spent."""
    from bot.cli.operating import statistics

    statistics.show(config, by=by, since=since, as_json=as_json)


def acts(
    subject: Annotated[
        str | None, typer.Argument(help="Only of this job, gateway or person: its id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """List what operators did: who, when and why."""
    from bot.cli.operating import history

    history.show(config, subject=subject, most=limit, as_json=as_json)


# --- jobs ----------------------------------------------------------------------------------------


def jobs_cancel(
    id: JobId,  # noqa: A002
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Cancel a job that waits: nothing counts."""
    from bot.cli.operating import settling

    settling.cancel(config, id, why=why, as_json=as_json)


def jobs_resolve(
    id: JobId,  # noqa: A002
    found: Annotated[
        str | None, typer.Option(help="It is at the gateway, under this id: fetch and post it.")
    ] = None,
    not_charged: Annotated[
        bool, typer.Option("--not-charged", help="The gateway never took it: release its cost.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Pay for a new try; you are asked twice.")
    ] = False,
    confirm: Confirm = None,
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Decide what became of an unconfirmed job; without an option, see what the gateway has."""
    from bot.cli.operating import settling

    if (found is not None) + not_charged + again > 1:
        raise typer.BadParameter("Give one of --found, --not-charged and --again.")
    if found is not None:
        settling.found(config, id, found, why=why, as_json=as_json)
    elif not_charged:
        settling.not_charged(config, id, why=why, as_json=as_json)
    elif again:
        settling.again(config, id, confirm=confirm, why=why, as_json=as_json)
    else:
        settling.propose(config, id, as_json=as_json)


def jobs_retry(
    id: JobId,  # noqa: A002
    confirm: Confirm = None,
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Take the next step of a job now; a failed or cancelled one is paid for anew, if you agree."""
    from bot.cli.operating import settling

    settling.retry(config, id, confirm=confirm, why=why, as_json=as_json)


# --- gateways ------------------------------------------------------------------------------------


@gateways_app.command("list")
def gateways_list(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List the gateways: which are open, paused or refuse us, and their jobs."""
    from bot.cli.operating import gateways

    gateways.show(config, as_json=as_json)


@gateways_app.command("pause")
def gateways_pause(
    name: Gateway, why: Why = "", as_json: AsJson = False, config: ConfigFile = None
) -> None:
    """Send nothing more to it, until you resume it; orders wait."""
    from bot.cli.operating import gateways

    gateways.pause(config, name, why=why, as_json=as_json)


@gateways_app.command("resume")
def gateways_resume(
    name: Gateway, why: Why = "", as_json: AsJson = False, config: ConfigFile = None
) -> None:
    """End your pause."""
    from bot.cli.operating import gateways

    gateways.resume(config, name, why=why, as_json=as_json)


# --- limits --------------------------------------------------------------------------------------


@quota_app.command("show")
def quota_show(
    kind: Kind, of: Of = "", where: Where = "", as_json: AsJson = False, config: ConfigFile = None
) -> None:
    """Show what was used today, and what is left."""
    from bot.cli.operating import allowances

    allowances.show(config, kind, of, where, as_json=as_json)


@quota_app.command("grant")
def quota_grant(
    kind: Kind,
    of: Of = "",
    videos: Annotated[int, typer.Option(min=0, help="So many more videos today.")] = 0,
    money: Annotated[str, typer.Option(help="So much more money today, as 5.00: a purse.")] = "",
    where: Where = "",
    again: Annotated[
        bool, typer.Option("--again", help="Also if the same was granted in the last hour.")
    ] = False,
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Let somebody have more today than the limits say."""
    from bot.cli.operating import allowances

    allowances.grant(
        config, kind, of, where, videos=videos, money=money, again=again, why=why, as_json=as_json
    )


@quota_app.command("reset")
def quota_reset(
    kind: Kind,
    of: Of = "",
    where: Where = "",
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Let their day begin anew: as much is left as at midnight."""
    from bot.cli.operating import allowances

    allowances.reset(config, kind, of, where, why=why, as_json=as_json)


# --- people --------------------------------------------------------------------------------------


@user_app.command("list")
def user_list(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List those who are blocked."""
    from bot.cli.operating import people

    people.show(config, as_json=as_json)


@user_app.command("block")
def user_block(
    person: PersonId,
    until: Annotated[
        str | None, typer.Option(help="For how long, as 12h or 7d, or until 2026-01-31 [14:30].")
    ] = None,
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Refuse their orders and presses; what is paid for still arrives."""
    from bot.cli.operating import people

    people.block(config, person, until=until, why=why, as_json=as_json)


@user_app.command("unblock")
def user_unblock(
    person: PersonId, why: Why = "", as_json: AsJson = False, config: ConfigFile = None
) -> None:
    """Let them order again."""
    from bot.cli.operating import people

    people.unblock(config, person, why=why, as_json=as_json)

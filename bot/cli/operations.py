"""The commands by which an operator changes something, and their options."""

from typing import Annotated

import typer

from bot.cli.options import AsJson, ConfigFile


def add_to(app: typer.Typer, _jobs: typer.Typer) -> None:
    """Add them to the command and to its group of jobs."""
    app.command()(acts)


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

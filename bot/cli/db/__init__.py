"""`zoetrope db`: the rows and their copies; what a command does stands in the module named so."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import AsJson, ConfigFile, Why

app = typer.Typer(no_args_is_help=True)


@app.command()
def upgrade(config: ConfigFile = None) -> None:
    """Bring the tables up to date without running the service; `run` does so by itself."""
    from bot.cli.db.upgrade import upgrade_tables

    upgrade_tables(config)


@app.command()
def verify(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Look through rows and files, beside the running service or without it."""
    from bot.cli.db.verify import verify_database

    verify_database(config, as_json=as_json)


@app.command()
def recount(why: Why = "", as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Count today's use of limits anew from the jobs, where `verify` found it wrong."""
    from bot.cli.db.recount import recount_usage

    recount_usage(config, why=why, as_json=as_json)


@app.command()
def backup(
    to: Annotated[
        Path | None, typer.Option(help="The folder that it is put into; default: backup.folder.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Make a backup, beside the running service or without it."""
    from bot.cli.db.backup import back_up

    back_up(config, to=to, as_json=as_json)


@app.command()
def restore(
    place: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER_OR_FILE",
            help="A backup's folder, a tar of it, a bare database, or the address of copy_to.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Put a backup in the place of what is there; the service may not run."""
    from bot.cli.db.restore import restore_backup

    restore_backup(config, place, yes=yes, as_json=as_json)

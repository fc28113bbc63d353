"""`zoetrope db`: commands on the database and its backups; each has a module of the same name."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import AsJson, ConfigFile, Why

app = typer.Typer(no_args_is_help=True)


@app.command()
def upgrade(config: ConfigFile = None) -> None:
    """Upgrade the database tables without running the service; `run` does this by itself."""
    from bot.cli.db.upgrade import upgrade_tables

    upgrade_tables(config)


@app.command()
def verify(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Check rows and files, with or without a running service."""
    from bot.cli.db.verify import verify_database

    verify_database(config, as_json=as_json)


@app.command()
def recount(why: Why = "", as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Recount today's use of limits from the jobs, if `verify` found it wrong."""
    from bot.cli.db.recount import recount_usage

    recount_usage(config, why=why, as_json=as_json)


@app.command()
def backup(
    to: Annotated[
        Path | None, typer.Option(help="The folder for the backup; default: backup.folder.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Make a backup, with or without a running service."""
    from bot.cli.db.backup import back_up

    back_up(config, to=to, as_json=as_json)


@app.command()
def restore(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER_OR_FILE",
            help="A backup's folder, a tar file of it, a database file, or the address of copy_to.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Restore without a question.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Replace rows and files with a backup. The service must not run."""
    from bot.cli.db.restore import restore_backup

    restore_backup(config, source, yes=yes, as_json=as_json)

"""The commands by which operators control the service: a module per group."""

import typer

from bot.cli.operating import allowances, gateways, history, people, settling, statistics, stopping


def add_to(app: typer.Typer, jobs: typer.Typer) -> None:
    """Add these commands to the main command and to its group `jobs`."""
    for command in (stopping.stop, stopping.go, statistics.stats, history.acts):
        app.command()(command)
    for name in ("cancel", "resolve", "retry"):
        jobs.command(name)(getattr(settling, name))
    app.add_typer(gateways.app, name="gateways", help="List, pause and resume gateways.")
    app.add_typer(
        allowances.app, name="quota", help="Show today's limits, and grant more for today."
    )
    app.add_typer(
        people.app, name="user", help="Block and unblock people, and list who is blocked."
    )

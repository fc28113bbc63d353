"""The commands and their options. Each command's work is in the module of the same name."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from bot.cli import db, jobs, media, operating
from bot.cli.options import HERE, AsJson, ConfigFile, with_options
from bot.core.wishes import Choice, wish_of

ProfileName = Annotated[
    str,
    Option(
        help="The gateway that it imitates: documented, openai, new-api-a, new-api, new-api-c, "
        "new-api-c-1.0.0 or new-api-c-mixed; after new-api-c: come versions of plugins, as in "
        "new-api-c:kling=1.0.0,xai=none."
    ),
]

app = typer.Typer(
    name="zoetrope",
    help="Type a command or reply to a picture in chat, and a video comes back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(jobs.app, name="jobs", help="Look at jobs, and settle them.")
app.add_typer(media.app, name="media", help="Look at the stored files, and sweep them.")
app.add_typer(db.app, name="db", help="Look after the rows: verify, back up, restore, upgrade.")


def _show_version(wanted: bool) -> None:
    if wanted:
        from bot.installed import NAME, version

        print(NAME, version())
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool,
        Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Print the version: another for each change of a file.",
        ),
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


@app.command()
def init(
    yes: Annotated[
        bool, Option("--yes", help="Ask nothing: take everything from environment and files.")
    ] = False,
    telegram: Annotated[
        bool, Option("--telegram", help="Ask for a bot on Telegram too, or alone.")
    ] = False,
    config: Annotated[Path, Option("--config", help="The file to write.")] = HERE,
) -> None:
    """Set up the bot: ask one question at a time, test each answer, write the configuration."""
    from bot.cli.init import set_up

    set_up(config, ask=not yes, also_telegram=telegram)


@app.command()
def run(
    config: ConfigFile = None,
    new_database: Annotated[
        bool,
        Option("--new-database", help="Begin with another database than before, or an empty one."),
    ] = False,
) -> None:
    """Run the service."""
    from bot.cli.run import run_service

    run_service(config, new_database=new_database)


@app.command()
def check(config: ConfigFile = None) -> None:
    """Read the configuration; print all mistakes, or the highest possible cost of a day."""
    from bot.cli.check import check_config

    check_config(config)


@app.command()
def doctor(config: ConfigFile = None) -> None:
    """Check what works, what does not, and how to fix it. Nothing it does costs money."""
    from bot.cli.doctor import run_checks

    run_checks(config)


@app.command()
def models(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List the models that this configuration can run."""
    from bot.cli.models import list_models

    list_models(config, as_json=as_json)


@app.command()
def simulator(
    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 9100,
    key: Annotated[str, Option(help="The key it accepts.")] = "sk-sim",
    other_key: Annotated[
        list[str] | None, Option(help="The key of another customer; may be repeated.")
    ] = None,
    render_time: Annotated[
        float, Option(min=0, max=86_400, help="Seconds that a video takes at least.")
    ] = 8.0,
    profile: ProfileName = "documented",
    tick: Annotated[
        float | None,
        Option(help="Seconds between its looks at the vendor; 0 for always. new-api: 15."),
    ] = None,
    at_once: Annotated[
        int | None, Option(min=1, help="How many videos a key may have under way.")
    ] = None,
    fault: Annotated[
        list[str] | None, Option(help="A trouble that it starts with; its front page lists them.")
    ] = None,
) -> None:
    """Run the simulated gateway alone."""
    from bot.cli.simulator import build_simulator, run_simulator

    built = build_simulator(
        key=key,
        other_keys=other_key or (),
        render_time=render_time,
        profile=profile,
        tick=tick,
        at_once=at_once,
        troubles=fault or (),
    )
    asyncio.run(run_simulator(built, host=host, port=port, key=key))


@app.command()
def demo(
    port: Annotated[
        int,
        Option(
            min=0, max=65535, help="Port of the room; if it is taken, the next. 0 picks a free one."
        ),
    ] = 8080,
    browser: Annotated[
        bool, Option("--browser/--no-browser", help="Open the room in a browser.")
    ] = True,
    data: Annotated[
        Path | None,
        Option(
            help="Where the room is kept; by default zoetrope-demo, with --gateway "
            "zoetrope-demo-NAME."
        ),
    ] = None,
    gateway: Annotated[
        str | None,
        Option(help="A configured gateway instead of the simulated one: real videos, paid."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Try the bot without any account: a chat room in the browser, a simulated gateway."""
    from bot.cli.demo import run_demo

    asyncio.run(run_demo(port=port, browser=browser, data=data, gateway=gateway, file=config))


@app.command()
@with_options
def generate(
    prompt: Annotated[str, Argument(help="What the video should show.")] = "",
    image: Annotated[Path | None, Option(help="A picture to start from.")] = None,
    last_image: Annotated[Path | None, Option(help="A picture to end on.")] = None,
    audio: Annotated[Path | None, Option(help="A sound that moves the picture.")] = None,
    output: Annotated[
        Path | None,
        Option("-o", "--output", help="The file; by default video.mp4, or video-2.mp4, …"),
    ] = None,
    force: Annotated[bool, Option("--force", help="Overwrite the file that -o names.")] = False,
    simulate: Annotated[
        bool, Option("--simulate", help="Use a simulated gateway: free, no account.")
    ] = False,
    config: ConfigFile = None,
    **chosen: Choice,
) -> None:
    """Make one video from the terminal, for example to test a key or a model."""
    from bot.cli.generate import make_video
    from bot.cli.wish import order_for

    pictures = [picture for picture in (image, last_image) if picture]
    order = order_for(wish_of(prompt, **chosen), pictures, audio)
    make_video(order, output, overwrite=force, simulate=simulate, config=config)


operating.add_to(app, jobs.app)  # last: the help lists common commands first

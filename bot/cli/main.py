"""The commands and their options. Each command's work is in the module of the same name."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from bot.cli import db, jobs, media, operating
from bot.cli.options import HERE, AsJson, ConfigFile, with_options
from bot.core.wishes import Choice, Use, wish_of

ProfileName = Annotated[
    str,
    Option(
        help="The gateway to imitate: documented, openai, openrouter, vllm-omni, vllm-omni-whole, "
        "sglang, sglang-cloud, new-api-a, new-api, new-api-c, new-api-c-1.0.0 or "
        "new-api-c-mixed; or new-api-c with versions of plugins: "
        "new-api-c:kling=1.0.0,xai=none; or a server of your own with the model that it serves: "
        "vllm-omni:MiniMaxAI/MiniMax-H3."
    ),
]

app = typer.Typer(
    name="zoetrope",
    help="A chat bot that makes videos: people send a prompt or a picture, and get a video back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(jobs.app, name="jobs", help="List, cancel and resolve jobs.")
app.add_typer(media.app, name="media", help="Check the stored files, and remove old ones.")
app.add_typer(db.app, name="db", help="Check, back up, restore and upgrade the database.")


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
            help="Print the version, which differs after every change of a file.",
        ),
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


@app.command()
def init(
    yes: Annotated[
        bool,
        Option("--yes", help="Ask no questions: take all answers from the environment and files."),
    ] = False,
    telegram: Annotated[
        bool,
        Option("--telegram", help="Set up Telegram: beside Discord if that is set up, else alone."),
    ] = False,
    config: Annotated[Path, Option("--config", help="The configuration file to write.")] = HERE,
) -> None:
    """Set up the bot: ask one question at a time, test each answer, write the configuration."""
    from bot.cli.init import set_up

    set_up(config, ask=not yes, also_telegram=telegram)


@app.command()
def run(
    config: ConfigFile = None,
    new_database: Annotated[
        bool,
        Option(
            "--new-database",
            help="Start even though the database is empty, or is another one than before.",
        ),
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
def models(
    gateway: Annotated[
        str | None,
        Option(help="Show what is known of each model of this gateway, and from where."),
    ] = None,
    refresh: Annotated[
        bool, Option("--refresh", help="Read the list of that gateway first; this is free.")
    ] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """List the models that this configuration can run."""
    if gateway is None and refresh:
        raise typer.BadParameter("--refresh needs --gateway NAME.")
    if gateway is not None:
        from bot.cli.offers import show_gateway

        show_gateway(config, gateway, refresh=refresh, as_json=as_json)
        return
    from bot.cli.models import list_models

    list_models(config, as_json=as_json)


@app.command()
def simulator(
    host: Annotated[str, Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, Option(min=0, max=65535, help="The port to listen on; 0 chooses a free one.")
    ] = 9100,
    key: Annotated[
        str | None,
        Option(help="The API key that it accepts, sk-sim by default; an empty one: it needs none."),
    ] = None,
    other_key: Annotated[
        list[str] | None, Option(help="The API key of another customer; may be repeated.")
    ] = None,
    render_time: Annotated[
        float, Option(min=0, max=86_400, help="The least seconds that a video takes.")
    ] = 8.0,
    profile: ProfileName = "documented",
    tick: Annotated[
        float | None,
        Option(help="Seconds between its polls of the vendor, 15 for new-api; 0: no delay."),
    ] = None,
    at_once: Annotated[
        int | None, Option(min=1, help="The most unfinished videos of a key.")
    ] = None,
    fault: Annotated[
        list[str] | None, Option(help="A fault to start with; its front page lists all faults.")
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
    asyncio.run(run_simulator(built, host=host, port=port))


@app.command()
def demo(
    port: Annotated[
        int,
        Option(
            min=0,
            max=65535,
            help="The room's port; the next free one if it is taken. 0: any free port.",
        ),
    ] = 8080,
    browser: Annotated[
        bool, Option("--browser/--no-browser", help="Open the room in a browser.")
    ] = True,
    data: Annotated[
        Path | None,
        Option(
            help="The folder of the room; default: zoetrope-demo, or with --gateway "
            "zoetrope-demo-NAME."
        ),
    ] = None,
    gateway: Annotated[
        str | None,
        Option(help="Use this configured gateway, not a simulated one: its videos cost money."),
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
    image: Annotated[Path | None, Option(help="The picture that the video begins with.")] = None,
    last_image: Annotated[Path | None, Option(help="The picture that the video ends with.")] = None,
    picture: Annotated[
        list[Path] | None,
        Option(help="A picture whose people and things the video keeps; up to ten times."),
    ] = None,
    video: Annotated[
        Path | None, Option(help="A video to change, or with --use extend to go on from.")
    ] = None,
    audio: Annotated[
        Path | None, Option(help="A sound that the picture speaks or sings to.")
    ] = None,
    output: Annotated[
        Path | None,
        Option("-o", "--output", help="The file to write; default: video.mp4, or video-2.mp4, …"),
    ] = None,
    force: Annotated[
        bool, Option("--force", help="Overwrite the file of -o if it exists.")
    ] = False,
    simulate: Annotated[
        bool, Option("--simulate", help="Use a simulated gateway: free, without an account.")
    ] = False,
    config: ConfigFile = None,
    **chosen: Choice,
) -> None:
    """Make one video from the terminal, for example to test a key or a model."""
    from bot.cli.generate import make_video
    from bot.cli.wish import order_for

    pictures = [each for each in (image, last_image, *(picture or ())) if each]
    if picture and chosen.get("use") is None:
        chosen["use"] = Use.CHARACTER
    order = order_for(wish_of(prompt, **chosen), pictures, audio, video)
    make_video(order, output, overwrite=force, simulate=simulate, config=config)


operating.add_to(app, jobs.app)  # last: the help lists common commands first

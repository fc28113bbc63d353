"""`zoetrope …` and `python -m bot …`."""

import signal


def main() -> None:
    """Load the command line, which takes a moment, and run it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Whoever changes their mind meanwhile is spared a traceback out of somebody's imports.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        from bot.cli import main as command

        signal.signal(signal.SIGINT, signal.default_int_handler)
    else:
        from bot.cli import main as command
    command()


if __name__ == "__main__":
    main()

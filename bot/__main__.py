"""`zoetrope …` and `python -m bot …`."""

import gc
import signal


def main() -> None:
    """Load the command line, which takes a moment, and run it."""
    # Modules are made of objects that stay. To look for garbage at every 700th of them, as Python
    # does by itself, takes a tenth of the time until a command begins.
    gc.set_threshold(10_000)
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

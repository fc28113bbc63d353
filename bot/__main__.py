"""The entry point of `zoetrope …` and `python -m bot …`."""

import gc
import signal


def main() -> None:
    """Set up garbage collection and Ctrl+C, import the command line, and run it."""
    # The objects of modules are never freed. Python's default of a garbage collection at every
    # 700 new objects takes a tenth of the time until a command begins.
    gc.set_threshold(10_000)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl+C during the imports must end the process silently, without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        from bot.cli import main as command

        signal.signal(signal.SIGINT, signal.default_int_handler)
    else:
        from bot.cli import main as command
    command()


if __name__ == "__main__":
    main()

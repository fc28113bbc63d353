"""The rules of the bot in plain Python: no I/O, no third-party imports, no texts for people."""

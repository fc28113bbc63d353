"""The rules of the house in plain Python: no I/O, no third-party imports, no words people read."""

"""Benchmarks against other programs: one module per goal, run by `python -m bench`. Not shipped."""

"""The answers to operators, drawn: one module per group of commands."""

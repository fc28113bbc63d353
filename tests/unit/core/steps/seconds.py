"""Lengths of time that several modules of tests use."""

HOUR = 3600.0

"""Lengths of time that several test modules use."""

HOUR = 3600.0

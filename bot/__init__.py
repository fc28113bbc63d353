"""Zoetrope: a command in chat becomes a video in chat."""

__version__ = "0.1.0"

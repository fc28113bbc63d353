"""Zoetrope: a command in chat becomes a video in chat."""

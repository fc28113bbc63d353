"""Zoetrope: a command in chat makes a video and posts it in chat."""

"""A simulated gateway: a real `/v1/videos` server that renders real MP4s, and fails on demand.

The simulator is written from the public description of the API, never from our client, so that
each checks the other. It imports nothing of `bot` outside this package. Start at `server.py`.
"""

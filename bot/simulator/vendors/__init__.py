"""The vendors behind a gateway, a module each: what they make of a request, and what they refuse.

Everything here is a pure function from what was sent to a video; no vendor knows of HTTP or of the
gateway in front of it, except that new-api's adaptor is the first half of four of them.
"""

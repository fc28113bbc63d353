"""Careful HTTP: an address that may be reached, a request sent once, an answer read to a bound.

A server may lie, stall, send too much, pack what was asked for plain, or lead elsewhere. Here is
all that is done about that; what an answer means is for those who asked. No dialect and no vendor
is known here.
"""

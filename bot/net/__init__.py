"""Careful HTTP: an address that may be reached, a request sent once, an answer read to a bound.

A server may lie, stall, send too much, pack what was asked for plain, or lead elsewhere. Here is
all that is done about that, up to an outcome of the core where no words are needed for one: whether
a request may have left, and whether a video came and has room. The words of an answer are for those
who asked. No dialect and no vendor is known here.
"""

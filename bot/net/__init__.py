"""Careful HTTP: allowed addresses only, a POST sent once, responses read up to a limit.

A server may lie, stall, send too much, compress what was asked for uncompressed, or redirect. This
package handles all that. It returns an outcome of the core where the body's text does not matter:
whether a POST may have been sent, and whether a video came and was stored. The caller interprets
the text of a response. This package knows no dialect and no vendor.
"""

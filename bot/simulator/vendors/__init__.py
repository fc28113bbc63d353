"""The vendors behind a gateway, one module each: how they read a request, and what they refuse.

Everything here is a pure function from a request to a video. Vendors know nothing of HTTP or the
gateway, except that four of these modules begin with new-api's adaptor.
"""

"""The vendors behind a gateway, one module each: how they read a request, and what they refuse.

Everything here is a pure function from a request to a video. Vendors know nothing of HTTP or the
gateway, with one exception: four of these modules first change a request as new-api's adaptor does.
"""

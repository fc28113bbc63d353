"""The same world as in the end-to-end tests; here the app is a process that gets killed."""

from tests.e2e.conftest import world

__all__ = ["world"]

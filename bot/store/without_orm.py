"""SQLAlchemy's asyncio without the ORM, which its package imports and nobody here uses.

That spares 6 MB and 60 ms. All that is used stands in the package's module `engine`, which needs
no ORM: so the package itself is in place, and has not run. Where the whole package was imported
earlier, nothing is left to do. SQLite needs none of it.
"""

import sys
from importlib.util import find_spec, module_from_spec

_PACKAGE = "sqlalchemy.ext.asyncio"
_USED = ("AsyncConnection", "AsyncEngine", "create_async_engine")


def _put_in_place() -> None:
    spec = find_spec(_PACKAGE)
    assert spec is not None
    package = sys.modules[_PACKAGE] = module_from_spec(spec)
    from sqlalchemy.ext.asyncio import engine

    for name in _USED:
        setattr(package, name, getattr(engine, name))


if _PACKAGE not in sys.modules:
    _put_in_place()

from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine  # noqa: E402

__all__ = ["AsyncConnection", "create_async_engine"]

"""Import of SQLAlchemy's asyncio without the ORM, which saves 6 MB and 60 ms.

The package `sqlalchemy.ext.asyncio` imports the ORM, which this program does not use. Its module
`engine` has everything we need and does not import the ORM. So the package is put into
`sys.modules` without running its code. If the package was imported before, nothing is done. Only
PostgreSQL needs this module.
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

"""The user whose files these are: what root writes among them, the service can't use."""

import os
import pwd
from contextlib import suppress

from bot.config import Config
from bot.core.errors import Refused


def check_user(config: Config, *, user: int | None = None) -> None:
    """Raise `Refused` for root where the data are somebody else's. `user`: by default, who runs us.

    Anybody else is told by the system.
    """
    try:
        owner = config.data_dir.stat().st_uid
    except FileNotFoundError:
        return
    if (os.geteuid() if user is None else user) == 0 and owner:
        name = str(owner)
        with suppress(KeyError):
            name = pwd.getpwuid(owner).pw_name
        raise Refused("wrong_user", folder=str(config.data_dir), user=name)

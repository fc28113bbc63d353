"""Check that root does not write into the service's data: the service could not use the files."""

import os
import pwd
from contextlib import suppress

from bot.config import Config
from bot.core.errors import Refused


def check_user(config: Config, *, user: int | None = None) -> None:
    """Raise `Refused` if root runs the command and another user owns the data folder.

    `user`: the user to check, by default the user of this process. Users other than root get the
    system's own error.
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

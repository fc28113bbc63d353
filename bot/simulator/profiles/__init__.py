"""The kinds of gateways that can be simulated, by name."""

from collections.abc import Mapping

from bot.simulator.models import MODELS
from bot.simulator.profiles.documented import Documented
from bot.simulator.profiles.profile import Profile

DOCUMENTED = Documented(name="documented", models=MODELS)

PROFILES: Mapping[str, Profile] = {each.name: each for each in (DOCUMENTED,)}

__all__ = ["DOCUMENTED", "MODELS", "PROFILES", "Profile"]

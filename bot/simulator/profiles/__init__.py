"""The kinds of gateways that can be simulated, by name."""

from collections.abc import Mapping

from bot.simulator.models import MODELS, SORA
from bot.simulator.profiles.documented import Documented
from bot.simulator.profiles.openai import OpenAi
from bot.simulator.profiles.profile import Profile

DOCUMENTED = Documented(name="documented", models=MODELS)
OPENAI = OpenAi(name="openai", models=SORA)

PROFILES: Mapping[str, Profile] = {each.name: each for each in (DOCUMENTED, OPENAI)}

__all__ = ["DOCUMENTED", "MODELS", "OPENAI", "PROFILES", "Profile"]

"""The kinds of gateways that can be simulated, by name."""

from collections.abc import Mapping

from bot.simulator.models import MODELS, SINGERS, SORA
from bot.simulator.profiles.documented import Documented
from bot.simulator.profiles.new_api import SWEEP, NewApi
from bot.simulator.profiles.openai import OpenAi
from bot.simulator.profiles.profile import Profile

DOCUMENTED = Documented(name="documented", models={**MODELS, **SINGERS})
NEW_API = NewApi(
    name="new-api",
    generation="B",
    models={**MODELS, **SORA},
    sweep=SWEEP,
    prepays=True,
    remixes=True,
)
NEW_API_A = NewApi(name="new-api-a", generation="A", models={**MODELS, **SORA}, for_all=True)
OPENAI = OpenAi(name="openai", models=SORA)

PROFILES: Mapping[str, Profile] = {
    each.name: each for each in (DOCUMENTED, NEW_API, NEW_API_A, OPENAI)
}

__all__ = ["DOCUMENTED", "MODELS", "NEW_API", "NEW_API_A", "OPENAI", "PROFILES", "Profile"]

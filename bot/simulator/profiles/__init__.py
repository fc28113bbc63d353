"""The kinds of gateways that can be simulated, by name."""

from collections.abc import Mapping
from dataclasses import replace

from bot.simulator.models import JIMENG_V30, MODELS, SINGERS, SORA, WAN, Model, Takes
from bot.simulator.profiles.documented import Documented
from bot.simulator.profiles.new_api import SWEEP, NewApi
from bot.simulator.profiles.new_api_c import FIRST, USUAL, new_api_c
from bot.simulator.profiles.openai import OpenAi
from bot.simulator.profiles.openrouter import OPENROUTER
from bot.simulator.profiles.profile import Profile
from bot.simulator.profiles.sglang import Sglang
from bot.simulator.profiles.vllm_omni import VllmOmni

DOCUMENTED = Documented(name="documented", models={**MODELS, **SINGERS})
NEW_API = NewApi(
    name="new-api",
    generation="B",
    models={**MODELS, **SORA, **JIMENG_V30},
    version="v1.0.0-rc.14",
    sweep=SWEEP,
    prepays=True,
    remixes=True,
)
NEW_API_A = NewApi(
    name="new-api-a",
    generation="A",
    models={**MODELS, **SORA, **JIMENG_V30},
    version="v1.0.0-rc.2",
    for_all=True,
)
NEW_API_C = new_api_c("new-api-c")
NEW_API_C_FIRST = new_api_c("new-api-c-1.0.0", dict.fromkeys(USUAL, FIRST))
NEW_API_C_MIXED = new_api_c(
    "new-api-c-mixed", dict.fromkeys(("doubao", "kling", "vidu"), FIRST), older=True
)
OPENAI = OpenAi(name="openai", models=SORA)
VLLM_OMNI = VllmOmni(name="vllm-omni", models=WAN)
VLLM_OMNI_WHOLE = VllmOmni(name="vllm-omni-whole", models=WAN, wrapped=True)
SGLANG = Sglang(name="sglang", models=WAN)
SGLANG_CLOUD = Sglang(name="sglang-cloud", models=WAN, cloud=True)

PROFILES: Mapping[str, Profile] = {
    each.name: each
    for each in (
        DOCUMENTED,
        NEW_API,
        NEW_API_A,
        OPENAI,
        NEW_API_C,
        NEW_API_C_FIRST,
        NEW_API_C_MIXED,
        OPENROUTER,
        VLLM_OMNI,
        VLLM_OMNI_WHOLE,
        SGLANG,
        SGLANG_CLOUD,
    )
}


def serving(name: str, model: str) -> Profile:
    """Return the named profile of a server of one's own, with another model."""
    profile = PROFILES[name]
    assert profile.own
    models = {model: Model(takes=Takes.ANY)}
    return replace(profile, name=f"{name}:{model}", models=models)


__all__ = [
    "DOCUMENTED",
    "MODELS",
    "NEW_API",
    "NEW_API_A",
    "NEW_API_C",
    "NEW_API_C_FIRST",
    "NEW_API_C_MIXED",
    "OPENAI",
    "OPENROUTER",
    "PROFILES",
    "SGLANG",
    "SGLANG_CLOUD",
    "VLLM_OMNI",
    "VLLM_OMNI_WHOLE",
    "Profile",
    "new_api_c",
    "serving",
]

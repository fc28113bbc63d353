"""The task plugins of new-api's generation C, one module each: what they read, drop and build.

A plugin is a pure function from a request to the request that its vendor gets. Each module lists
the versions at which the plugin changed. Nothing here knows of HTTP. A refusal is a `ValueError`,
which the gateway puts into an envelope.
"""

from collections.abc import Mapping

from bot.simulator.plugins import alibaba, doubao, hailuo, jimeng, kling, sora, veo, vidu, xai
from bot.simulator.plugins.plugin import Built, Plugin, Sent, Shot, Translated

PLUGINS: Mapping[str, Plugin] = {
    each.key: each
    for each in (
        alibaba.PLUGIN,
        doubao.PLUGIN,
        veo.GOOGLE,
        hailuo.PLUGIN,
        jimeng.PLUGIN,
        kling.PLUGIN,
        sora.PLUGIN,
        veo.VERTEX,
        vidu.PLUGIN,
        xai.PLUGIN,
    )
}

__all__ = ["PLUGINS", "Built", "Plugin", "Sent", "Shot", "Translated"]

"""A configuration with one model at a gateway of each newer dialect, and the bodies it makes."""

from pathlib import Path

from bot.config import Config, load

TABLES = {
    "openrouter": """
kinds = ["t2v", "i2v", "kf2v"]
seconds = [4, 8]
sizes = { 720p = "720p", 1080p = "1080p" }
shapes = ["16:9", "9:16"]
takes = ["seed", "audio"]
""",
    "vllm-omni": """
kinds = ["t2v", "i2v", "kf2v"]
seconds = [4, 5]
sizes = { 480p = { "16:9" = "832x480", "9:16" = "480x832" } }
takes = ["seed", "negative_prompt"]
""",
    "sglang": """
kinds = ["t2v", "i2v"]
seconds = [4, 5]
sizes = { 480p = { "16:9" = "832x480", "9:16" = "480x832" } }
takes = ["seed", "negative_prompt"]
""",
}
"""Dialect → the table of one model there."""
NAME = "maker/model-1"


def text(
    dialect: str,
    *,
    url: str = "http://127.0.0.1:1",
    name: str = NAME,
    gateway: str = "",
    model: str = "",
) -> str:
    """Return a configuration with this model's table and these lines more."""
    return f"""
[gateways.box]
base_url = "{url}"
dialect = "{dialect}"
{gateway}
[families.one]
label = "One"
[models."{name}"]
family = "one"
prompt_limit = 500
{TABLES[dialect]}
{model}
"""


def config(folder: Path, written: str, *, key: str = "sk-1") -> Config:
    """Load a configuration of this text; `key` "": without an API key."""
    file = folder / "config.toml"
    file.write_text(f'data_dir = "{folder}"\n{written}', "utf-8")
    environment = {"ZOETROPE_GATEWAYS__BOX__API_KEY": key} if key else {}
    return load(file, environment=environment)

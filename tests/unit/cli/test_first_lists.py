"""The lists of gateways that are read before a command, because they were never read."""

from pathlib import Path

from bot.cli.first_lists import with_lists
from bot.config import Config, load
from bot.simulator.profiles import SGLANG, VLLM_OMNI
from bot.simulator.server import Simulator


async def test_the_list_of_a_wanted_gateway_is_read_although_another_has_models(
    tmp_path: Path,
) -> None:
    async with (
        Simulator(profile=VLLM_OMNI).serve() as first,
        Simulator(profile=SGLANG).serve() as second,
    ):
        config = _of(tmp_path, {"first": ("vllm-omni", first), "second": ("sglang", second)})
        config = await with_lists(config)
        assert {model.gateway for model in config.catalog.models} == {"first"}
        config = await with_lists(config, "second")
    assert {gateway for gateway, offers in config.offers.items() if offers} == {"first", "second"}


def _of(folder: Path, gateways: dict[str, tuple[str, str]]) -> Config:
    tables = [
        f'[gateways.{name}]\nbase_url = "{url}"\ndialect = "{dialect}"\nguesses = true'
        for name, (dialect, url) in gateways.items()
    ]
    file = folder / "config.toml"
    file.write_text("\n".join((f'data_dir = "{folder / "data"}"', *tables)), "utf-8")
    return load(file, environment={})

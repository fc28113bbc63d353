"""The registry of dialects."""

import pytest

from bot.gateways.dialects import DEFAULT, DIALECTS
from bot.gateways.videos_api import GatewayOptions, open_gateways


@pytest.mark.parametrize("name", DIALECTS)
async def test_the_client_of_a_gateway_knows_the_facts_of_its_dialect(name: str) -> None:
    settings = GatewayOptions(name="g", base_url="http://localhost", api_key="sk", dialect=name)
    async with open_gateways([settings]) as gateways:
        assert gateways["g"].dialect == name
        assert gateways["g"].spoken is DIALECTS[name]


def test_a_gateway_that_names_no_dialect_speaks_the_default() -> None:
    given = GatewayOptions(name="g", base_url="http://localhost", api_key="sk")
    assert given.dialect == DEFAULT == "new-api"

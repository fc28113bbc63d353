"""Every example of the API document can be sent exactly, from an order and a configuration."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.config import load
from bot.gateways.requests import build
from tests.unit.core.orders import changed

from .bodies import PICTURE, PLAIN, catalog

EXAMPLES = tomllib.loads(Path(__file__).with_name("document.toml").read_text("utf-8"))["example"]
MODELS = """
    sora-2
    wan2.5-t2v-preview wan2.5-i2v-preview wan2.2-i2v-flash wan2.2-i2v-plus
    wanx2.1-i2v-plus wanx2.1-i2v-turbo wan2.2-kf2v-flash
    kling-v1 kling-v2-master
    jimeng_vgfm_t2v_l20 jimeng_vgfm_i2v_l20
    viduq1
"""
"""The models of the document's list, and the one that only an example names."""


@pytest.mark.parametrize("example", EXAMPLES, ids=[each["shown"] for each in EXAMPLES])
def test_every_example_of_the_api_document_can_be_sent_exactly(
    example: dict[str, Any], tmp_path: Path
) -> None:
    model = example["fields"]["model"]
    variables = {
        "ZOETROPE_GATEWAYS__G__BASE_URL": "http://localhost",
        "ZOETROPE_GATEWAYS__G__API_KEY": "sk",
        "ZOETROPE_GATEWAYS__G__DIALECT": "documented",
        "ZOETROPE_MODELS": json.dumps({model: example.get("over", {})}),
    }
    asked = dict(example["order"])
    count = asked.pop("pictures", 0)
    picture = tmp_path / "a.jpg"
    picture.write_bytes(bytes(3_000_000))  # too large to be sent as text if there is a link
    order = changed(
        PLAIN,
        prompt=example["fields"]["prompt"],
        family=model,
        pictures=(PICTURE,) * count,
        **asked,
    )

    _, request = load(None, environment=variables).catalog.choose(order)
    body = build(request, [picture] * count, example.get("links", ()))

    fields = dict(body.fields)
    assert len(fields) == len(body.fields)
    assert json.loads(fields.pop("metadata", "{}")) == example.get("metadata", {})
    assert fields == example["fields"]
    assert [part.name for part in body.files] == ([example["file"]] if "file" in example else [])


def test_the_catalog_offers_every_model_of_the_api_document() -> None:
    assert sorted(model.name for model in catalog("documented").models) == sorted(MODELS.split())

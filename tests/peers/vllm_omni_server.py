"""Serves vLLM-Omni's real API router and video handler, with an engine that notes.

Usage: python -m tests.peers.vllm_omni_server SOCKET NAME PIPELINE, with vLLM-Omni on the path.
`GET /noted` answers what the engine was asked for.
"""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.peers import stubs

os.environ["VLLM_OMNI_SERVER_STORAGE__PATH"] = "videos"  # in the folder of this run
ENTRY = "vllm_omni.entrypoints.openai"
ROUTES = (
    *("api_server", "app_state", "errors", "image_api_utils", "protocol", "serving_video"),
    *("stage_params", "storage", "stores", "utils", "video", "video_api_utils"),
)
stubs.stand_in(
    *("vllm", "torch", "transformers", "uvloop", "regex", "omegaconf", "prometheus_client"),
    *("prettytable", "vllm_omni"),
    real=(
        *(f"{ENTRY}.{name}" for name in ROUTES),
        *(f"vllm_omni.{name}" for name in ("errors", "inputs", "metrics", "model_extras")),
        *(f"vllm_omni.diffusion.{name}" for name in ("model_metadata", "models.interface")),
        *("vllm_omni.config.server_settings", "vllm_omni.outputs.output_metadata"),
    ),
)
stubs.bare("vllm_omni", "vllm_omni.entrypoints", ENTRY, "vllm_omni.config", "vllm_omni.outputs")
stubs.bare("vllm_omni.diffusion", "vllm_omni.diffusion.models")


class Prompt(dict[str, Any]):
    """A prompt is a dictionary."""

    def __init_subclass__(cls, **named: object) -> None:
        """Take the options of a typed dictionary."""


import_module("vllm.inputs").TextPrompt = Prompt  # type: ignore[attr-defined]
# No model's class is there to say which frames of a video it wants.
registry = SimpleNamespace(_try_load_model_cls=lambda _: None)
import_module("vllm_omni.diffusion.registry").DiffusionModelRegistry = registry  # type: ignore[attr-defined]
# These errors are caught by name.
for error in ("EngineDeadError", "EngineGenerateError"):
    setattr(import_module("vllm.v1.engine.exceptions"), error, type(error, (Exception,), {}))

import uvicorn  # noqa: E402
from fastapi import FastAPI  # noqa: E402

api_server = import_module(f"{ENTRY}.api_server")
serving_video = import_module(f"{ENTRY}.serving_video")

VIDEO = b"\0\0\0\x10ftypisom\0\0\0\0" + bytes(range(256)) * 16
NUMBERS = ("seed", "width", "height", "num_frames", "extra_args")
STAGE = {"stage_type": "diffusion", "final_output": True, "final_output_type": "video"}


class Engine:
    """Notes what it is asked for, and answers with the same small file each time."""

    def __init__(self, pipeline: str) -> None:
        self.noted: list[dict[str, Any]] = []
        self.od_config = SimpleNamespace(model_class_name=pipeline, model=None, revision=None)
        self.stage_configs = [{**STAGE, "model_arch": pipeline}]

    async def generate(
        self, prompt: Mapping[str, Any], request_id: str, sampling_params_list: list[Any]
    ) -> AsyncIterator[SimpleNamespace]:
        """Note one order, as vLLM-Omni's diffusion stage would get it."""
        (asked,) = sampling_params_list
        note = {name: getattr(asked, name) for name in NUMBERS}
        note |= {"prompt": prompt["prompt"], "negative_prompt": prompt.get("negative_prompt")}
        files = prompt.get("multi_modal_data", {})
        images = files.get("image", [])
        listed = images if isinstance(images, list) else [images]
        note["pictures"] = [sha256(each.convert("RGB").tobytes()).hexdigest() for each in listed]
        videos = [Path(path).read_bytes() for path in files.get("video", ())]
        note["videos"] = [sha256(video).hexdigest() for video in videos]
        self.noted.append(note)
        yield SimpleNamespace(multimodal_output={"video": [VIDEO]}, images=None)


def main(socket: str, name: str, pipeline: str) -> None:
    """Serve at this inherited socket until the process is ended."""
    engine = Engine(pipeline)
    app = FastAPI()
    app.include_router(api_server.router)
    app.add_api_route("/noted", lambda: engine.noted)
    app.state.api_server_count = 1
    app.state.openai_serving_video = serving_video.OmniOpenAIServingVideo(
        engine, model_name=name, stage_configs=engine.stage_configs
    )
    uvicorn.run(app, fd=int(socket), loop="asyncio", log_level="warning")


main(*sys.argv[1:])

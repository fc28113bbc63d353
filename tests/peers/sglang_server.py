"""Serves SGLang's real video router, with a model's real configuration and an engine that notes.

Usage: python -m tests.peers.sglang_server SOCKET MODEL PIPELINE FOLDER, with SGLang on the path.
`GET /noted` answers what the engine was asked for.
"""

import asyncio
import base64
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.peers import stubs

RUNTIME = "sglang.multimodal_gen.runtime"
stubs.stand_in(
    *("torch", "torchvision", "torchaudio", "transformers", "diffusers", "safetensors", "einops"),
    *("huggingface_hub", "cache_dit", "addict", "cv2", "imageio", "imageio_ffmpeg", "zmq"),
    *("IPython", "dateutil", "requests", "tqdm", "yaml", "psutil", "filelock"),
    *("sglang.srt", "sglang.kernels"),
    *(f"{RUNTIME}.{name}" for name in ("loader", "models", "layers", "distributed")),
    f"{RUNTIME}.scheduler_client",
)
stubs.bare("sglang", f"{RUNTIME}.pipelines_core")

import uvicorn  # noqa: E402
from fastapi import FastAPI  # noqa: E402
from sglang.multimodal_gen.registry import get_model_info  # noqa: E402
from sglang.multimodal_gen.runtime import scheduler_client  # noqa: E402
from sglang.multimodal_gen.runtime.entrypoints.openai import video_api  # noqa: E402
from sglang.multimodal_gen.runtime.pipelines_core.schedule_batch import OutputBatch  # noqa: E402
from sglang.multimodal_gen.runtime.server_args import server_args  # noqa: E402

PARTS = ("transformer", "vae", "text_encoder", "tokenizer", "scheduler")
VIDEO = b"\0\0\0\x10ftypisom\0\0\0\0" + bytes(range(256)) * 16
NUMBERS = ("seed", "width", "height", "num_frames", "fps")
TEXTS = ("prompt", "negative_prompt")


class Engine:
    """Notes what it is asked for, and answers with the same small file each time."""

    def __init__(self) -> None:
        self.noted: list[dict[str, Any]] = []

    async def forward(self, batches: list[Any]) -> Any:
        """Note the parameters of one order, as SGLang's scheduler would get them."""
        (batch,) = batches
        asked = batch.sampling_params
        note = {name: getattr(asked, name) for name in (*NUMBERS, *TEXTS)}
        note["task"] = asked.task_type.name
        note["picture"], note["video"] = _digest(asked.image_path), _digest(asked.video_path)
        self.noted.append(note)
        path = Path(asked.output_file_path())
        await asyncio.to_thread(path.write_bytes, VIDEO)
        return OutputBatch(output_file_paths=[str(path)])


def _digest(source: str | None) -> str | None:
    """Return the hash of the bytes that the engine would read: of a file, or of a data: URI."""
    if source is None:
        return None
    is_data = source.startswith("data:")
    data = base64.b64decode(source.partition(",")[2]) if is_data else Path(source).read_bytes()
    return sha256(data).hexdigest()


def _checkpoint(folder: Path, pipeline: str) -> Path:
    """Write the folder of a model without weights: its index, and an empty table for each part."""
    for part in PARTS:
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "config.json").write_text("{}")
    index = {"_class_name": pipeline, "_diffusers_version": "0.40.0"}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _settings(folder: Path, model: Path) -> Any:
    """Return SGLang's settings with its defaults, as for a server of this model."""
    # The constructor looks for a GPU. The defaults are attributes of the class.
    made = object.__new__(server_args.ServerArgs)
    made.model_path = made.served_model_name = str(model)
    made.input_save_path, made.output_path = str(folder / "inputs"), str(folder / "outputs")
    made.pipeline_config = get_model_info(str(model)).pipeline_config_cls()
    return made


def main(socket: str, model: str, pipeline: str, place: str) -> None:
    """Serve at this inherited socket until the process is ended."""
    folder = Path(place)
    settings = _settings(folder, _checkpoint(folder / model, pipeline))
    server_args.set_global_server_args(settings)
    engine = Engine()
    scheduler_client.async_scheduler_client = engine
    app = FastAPI()
    app.include_router(video_api.router)
    app.add_api_route("/noted", lambda: engine.noted)
    uvicorn.run(app, fd=int(socket), log_level="warning")


main(*sys.argv[1:])
